"""Taking a switch back before its instant: every assignment exactly as it was."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from server.audit import actions
from server.audit.domain import record, record_many
from server.care.models import CareAssignment
from server.people.models import User
from server.switches import queries
from server.switches.domain.switching import SwitchRefusedError, Values, as_text, reason_of
from server.switches.models import ProviderSwitch, SwitchedClient
from server.tenancy.scoping import whole_municipality

CANCELLED = actions.register("switches.cancelled", gettext_lazy("provider switch taken back"))
RESTORED = actions.register(
    "switches.assignment_restored", gettext_lazy("assignment restored: provider switch taken back")
)
REMOVED = actions.register(
    "switches.assignment_removed", gettext_lazy("assignment removed: provider switch taken back")
)


@whole_municipality()
def cancel_switch(*, switch: ProviderSwitch, at: datetime, actor: User | None) -> None:
    """Take a planned switch back: every assignment as it was before. Twice does nothing twice.

    Raises `SwitchRefusedError` after the instant, and when somebody changed an assignment since.
    """
    with transaction.atomic():
        clients = list(
            SwitchedClient.objects.filter(switch=switch).select_related("client", "new_assignment")
        )
        queries.hold_clients([row.client_id for row in clients])
        switch.refresh_from_db()
        if switch.cancelled_at is not None:
            return
        if switch.at <= at:
            raise SwitchRefusedError(_("The switch has taken place. Make a new one in the other direction."))
        before = CareAssignment.objects.in_bulk([int(pk) for row in clients for pk in row.before])
        _refuse_changed(switch, clients, before)
        _restore(switch, clients, before, actor)
        switch.cancelled_at, switch.cancelled_by, switch.issued_at = at, actor, None
        switch.save(update_fields=["cancelled_at", "cancelled_by", "issued_at"])
        record(action=CANCELLED, target=switch, actor=actor, before={"at": switch.at.isoformat()})


def _refuse_changed(
    switch: ProviderSwitch, clients: list[SwitchedClient], rows: dict[int, CareAssignment]
) -> None:
    changed = []
    for one in clients:
        ended = [rows.get(int(pk)) for pk in one.before]
        new = one.new_assignment
        same = all(row is not None and row.ends_at == switch.at for row in ended) and (
            new is None or (new.starts_at, new.ends_at) == (switch.at, None)
        )
        if not same:
            changed.append(
                (one.client.alarm_code, _("an assignment was changed after the switch was decided"))
            )
    if changed:
        raise SwitchRefusedError(
            ngettext(
                "An assignment was changed since. Put it right by hand, or make a new switch.",
                "Assignments were changed since. Put them right by hand, or make a new switch.",
                len(changed),
            ),
            changed,
        )


def _restore(
    switch: ProviderSwitch,
    clients: list[SwitchedClient],
    rows: dict[int, CareAssignment],
    actor: User | None,
) -> None:
    restored: list[tuple[CareAssignment, Values, Values]] = []
    removed: list[tuple[CareAssignment, Values, Values]] = []
    for one in clients:
        for pk, ends in one.before.items():
            row = rows[int(pk)]
            restored.append((row, {"ends_at": as_text(row.ends_at)}, {"ends_at": ends}))
            row.ends_at = datetime.fromisoformat(ends) if ends else None
        if one.new_assignment is not None:
            said = {"client": one.client_id, "starts_at": one.new_assignment.starts_at.isoformat()}
            removed.append((one.new_assignment, said, {}))
    CareAssignment.objects.bulk_update(
        [row for row, _before, _after in restored], ["ends_at"], batch_size=500
    )
    record_many(action=RESTORED, rows=restored, actor=actor, reason=reason_of(switch))
    record_many(action=REMOVED, rows=removed, actor=actor, reason=reason_of(switch))
    CareAssignment.objects.filter(pk__in=[row.pk for row, _before, _after in removed]).delete()

"""Withdrawing consents, and taking a withdrawal back.

Nobody's right to withdraw is ours to refuse, but care must not stand outside a door without warning: unless
the patrol orders it at once, a withdrawal takes effect when everybody concerned has another way in, and at
the latest on the day that was agreed. That day is set from the start, so no key is ever issued beyond it. A
gate's consent takes no apartment's right away, nor the other way round: the decision weighs each door by its
own signatory.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from server.audit import actions
from server.audit.domain import changes, record, snapshot
from server.care.domain.effects import renew_keys
from server.care.models import Consent
from server.care.ways_in import lost_doors, without_way_in
from server.people.models import User
from server.problems import Problem
from server.tenancy.models import Municipality
from server.tenancy.scoping import whole_municipality

WITHDRAWN = actions.register("care.consent_withdrawn", _("consent withdrawn"))
KEPT = actions.register("care.consent_kept", _("withdrawal taken back"))
EFFECTIVE = actions.register("care.withdrawal_effective", _("withdrawal took effect"))

NOTICE = timedelta(hours=24)
"""Whoever may not order a withdrawal at once leaves the others at least this long to find another way in."""
LONGEST_WAIT = timedelta(days=90)

AT_ONCE = "care.withdraw_consent_at_once"


def latest_instant(day: datetime | None, at: datetime) -> datetime:
    """Return the instant at which a withdrawal takes effect at the latest; raises `Problem`."""
    if day is None or not at + NOTICE <= day <= at + LONGEST_WAIT:
        raise Problem("withdrawal_day_unfit")
    return day


@whole_municipality()
def withdraw(
    *,
    consent: Consent,
    at: datetime,
    latest: datetime | None = None,
    at_once: bool = False,
    actor: User | None,
) -> Consent:
    """Record that a consent is withdrawn; returns it with the instant at which it ends.

    Without `at_once` it ends now if nobody is left without a way in, and otherwise as soon as that is so, at
    the latest at `latest`. Raises `Problem`: consent_ended, withdrawal_day_unfit, not_permitted.
    """
    if at_once and actor is not None and not actor.has_perm(AT_ONCE):
        raise Problem("not_permitted")
    at = at.replace(microsecond=0)
    with transaction.atomic():
        held = _held(consent, at)
        before = snapshot(held)
        concerned = _concerned(held, at)
        waits = not at_once and without_way_in(held, at).exists()
        held.withdrawal_asked_at = at
        held.withdrawal_waits = waits
        held.withdrawn_at = latest_instant(latest, at) if waits else at
        held.save(update_fields=["withdrawal_asked_at", "withdrawal_waits", "withdrawn_at"])
        earlier, later = changes(before, snapshot(held))
        why = "at_once" if at_once else ""
        record(action=WITHDRAWN, target=held, actor=actor, before=earlier, after=later, reason=why)
    renew_keys(municipality=held.municipality, clients=concerned, at=at)
    return held


@whole_municipality()
def keep(*, consent: Consent, at: datetime, actor: User | None) -> Consent:
    """Take a withdrawal back that has not taken effect; afterwards only a new consent helps.

    Raises `Problem`: consent_ended, withdrawal_missing.
    """
    at = at.replace(microsecond=0)
    with transaction.atomic():
        held = _held(consent, at)
        if held.withdrawn_at is None:
            raise Problem("withdrawal_missing")
        before = snapshot(held)
        held.withdrawal_asked_at = held.withdrawn_at = None
        held.withdrawal_waits = False
        held.save(update_fields=["withdrawal_asked_at", "withdrawal_waits", "withdrawn_at"])
        earlier, later = changes(before, snapshot(held))
        record(action=KEPT, target=held, actor=actor, before=earlier, after=later)
        concerned = _concerned(held, at)
    renew_keys(municipality=held.municipality, clients=concerned, at=at)
    return held


@whole_municipality()
def settle(*, municipality: Municipality, at: datetime) -> int:
    """Let the waiting withdrawals of a municipality take effect whose time has come; returns how many.

    Run often, and whenever another way in was recorded; twice is harmless.
    """
    at = at.replace(microsecond=0)
    settled = 0
    waiting = Consent.objects.filter(withdrawal_waits=True).values_list("pk", flat=True)
    for pk in list(waiting):
        concerned = _settle_one(pk, at)
        if concerned is not None:
            settled += 1
            renew_keys(municipality=municipality, clients=concerned, at=at)
    return settled


@transaction.atomic
def _settle_one(pk: int, at: datetime) -> set[int] | None:
    """Let one take effect if it is due; returns the clients it concerns, None when it still waits."""
    consent = Consent.objects.select_for_update(no_key=True).get(pk=pk)
    overdue = consent.withdrawn_at is not None and consent.withdrawn_at <= at
    if not consent.withdrawal_waits or not (overdue or not without_way_in(consent, at).exists()):
        return None
    concerned = _concerned(consent, at)
    before = snapshot(consent)
    consent.withdrawal_waits = False
    consent.withdrawn_at = consent.withdrawn_at if overdue else at
    consent.save(update_fields=["withdrawal_waits", "withdrawn_at"])
    earlier, later = changes(before, snapshot(consent))
    why = "latest_day" if overdue else "another_way_in"
    record(action=EFFECTIVE, target=consent, before=earlier, after=later, reason=why)
    return concerned


def _held(consent: Consent, at: datetime) -> Consent:
    """Return the consent's row, locked; raises `Problem` consent_ended when there is nothing to withdraw."""
    held: Consent = Consent.objects.select_for_update(no_key=True).get(pk=consent.pk)
    ends = [end for end in (held.valid_to, held.withdrawn_at) if end is not None]
    if ends and min(ends) <= at:
        raise Problem("consent_ended")
    return held


def _concerned(consent: Consent, at: datetime) -> set[int]:
    rows = lost_doors(consent, at).order_by().values_list("losing", flat=True).distinct()
    return set(rows)


def start_of(day: date) -> datetime:
    """Return a day's first instant in local time."""
    return timezone.make_aware(datetime.combine(day, time.min))

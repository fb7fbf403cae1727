"""A client's hospital stay and death, each undone exactly, and where the metal keys are.

Nothing but the client's own row changes: assignments, plan and consents stay, so that taking it back brings
back exactly what was. No key is given while a client is paused, or ever again after the end.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from server.audit import actions
from server.audit.domain import record
from server.audit.models import AuditEntry
from server.care.domain.effects import renew_keys
from server.care.metal_keys import may_go_back
from server.care.models import Client
from server.people.models import User
from server.problems import Problem
from server.tenancy.scoping import whole_municipality

PAUSED = actions.register("care.client_paused", _("care paused"))
ENDED = actions.register("care.client_ended", _("care ended"))
RESTORED = actions.register("care.client_restored", _("pause or end taken back"))
KEYS_OUT = actions.register("care.keys_handed_out", _("metal keys handed out"))
KEYS_BACK = actions.register("care.keys_gone_back", _("metal keys gone back"))

_FIELDS = {PAUSED: "paused_at", ENDED: "ended_at"}


def pause(*, client: Client, at: datetime, actor: User | None) -> Client:
    """Pause a client's care, as for a hospital stay; raises `Problem` client_already_so."""
    return _stop(client, PAUSED, at, actor)


def end(*, client: Client, at: datetime, actor: User | None) -> Client:
    """End a client's care for good, as after a death; raises `Problem` client_already_so."""
    return _stop(client, ENDED, at, actor)


def resume(*, client: Client, at: datetime, actor: User | None) -> Client:
    """Take the pause back; raises `Problem` client_not_so."""
    return _restore(client, PAUSED, at, actor)


def revive(*, client: Client, at: datetime, actor: User | None) -> Client:
    """Take the end back, whoever had set it by mistake; raises `Problem` client_not_so."""
    return _restore(client, ENDED, at, actor)


@whole_municipality()
def _stop(client: Client, action: str, at: datetime, actor: User | None) -> Client:
    at = at.replace(microsecond=0)
    column = _FIELDS[action]
    with transaction.atomic():
        row = _locked(client)
        stood = getattr(row, column)
        if stood is not None and stood <= at:
            raise Problem("client_already_so")
        _set(row, column, at, action, actor)
    renew_keys(municipality=row.municipality, clients=[row.pk], at=at)
    return row


@whole_municipality()
def _restore(client: Client, action: str, at: datetime, actor: User | None) -> Client:
    at = at.replace(microsecond=0)
    column = _FIELDS[action]
    with transaction.atomic():
        row = _locked(client)
        if getattr(row, column) is None:
            raise Problem("client_not_so")
        _set(row, column, _before(row, action, column), RESTORED, actor)
    renew_keys(municipality=row.municipality, clients=[row.pk], at=at)
    return row


def _before(row: Client, action: str, column: str) -> datetime | None:
    """Return what stood there before it was stopped: a stay planned for later may have been.

    Nothing stood there if somebody has set it by hand since, for then it is that which is taken back.
    """
    said: AuditEntry | None = (
        AuditEntry.unscoped.filter(object_type="care.client", object_id=str(row.pk), action=action)
        .order_by("-at", "-pk")
        .first()
    )
    if said is None or said.after.get(column) != getattr(row, column).isoformat():
        return None
    stood = said.before.get(column)
    return parse_datetime(stood) if stood else None


def _locked(client: Client) -> Client:
    row: Client = Client.objects.select_for_update(no_key=True).get(pk=client.pk)
    return row


def _set(row: Client, column: str, value: datetime | None, action: str, actor: User | None) -> None:
    before, after = _text(getattr(row, column)), _text(value)
    setattr(row, column, value)
    row.save(update_fields=[column])
    record(action=action, target=row, actor=actor, before={column: before}, after={column: after})


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


@whole_municipality()
@transaction.atomic
def hand_out_keys(*, client: Client, at: datetime, actor: User | None) -> Client:
    """Record that metal keys are with the providers; raises `Problem` keys_already_so."""
    return _keys(_locked(client), Client.MetalKeys.HANDED_OUT, KEYS_OUT, at, actor)


@whole_municipality()
@transaction.atomic
def return_keys(*, client: Client, at: datetime, actor: User | None) -> Client:
    """Record that the metal keys went back; raises `Problem` keys_already_so or keys_still_needed."""
    row = _locked(client)
    if row.metal_keys != Client.MetalKeys.RETURNED and not may_go_back(row, at=at).yes:
        raise Problem("keys_still_needed")
    return _keys(row, Client.MetalKeys.RETURNED, KEYS_BACK, at, actor)


def _keys(row: Client, state: str, action: str, at: datetime, actor: User | None) -> Client:
    if row.metal_keys == state:
        raise Problem("keys_already_so")
    before = {"metal_keys": row.metal_keys}
    row.metal_keys, row.metal_keys_at = state, at.replace(microsecond=0)
    row.save(update_fields=["metal_keys", "metal_keys_at"])
    record(action=action, target=row, actor=actor, before=before, after={"metal_keys": state})
    return row

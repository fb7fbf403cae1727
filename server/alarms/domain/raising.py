"""Raising an alarm: by the patrol for an alarm code, or by an alarm system that may call more than once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from server.alarms import queries
from server.alarms.domain.offering import offer_round
from server.alarms.models import Alarm, AlarmCall, AlarmSystem
from server.alarms.rules import call_is_plausible
from server.audit import actions
from server.audit.domain import record
from server.care.models import Client
from server.people.models import User
from server.problems import Problem

RAISED = actions.register("alarms.raised", _("alarm raised"))
CALLED_AGAIN = actions.register("alarms.called_again", _("called again about an open alarm"))


@dataclass(frozen=True)
class Raised:
    """The alarm, and whether this call began it."""

    alarm: Alarm
    is_new: bool


def raise_alarm(
    *,
    alarm_code: str,
    at: datetime,
    actor: User | None = None,
    system: AlarmSystem | None = None,
    external_id: str = "",
    raised_at: datetime | None = None,
) -> Raised:
    """Begin an alarm and ask the nearest; a client who has an open one gets no second.

    A system names each call (`external_id`): said again, it is the same call. That care is paused or has
    ended is no reason not to raise: people come home early, and whoever calls needs somebody.

    Raises `Problem` alarm_code_unknown, alarm_time_unlikely, or external_id_taken.
    """
    client = queries.client_with(alarm_code)
    if client is None:
        raise Problem("alarm_code_unknown")
    if raised_at is not None and not call_is_plausible(raised_at, at=at):
        raise Problem("alarm_time_unlikely")
    with transaction.atomic():
        _hold(client, system)
        known = queries.call_of(system, external_id) if system is not None else None
        if known is not None:
            return _same_call(known, client)
        began = min(raised_at or at, at).replace(microsecond=0)
        raised = _alarm_of(client, began, at, actor, system)
        if system is not None:
            AlarmCall.objects.create(
                municipality=client.municipality,
                alarm=raised.alarm,
                system=system,
                external_id=external_id,
                at=at,
            )
        return raised


def _hold(client: Client, system: AlarmSystem | None) -> None:
    """Let nobody else raise for this client, nor this system tell of another call, until we are done."""
    if system is not None:
        AlarmSystem.objects.select_for_update(no_key=True).get(pk=system.pk)
    Client.objects.select_for_update(no_key=True).get(pk=client.pk)


def _same_call(call: AlarmCall, client: Client) -> Raised:
    if call.alarm.client_id != client.pk:
        raise Problem("external_id_taken")
    return Raised(call.alarm, is_new=False)


def _alarm_of(
    client: Client, began: datetime, at: datetime, actor: User | None, system: AlarmSystem | None
) -> Raised:
    caller = {"system": system.pk} if system is not None else {}
    known = queries.open_alarms().filter(client=client).first()
    if known is not None:
        record(action=CALLED_AGAIN, target=known, actor=actor, after=caller)
        return Raised(known, is_new=False)
    alarm = Alarm.objects.create(
        municipality=client.municipality,
        client=client,
        raised_at=began,
        raised_by=actor,
        system=system,
        offers_open_at=at,
    )
    record(action=RAISED, target=alarm, actor=actor, after={"client": client.pk, **caller})
    offer_round(alarm, at=at)
    return Raised(alarm, is_new=True)

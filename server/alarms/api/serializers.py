"""The form of alarms over HTTP, in and out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rest_framework import serializers

from server.alarms.models import Alarm

ANSWERED = "An ISO 8601 time with offset."


class RaiseRequest(serializers.Serializer[Any]):
    """An alarm system's call."""

    alarm_code = serializers.CharField(max_length=20)
    external_id = serializers.CharField(
        max_length=64, help_text="your own id of the call; sent again, it is the same call"
    )
    raised_at = serializers.DateTimeField(
        required=False, default_timezone=UTC, help_text="when the button was pressed; absent = now"
    )


class EndRequest(serializers.Serializer[Any]):
    """How it ended."""

    why = serializers.ChoiceField(
        choices=[Alarm.Why.HANDLED, Alarm.Why.FALSE_ALARM, Alarm.Why.CANCELLED], default=Alarm.Why.HANDLED
    )


class AlarmStatus(serializers.Serializer[Any]):
    """What an alarm system may know: how far it has come, and nobody's name."""

    id = serializers.IntegerField()
    state = serializers.ChoiceField(choices=Alarm.State.choices)
    why = serializers.ChoiceField(choices=Alarm.Why.choices, allow_blank=True)
    raised_at = serializers.DateTimeField(help_text=ANSWERED)
    offered_to = serializers.IntegerField(help_text="how many people have been asked so far")
    taken_at = serializers.DateTimeField(allow_null=True)
    arrived_at = serializers.DateTimeField(allow_null=True, help_text="by the lock's own log")
    arrival_known_at = serializers.DateTimeField(allow_null=True)
    arrival_uncertain = serializers.BooleanField(help_text="the lock was not sure of the time")
    ended_at = serializers.DateTimeField(allow_null=True)


class AnswerResponse(serializers.Serializer[Any]):
    """What became of a phone's answer; the right comes with the next sync."""

    id = serializers.IntegerField()
    state = serializers.ChoiceField(choices=["taken", "passed"])
    expires = serializers.IntegerField(allow_null=True, help_text="until when the right lasts, Unix seconds")


def status_of(alarm: Alarm) -> dict[str, Any]:
    """Return an alarm as an alarm system may see it."""

    def said(moment: datetime | None) -> datetime | None:
        return None if moment is None else moment.astimezone(UTC)

    return {
        "id": alarm.pk,
        "state": alarm.state,
        "why": alarm.why,
        "raised_at": said(alarm.raised_at),
        "offered_to": alarm.offers.count(),
        "taken_at": said(alarm.taken_at),
        "arrived_at": said(alarm.arrived_at),
        "arrival_known_at": said(alarm.arrival_known_at),
        "arrival_uncertain": alarm.arrival_uncertain,
        "ended_at": said(alarm.ended_at),
    }

"""Answers to alarms from phones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from server.alarms.api.serializers import AnswerResponse
from server.alarms.domain import answering
from server.alarms.models import Alarm
from server.alarms.queries import offer_for
from server.config.rest.errors import ProblemSerializer
from server.people.api.callers import BearerView

SESSION_HEADER = OpenApiParameter(
    "X-Session-Token", str, OpenApiParameter.HEADER, required=True, description="allauth app session"
)
PROBLEMS = dict.fromkeys((400, 401, 403, 404, 409, 410, 413, 415, 503), ProblemSerializer)


class AnswerView(BearerView):
    """One of the three answers; the phone learns the rest by its next sync, which it makes at once."""

    verb: ClassVar[Callable[..., Alarm]]

    def answer(self, alarm_id: int) -> Response:
        """Give the answer and say what it came to."""
        staff = self.bearer.staff
        alarm = type(self).verb(alarm_id=alarm_id, staff=staff, at=timezone.now(), actor=staff.user)
        return Response(_said(alarm, staff.pk))


def _said(alarm: Alarm, staff_id: int) -> dict[str, Any]:
    offer = offer_for(alarm, staff_id)
    taken = alarm.taken_by_id == staff_id
    expires = int(offer.right.ends_at.timestamp()) if taken and offer and offer.right else None
    return {"id": alarm.pk, "state": "taken" if taken else "passed", "expires": expires}


class TakeView(AnswerView):
    """Take an alarm."""

    verb = staticmethod(answering.take)

    @extend_schema(
        operation_id="take_alarm",
        parameters=[SESSION_HEADER],
        request=None,
        responses={200: AnswerResponse, **PROBLEMS},
    )
    def post(self, _request: Request, alarm_id: int) -> Response:
        """Take an alarm; exactly one does, the others hear `alarm_taken`."""
        return self.answer(alarm_id)


class DeclineView(AnswerView):
    """Decline an alarm."""

    verb = staticmethod(answering.decline)

    @extend_schema(
        operation_id="decline_alarm",
        parameters=[SESSION_HEADER],
        request=None,
        responses={200: AnswerResponse, **PROBLEMS},
    )
    def post(self, _request: Request, alarm_id: int) -> Response:
        """Say that one cannot."""
        return self.answer(alarm_id)


class HandOverView(AnswerView):
    """Hand an alarm over."""

    verb = staticmethod(answering.hand_over)

    @extend_schema(
        operation_id="hand_over_alarm",
        parameters=[SESSION_HEADER],
        request=None,
        responses={200: AnswerResponse, **PROBLEMS},
    )
    def post(self, _request: Request, alarm_id: int) -> Response:
        """Give back an alarm that one has taken; the right ends and others are asked."""
        return self.answer(alarm_id)

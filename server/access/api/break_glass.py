"""POST /api/v1/break-glass."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from server.access.api.views import PROBLEMS, SESSION_HEADER
from server.access.domain.break_glass import REASONS, client_of_own, take
from server.config.rest.errors import ProblemSerializer
from server.people.api.callers import BearerView

MAX_DOOR_ID = 2**63 - 1


class BreakGlassThrottle(SimpleRateThrottle):
    """Alarm codes are not to be guessed through it: so many attempts a phone, right or wrong."""

    scope = "break-glass"
    rate = "20/hour"

    def get_cache_key(self, request: Request, view: APIView) -> str:
        """Count per phone."""
        return self.cache_format % {"scope": self.scope, "ident": request.user.phone.pk}  # type: ignore[union-attr]


class BreakGlassRequest(serializers.Serializer[Any]):
    """Whose door, and why. Name the client by alarm code, or the apartment door by its id."""

    alarm_code = serializers.CharField(max_length=20, allow_blank=True, default="")
    door_id = serializers.IntegerField(min_value=1, max_value=MAX_DOOR_ID, allow_null=True, default=None)
    reason = serializers.ChoiceField(choices=[(reason.value, reason.value) for reason in REASONS])

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Want exactly one of the two."""
        if bool(attrs["alarm_code"]) == (attrs["door_id"] is not None):
            raise serializers.ValidationError("give alarm_code or door_id")
        return attrs


class BreakGlassResponse(serializers.Serializer[Any]):
    """The right that was taken; sync now to fetch its keys."""

    right_id = serializers.IntegerField()
    expires = serializers.IntegerField()


class BreakGlassView(BearerView):
    """Let somebody at a door take a right with a stated reason."""

    throttle_classes = (BreakGlassThrottle,)

    @extend_schema(
        operation_id="break_glass",
        parameters=[SESSION_HEADER],
        request=BreakGlassRequest,
        responses={200: BreakGlassResponse, **PROBLEMS, **dict.fromkeys((404, 409, 429), ProblemSerializer)},
    )
    def post(self, request: Request) -> Response:
        """Take a right to one client of the own provider for an hour; it is reviewed afterwards."""
        body = self.valid(BreakGlassRequest, request)
        at, staff = timezone.now().replace(microsecond=0), self.bearer.staff
        client = client_of_own(staff=staff, alarm_code=body["alarm_code"], door_id=body["door_id"], at=at)
        right = take(staff=staff, client=client, reason=body["reason"], at=at)
        return Response({"right_id": right.pk, "expires": int(right.ends_at.timestamp())})

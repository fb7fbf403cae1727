"""POST /api/v1/deviations: somebody who stands at a door says what is wrong with it."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from server.access.models import Token
from server.config.rest.errors import ProblemSerializer
from server.passages.domain.handling import REPORTABLE, report
from server.people.api.callers import BearerView
from server.places.models import Door
from server.problems import Problem

MAX_ID = 2**63 - 1


class DeviationRequest(serializers.Serializer[Any]):
    """A door among those the phone holds keys to, and what is wrong; never free text."""

    door_id = serializers.IntegerField(min_value=1, max_value=MAX_ID)
    kind = serializers.ChoiceField(choices=[kind.value for kind in REPORTABLE])


class DeviationResponse(serializers.Serializer[Any]):
    """What was noted."""

    deviation_id = serializers.IntegerField()
    opened_at = serializers.DateTimeField(help_text="earlier than now when somebody reported it before")


class DeviationsView(BearerView):
    """Reporting from a phone."""

    @extend_schema(
        operation_id="report_deviation",
        parameters=[
            OpenApiParameter(
                "X-Session-Token", str, OpenApiParameter.HEADER, required=True, description="an app session"
            )
        ],
        request=DeviationRequest,
        responses={
            200: DeviationResponse,
            **dict.fromkeys((400, 401, 403, 404, 413, 415, 503), ProblemSerializer),
        },
    )
    def post(self, request: Request) -> Response:
        """Report a door; twice is harmless. A dead lock gets its work order at once."""
        body = self.valid(DeviationRequest, request)
        now = timezone.now()
        holds = Token.objects.filter(
            bearer=self.bearer, binding__door=body["door_id"], revoked_at__isnull=True, expires__gt=now
        )
        door = Door.objects.filter(pk=body["door_id"]).first() if holds.exists() else None
        if door is None:
            raise Problem("binding_unknown")
        actor = self.bearer.staff.user
        found = report(kind=body["kind"], door=door, at=now, actor=actor, source="reported_by_phone")
        return Response({"deviation_id": found.pk, "opened_at": found.opened_at})

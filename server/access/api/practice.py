"""POST /api/v1/practice."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from server.access.api.views import PROBLEMS, SESSION_HEADER
from server.access.domain.practice import practise
from server.config.rest.errors import ProblemSerializer
from server.people.api.callers import BearerView


class PracticeRequest(serializers.Serializer[Any]):
    """Nothing has to be said."""


class PracticeResponse(serializers.Serializer[Any]):
    """Until when, and where; sync now to fetch the keys."""

    expires = serializers.IntegerField()
    door_ids = serializers.ListField(child=serializers.IntegerField())


class PracticeView(BearerView):
    """Let somebody practise."""

    @extend_schema(
        operation_id="practice",
        parameters=[SESSION_HEADER],
        request=PracticeRequest,
        responses={200: PracticeResponse, 409: ProblemSerializer, **PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        """Take a right to the practice locks for an hour; asked again, it is the same right."""
        self.valid(PracticeRequest, request)
        at = timezone.now().replace(microsecond=0)
        right, doors = practise(staff=self.bearer.staff, at=at)
        return Response(
            {"expires": int(right.ends_at.timestamp()), "door_ids": sorted(door.pk for door in doors)}
        )

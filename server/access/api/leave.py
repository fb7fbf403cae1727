"""POST /api/v1/leave."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from server.access.api.views import PROBLEMS, SESSION_HEADER
from server.access.domain.revoke import revoke_bearer
from server.access.models import Revocation
from server.people.api.callers import BearerView


class LeaveRequest(serializers.Serializer[Any]):
    """Nothing has to be said."""


class LeaveResponse(serializers.Serializer[Any]):
    """When the key ended."""

    at = serializers.IntegerField()


class LeaveView(BearerView):
    """Take back the key of somebody who removes themselves from a phone.

    The phone erases it, and that cannot be seen from here: so it is revoked like any other, while everybody
    else's keys on a pool phone stay as they are.
    """

    @extend_schema(
        operation_id="leave",
        parameters=[SESSION_HEADER],
        request=LeaveRequest,
        responses={200: LeaveResponse, **PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        """Give this phone's key back; whoever wants to open doors from it again must enrol again."""
        self.valid(LeaveRequest, request)
        at = timezone.now()
        actor = self.bearer.staff.user
        revoke_bearer(bearer=self.bearer, reason=Revocation.Reason.OTHER, at=at, actor=actor)
        return Response({"at": int(at.timestamp())})

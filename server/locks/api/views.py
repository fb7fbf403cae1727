"""POST /api/v1/fresh-time and the installer's POST /api/v1/installer/…"""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from protocol import commission, freshtime, identity
from protocol.identity import LOCK_ID_LENGTH
from protocol.token import BINDING_LENGTH
from server.config.rest.errors import ProblemSerializer
from server.config.rest.fields import Base64UrlField, encode_bytes
from server.config.rest.views import ApiView
from server.locks.domain.commission import commission_lock, confirm
from server.locks.domain.fresh_time import state_time
from server.locks.models import Binding
from server.people.api.callers import MAX_TOKEN_LENGTH, DeviceView, bearing, signed_in_user
from server.people.models import User
from server.people.roles import Role
from server.places.models import Door
from server.problems import Problem

MAX_ID = 2**63 - 1
PROBLEMS = dict.fromkeys((400, 401, 403, 404, 413, 415, 503), ProblemSerializer)


class FreshTimeRequest(serializers.Serializer[Any]):
    """The door, and the hash of the m0 its lock just sent."""

    binding = Base64UrlField(least=BINDING_LENGTH, most=BINDING_LENGTH)
    m0_hash = Base64UrlField(least=32, most=32)


class FreshTimeResponse(serializers.Serializer[Any]):
    """Signed server time for that session alone."""

    statement = Base64UrlField(most=freshtime.MAX_SIZE)


class FreshTimeView(DeviceView):
    """Server time for a lock that lost its clock."""

    @extend_schema(
        operation_id="fresh_time", request=FreshTimeRequest, responses={200: FreshTimeResponse, **PROBLEMS}
    )
    def post(self, request: Request) -> Response:
        """Sign server time over a session's m0."""
        body = self.valid(FreshTimeRequest, request)
        statement = state_time(
            phone=self.phone, binding_id=body["binding"], m0_hash=body["m0_hash"], at=timezone.now()
        )
        return Response({"statement": encode_bytes(statement)})


class InstallerView(ApiView):
    """A view for installers, signed in with a second factor, in their municipality's scope.

    `Authorization: Installer <token>` or `X-Session-Token: <token>`, the token of an allauth app session.
    """

    installer: User

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Find out who is calling and whether it is an installer."""
        super().initial(request, *args, **kwargs)
        header = request.headers.get("X-Session-Token", "")[:MAX_TOKEN_LENGTH]
        user = signed_in_user(bearing(request, "Installer") or header)
        if user.role != Role.INSTALLER or user.municipality_id is None:
            raise Problem("not_permitted")
        self.installer = user
        self.enter_scope(user.municipality_id)


INSTALLER_HEADER = OpenApiParameter(
    "X-Session-Token", str, OpenApiParameter.HEADER, required=True, description="an installer's app session"
)


class CommissionRequest(serializers.Serializer[Any]):
    """A door, and what the lock said of itself."""

    door_id = serializers.IntegerField(min_value=1, max_value=MAX_ID)
    lock_identity = Base64UrlField(most=identity.MAX_SIZE)
    lock_name = serializers.CharField(
        max_length=40, required=False, allow_blank=True, help_text="the label on a new lock"
    )


class CommissionResponse(serializers.Serializer[Any]):
    """What the lock must be given."""

    commission = Base64UrlField(most=commission.MAX_SIZE)
    binding = Base64UrlField(most=BINDING_LENGTH)


class CommissionView(InstallerView):
    """Give a lock a door."""

    @extend_schema(
        operation_id="commission",
        parameters=[INSTALLER_HEADER],
        request=CommissionRequest,
        responses={200: CommissionResponse, 409: ProblemSerializer, **PROBLEMS},
        auth=[],
    )
    def post(self, request: Request) -> Response:
        """Bind a lock to a door; asking again before the lock confirmed gives the same package."""
        body = self.valid(CommissionRequest, request)
        door = (
            Door.objects.select_related("property__owner", "municipality").filter(pk=body["door_id"]).first()
        )
        if door is None:
            raise Problem("door_unknown")
        binding = commission_lock(
            door=door,
            identity_document=body["lock_identity"],
            name=body.get("lock_name", ""),
            at=timezone.now(),
            actor=self.installer,
        )
        package = bytes(binding.commission_document or b"")
        return Response(
            {"commission": encode_bytes(package), "binding": encode_bytes(bytes(binding.binding_id))}
        )


class CommissionedRequest(serializers.Serializer[Any]):
    """The lock that took its commissioning in."""

    lock = Base64UrlField(least=LOCK_ID_LENGTH, most=LOCK_ID_LENGTH)
    binding = Base64UrlField(least=BINDING_LENGTH, most=BINDING_LENGTH)


class CommissionedResponse(serializers.Serializer[Any]):
    """Where the lock is now."""

    door_id = serializers.IntegerField()
    lock_name = serializers.CharField()


class CommissionedView(InstallerView):
    """Say that the lock took it in; keys are issued for its door from now on."""

    @extend_schema(
        operation_id="commissioned",
        parameters=[INSTALLER_HEADER],
        request=CommissionedRequest,
        responses={200: CommissionedResponse, 409: ProblemSerializer, **PROBLEMS},
        auth=[],
    )
    def post(self, request: Request) -> Response:
        """Confirm a commissioning; twice is harmless."""
        body = self.valid(CommissionedRequest, request)
        binding = (
            Binding.objects.select_related("lock")
            .filter(binding_id=body["binding"], lock__lock_id=body["lock"])
            .first()
        )
        if binding is None:
            raise Problem("binding_unknown")
        confirm(binding=binding, at=timezone.now(), actor=self.installer)
        return Response({"door_id": binding.door_id, "lock_name": binding.lock.name})

"""The installer's POST /api/v1/installer/service and …/logs: what a phone needs to work at a lock."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from protocol import bulletin, lockrecord, seal, token
from protocol.errors import ProtocolError
from protocol.identity import LOCK_ID_LENGTH
from protocol.keys import holder_key
from protocol.token import BINDING_LENGTH
from server.config.rest.fields import Base64UrlField, encode_bytes
from server.locks.api.views import INSTALLER_HEADER, PROBLEMS, InstallerView
from server.locks.domain.service import give_service, news_for
from server.locks.models import Lock
from server.passages.domain.intake import Courier, take_in
from server.problems import Problem

MAX_BATCHES = 16
_LONGEST_KEY = 33


class AtLock(serializers.Serializer[Any]):
    """Which lock, and which binding it says it has when that is another than the server's."""

    lock = Base64UrlField(least=LOCK_ID_LENGTH, most=LOCK_ID_LENGTH)
    binding = Base64UrlField(
        least=BINDING_LENGTH,
        most=BINDING_LENGTH,
        required=False,
        help_text="when the lock was moved or taken down meanwhile and has not heard of it",
    )


class ServiceRequest(AtLock):
    """And the key that the phone made for this work."""

    key_type = serializers.IntegerField(min_value=1, max_value=255)
    public_key = Base64UrlField(most=_LONGEST_KEY)


class ServiceResponse(serializers.Serializer[Any]):
    """A right for an hour; opening belongs to it only while there is work at the door."""

    token = Base64UrlField(most=token.MAX_SIZE)
    may_open = serializers.BooleanField()
    expires = serializers.DateTimeField()
    binding = Base64UrlField(most=BINDING_LENGTH)
    lock_record = Base64UrlField(most=lockrecord.MAX_SIZE)
    bulletin = Base64UrlField(most=bulletin.MAX_SIZE)
    before = Base64UrlField(
        most=BINDING_LENGTH,
        allow_null=True,
        help_text="the binding a lock has that has not heard of its move",
    )


class ServiceView(InstallerView):
    """A right to serve a lock."""

    @extend_schema(
        operation_id="service",
        parameters=[INSTALLER_HEADER],
        request=ServiceRequest,
        responses={200: ServiceResponse, **PROBLEMS},
        auth=[],
    )
    def post(self, request: Request) -> Response:
        """Give a service right at a lock; each call gives a new one, and each is in the audit trail."""
        body = self.valid(ServiceRequest, request)
        lock = _lock(body["lock"])
        try:
            holder = holder_key(body["key_type"], body["public_key"])
        except ProtocolError as error:
            raise Problem("key_invalid") from error
        given = give_service(
            lock=lock,
            holder=holder,
            installer=self.installer,
            at=timezone.now(),
            binding_id=body.get("binding"),
        )
        return Response(
            {
                "token": encode_bytes(given.token),
                "may_open": bool(given.scope & token.Scope.OPEN),
                "expires": given.expires,
                "binding": encode_bytes(given.binding),
                "lock_record": encode_bytes(given.lock_record),
                "bulletin": encode_bytes(given.bulletin),
                "before": None if given.before is None else encode_bytes(given.before),
            }
        )


class InstallerLogsRequest(AtLock):
    """And sealed batches as it gave them."""

    batches = serializers.ListField(child=Base64UrlField(most=seal.MAX_LOG), max_length=MAX_BATCHES)


class InstallerLogsResponse(serializers.Serializer[Any]):
    """What became of each batch, and the lock's news with the receipt."""

    statuses = serializers.ListField(child=serializers.CharField())
    bulletin = Base64UrlField(most=bulletin.MAX_SIZE)


class InstallerLogsView(InstallerView):
    """Log that an installer's phone carried home."""

    @extend_schema(
        operation_id="installer_logs",
        parameters=[INSTALLER_HEADER],
        request=InstallerLogsRequest,
        responses={200: InstallerLogsResponse, **PROBLEMS},
        auth=[],
    )
    def post(self, request: Request) -> Response:
        """Take log in; the answer brings the bulletin with its receipt."""
        body = self.valid(InstallerLogsRequest, request)
        lock = _lock(body["lock"])
        courier = Courier(lock.municipality, None)
        results = take_in(documents=body["batches"], courier=courier, at=timezone.now())
        news = news_for(lock=lock, binding_id=body.get("binding"), at=timezone.now())
        return Response({"statuses": [one.status for one in results], "bulletin": encode_bytes(news)})


def _lock(lock_id: bytes) -> Lock:
    lock: Lock | None = Lock.objects.select_related("municipality").filter(lock_id=lock_id).first()
    if lock is None:
        raise Problem("lock_unknown")
    return lock

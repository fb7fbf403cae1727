"""POST /api/v1/logs."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from protocol import seal
from server.config.rest.errors import ProblemSerializer
from server.config.rest.fields import Base64UrlField
from server.passages.domain.intake import take_in
from server.people.api.callers import Device, DeviceView
from server.people.queries import note_contact

MAX_BATCHES = 64
MAX_DOCUMENT = seal.MAX_LOG


class LogsThrottle(SimpleRateThrottle):
    """A phone that hands in without end is broken or hostile; a whole shift's logs are a few calls."""

    scope = "logs"
    rate = "120/min"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        """Count per phone."""
        if not isinstance(request.user, Device):
            return None
        return self.cache_format % {"scope": self.scope, "ident": request.user.phone.pk}


class LogsRequest(serializers.Serializer[Any]):
    """Sealed batches as the locks gave them."""

    batches = serializers.ListField(child=Base64UrlField(most=MAX_DOCUMENT), max_length=MAX_BATCHES)


class LogResult(serializers.Serializer[Any]):
    """What became of one batch."""

    status = serializers.ChoiceField(choices=["stored", "known", "held", "rejected"])
    code = serializers.CharField(help_text="why, when there is something to say")
    new_passages = serializers.IntegerField()


class LogsResponse(serializers.Serializer[Any]):
    """One result per batch, in the same order."""

    results = LogResult(many=True)


class LogsView(DeviceView):
    """Take in what a phone carried home; no signing in, for logs must get home whoever holds the phone."""

    throttle_classes = (LogsThrottle,)
    max_body = MAX_BATCHES * (MAX_DOCUMENT * 4 // 3 + 8) + 1024

    @extend_schema(
        operation_id="logs",
        request=LogsRequest,
        responses={200: LogsResponse, **dict.fromkeys((400, 401, 403, 413, 415, 429), ProblemSerializer)},
    )
    def post(self, request: Request) -> Response:
        """Hand in sealed batches, in any order; twice is harmless."""
        body = self.valid(LogsRequest, request)
        at = timezone.now()
        results = take_in(documents=body["batches"], courier=self.phone, at=at)
        note_contact(self.phone, at=at, last_logs_at=at)
        return Response(
            {
                "results": [
                    {"status": one.status, "code": one.code, "new_passages": one.new_passages}
                    for one in results
                ]
            }
        )

"""POST /api/v1/enrol."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from protocol import manifest
from server.config.rest.errors import ProblemSerializer
from server.config.rest.fields import Base64UrlField, VersionField, encode_bytes
from server.config.rest.views import ApiView
from server.people.api.callers import phone_of
from server.people.domain.enrolment import MAX_CODE_LENGTH, Enrolment, enrol
from server.tenancy.domain.keyring import current_manifest, root_set


class EnrolThrottle(SimpleRateThrottle):
    """Guessing codes is slowed per address; a depot enrolling its staff is not."""

    scope = "enrol"
    rate = "30/min"

    def get_cache_key(self, request: Request, view: APIView) -> str:
        """Count per network address."""
        return self.cache_format % {"scope": self.scope, "ident": self.get_ident(request)}


class EnrolRequest(serializers.Serializer[Any]):
    """A one-time code and the key pair's public half, made on the phone."""

    code = serializers.CharField(max_length=MAX_CODE_LENGTH)
    bearer_key = Base64UrlField(least=32, most=33)
    key_type = serializers.IntegerField(min_value=1, max_value=255)
    app_version = VersionField()
    phone_model = serializers.CharField(max_length=80, allow_blank=True)


class EnrolResponse(serializers.Serializer[Any]):
    """Who the phone is now, and the roots it must trust."""

    device_token = serializers.CharField()
    phone_id = serializers.IntegerField()
    bearer_id = serializers.IntegerField()
    staff_name = serializers.CharField()
    username = serializers.CharField(help_text="for signing in; empty when the person has no account")
    provider_name = serializers.CharField()
    municipality_name = serializers.CharField()
    roots = serializers.ListField(child=Base64UrlField(most=32))
    root_threshold = serializers.IntegerField()
    manifest = Base64UrlField(most=manifest.MAX_SIZE)


class EnrolView(ApiView):
    """Turn a phone into a bearer."""

    throttle_classes = (EnrolThrottle,)

    @extend_schema(
        operation_id="enrol",
        request=EnrolRequest,
        responses={
            200: EnrolResponse,
            **dict.fromkeys((400, 404, 409, 410, 413, 415, 426, 429, 503), ProblemSerializer),
        },
        auth=[],
    )
    def post(self, request: Request) -> Response:
        """Use up a one-time code; a pool phone that is enrolled already sends its device token along."""
        body = self.valid(EnrolRequest, request)
        known_phone, known_token = phone_of(request)
        done = enrol(
            code=body["code"],
            key_type=body["key_type"],
            public_key=body["bearer_key"],
            at=timezone.now(),
            phone_model=body["phone_model"],
            app_version=body["app_version"],
            known_phone=known_phone,
            known_token=known_token,
        )
        return Response(_as_dict(done))


def _as_dict(done: Enrolment) -> dict[str, Any]:
    bearer, municipality = done.bearer, done.bearer.municipality
    roots = root_set(municipality)
    _manifest, document = current_manifest(municipality)
    staff = bearer.staff
    return {
        "device_token": done.device_token,
        "phone_id": bearer.phone_id,
        "bearer_id": bearer.pk,
        "staff_name": staff.name,
        "username": staff.user.get_username() if staff.user else "",
        "provider_name": staff.provider.name,
        "municipality_name": municipality.name,
        "roots": [encode_bytes(key) for key in roots.keys],
        "root_threshold": roots.threshold,
        "manifest": encode_bytes(document),
    }

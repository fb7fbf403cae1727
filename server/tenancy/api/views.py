"""GET /api/v1/info."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from server.config.rest.errors import ProblemSerializer
from server.config.rest.views import ApiView, now_seconds
from server.locks.key_types import key_types_taken
from server.problems import Problem
from server.tenancy.domain.keyring import root_set
from server.tenancy.models import Municipality
from server.tenancy.policy import policy_of

API = "v1"


class MunicipalitySerializer(serializers.Serializer[Any]):
    """Whose server this is."""

    name = serializers.CharField()
    slug = serializers.CharField()


class InfoResponse(serializers.Serializer[Any]):
    """What a phone must know before it enrols."""

    municipality = MunicipalitySerializer()
    api = serializers.CharField()
    minimum_app_version = serializers.CharField()
    server_time = serializers.IntegerField()
    root_fingerprint = serializers.CharField(help_text="hexadecimal; compared by eye at enrolment")
    key_types = serializers.ListField(
        child=serializers.IntegerField(),
        help_text="1 = X25519; 2 = P-256 in the phone's hardware, when every lock in use knows such keys",
    )


class InfoView(ApiView):
    """Open to everybody: nothing here is secret."""

    @extend_schema(
        operation_id="info",
        parameters=[
            OpenApiParameter("municipality", str, description="short name, where a server has several"),
            OpenApiParameter(
                "root", str, description="the same, by the root fingerprint of an enrolment link"
            ),
        ],
        responses={200: InfoResponse, 404: ProblemSerializer},
        auth=[],
    )
    def get(self, request: Request) -> Response:
        """Tell municipality, API version, oldest app allowed, time and root fingerprint."""
        named, root = (request.query_params.get(name, "") for name in ("municipality", "root"))
        municipality = _with_root(root) or _municipality(named)
        return Response(
            {
                "municipality": {"name": municipality.name, "slug": municipality.slug},
                "api": API,
                "minimum_app_version": policy_of(municipality).minimum_app_version,
                "server_time": now_seconds(),
                "root_fingerprint": root_set(municipality).fingerprint.hex()
                if municipality.root_public_keys
                else "",
                "key_types": key_types_taken(municipality.pk),
            }
        )


def _with_root(fingerprint: str) -> Municipality | None:
    """Return the municipality whose roots have this fingerprint; a phone compares the answer itself."""
    if not fingerprint:
        return None
    founded = [one for one in Municipality.objects.order_by("pk") if one.root_public_keys]
    return next((one for one in founded if root_set(one).fingerprint.hex() == fingerprint), None)


def _municipality(slug: str) -> Municipality:
    """Return the municipality named, or the server's first one."""
    known = Municipality.objects.order_by("pk")
    found = (known.filter(slug=slug[:50].replace("\0", "")) if slug else known).first()
    if found is None:
        raise Problem("municipality_unknown")
    return found

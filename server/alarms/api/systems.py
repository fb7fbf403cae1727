"""Alarms as an alarm system raises, follows and ends them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import extend_schema
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from server.alarms.api.serializers import AlarmStatus, EndRequest, RaiseRequest, status_of
from server.alarms.domain.ending import end
from server.alarms.domain.raising import raise_alarm
from server.alarms.models import Alarm, AlarmSystem
from server.alarms.queries import alarm_of_system, system_with
from server.config.rest.errors import ProblemSerializer
from server.config.rest.views import ApiView
from server.people.api.callers import bearing
from server.problems import Problem

SCHEME = "AlarmSystem"
USE_NOTED_EVERY = timedelta(minutes=1)
PROBLEMS = dict.fromkeys((400, 401, 404, 413, 415, 429), ProblemSerializer)


@dataclass(frozen=True)
class Caller:
    """An alarm system as DRF's request.user."""

    system: AlarmSystem
    is_authenticated: bool = field(default=True, init=False)


class SystemAuthentication(BaseAuthentication):
    """`Authorization: AlarmSystem <token>`."""

    def authenticate(self, request: Request) -> tuple[Any, None]:
        """Return the system; raises `Problem` system_unknown, for a revoked one as well."""
        token = bearing(request, SCHEME)
        system = system_with(token) if token else None
        if system is None or system.revoked_at is not None:
            raise Problem("system_unknown")
        return Caller(system), None

    def authenticate_header(self, _request: Request) -> str:
        """Name the scheme."""
        return SCHEME


class SystemScheme(OpenApiAuthenticationExtension):
    """How the schema tells of alarm systems' tokens."""

    target_class = SystemAuthentication
    name = "alarmSystem"

    def get_security_definition(self, _auto_schema: Any) -> dict[str, Any]:
        """Return the OpenAPI security scheme."""
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "AlarmSystem followed by a space and the token made in the administration",
        }


class SystemThrottle(SimpleRateThrottle):
    """A system gone astray must not raise alarms without end."""

    scope = "alarms"
    rate = "300/min"

    def get_cache_key(self, request: Request, view: APIView) -> str:
        """Count per system."""
        caller = getattr(request.user, "system", None)
        return self.cache_format % {"scope": self.scope, "ident": caller.pk if caller else "nobody"}


class SystemView(ApiView):
    """A view for alarm systems, in their municipality's scope."""

    authentication_classes = (SystemAuthentication,)
    throttle_classes = (SystemThrottle,)
    system: AlarmSystem

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Take the system from the authentication and enter its scope."""
        super().initial(request, *args, **kwargs)
        self.system = request.user.system  # type: ignore[union-attr]
        self.enter_scope(self.system.municipality_id)
        now = timezone.now()
        last = self.system.last_used_at
        if last is None or last < now - USE_NOTED_EVERY:
            AlarmSystem.objects.filter(pk=self.system.pk).update(last_used_at=now)

    def own(self, alarm_id: int) -> Alarm:
        """Return an alarm that this system has called about; raises `Problem` not_found."""
        alarm = alarm_of_system(self.system, alarm_id)
        if alarm is None:
            raise Problem("not_found")
        return alarm


class AlarmsView(SystemView):
    """Raise alarms."""

    @extend_schema(
        operation_id="raise_alarm",
        request=RaiseRequest,
        responses={200: AlarmStatus, 201: AlarmStatus, 409: ProblemSerializer, **PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        """Raise an alarm (201), or hear how the one stands that this call is about already (200)."""
        body = self.valid(RaiseRequest, request)
        raised = raise_alarm(
            alarm_code=body["alarm_code"],
            at=timezone.now(),
            system=self.system,
            external_id=body["external_id"],
            raised_at=body.get("raised_at"),
        )
        return Response(status_of(raised.alarm), status=201 if raised.is_new else 200)


class AlarmView(SystemView):
    """Follow an alarm."""

    @extend_schema(operation_id="alarm_status", responses={200: AlarmStatus, **PROBLEMS})
    def get(self, _request: Request, alarm_id: int) -> Response:
        """Say how an alarm stands."""
        return Response(status_of(self.own(alarm_id)))


class EndView(SystemView):
    """End an alarm."""

    @extend_schema(operation_id="end_alarm", request=EndRequest, responses={200: AlarmStatus, **PROBLEMS})
    def post(self, request: Request, alarm_id: int) -> Response:
        """End an alarm and the right with it; one that has ended stays as it was."""
        body = self.valid(EndRequest, request)
        alarm = end(alarm_id=self.own(alarm_id).pk, why=body["why"], at=timezone.now(), system=self.system)
        return Response(status_of(alarm))

"""POST /api/v1/sync."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.gzip import gzip_page
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from server.access.api.serializers import (
    LookRequest,
    LookResponse,
    RevokedRequest,
    RevokedResponse,
    SyncRequest,
    SyncResponse,
)
from server.access.domain import cursor as cursors
from server.access.domain.sync import Answer, look, sync, taken_back
from server.care.models import Shift
from server.config.rest.errors import ProblemSerializer
from server.config.rest.fields import encode_bytes
from server.people.api.callers import BearerView, DeviceView, keep_signed_in
from server.people.models import Bearer
from server.people.queries import bearer_by_id, note_contact
from server.problems import Problem
from server.tenancy.domain.versions import refuse_old_app
from server.tenancy.models import ROUTINE_LENGTH
from server.tenancy.policy import policy_of

SESSION_HEADER = OpenApiParameter(
    "X-Session-Token", str, OpenApiParameter.HEADER, required=True, description="allauth app session"
)
PROBLEMS = dict.fromkeys((400, 401, 403, 413, 415, 426, 503), ProblemSerializer)


@method_decorator(gzip_page, name="dispatch")
class SyncView(BearerView):
    """Hand out what a signed-in person's phone must hold."""

    max_body = cursors.MAX_LENGTH + 4096

    @extend_schema(
        operation_id="sync",
        parameters=[SESSION_HEADER],
        request=SyncRequest,
        responses={200: SyncResponse, **PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        """Fetch shift, visits, doors, rights and bulletins: only what changed since the cursor."""
        body = self.valid(SyncRequest, request)
        refuse_old_app(self.bearer.municipality, body["app_version"])
        at = timezone.now()
        known = cursors.decode(body["cursor"], self.bearer.pk)
        answer = sync(bearer=self.bearer, known=known, at=at)
        note_contact(self.phone, at=at, last_sync_at=at)
        _stay(self, answer.shift, at)
        return Response(_as_dict(self.bearer, answer, at))


class LookView(BearerView):
    """Say whether a sync would bring anything."""

    @extend_schema(
        operation_id="look",
        parameters=[SESSION_HEADER],
        request=LookRequest,
        responses={200: LookResponse, **PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        """Compare the phone's cursor, by its mark, with what it must hold now: no is the usual answer."""
        body = self.valid(LookRequest, request)
        refuse_old_app(self.bearer.municipality, body["app_version"])
        at = timezone.now()
        current, shift = look(bearer=self.bearer, mark=body["mark"], at=at)
        _stay(self, shift, at)
        if current:
            note_contact(self.phone, at=at, last_sync_at=at)
        return Response({"server_time": _seconds(at), "news": not current})


class RevokedView(DeviceView):
    """Say which rights have been taken back, also when the person's session has ended."""

    max_body = cursors.MAX_LENGTH + 4096

    @extend_schema(
        operation_id="revoked",
        request=RevokedRequest,
        responses={200: RevokedResponse, **PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        """Compare the rights a phone holds with those revoked since; nothing new is given here."""
        body = self.valid(RevokedRequest, request)
        at, bearer = timezone.now(), bearer_by_id(self.phone, body["bearer_id"])
        if bearer is None:
            raise Problem("bearer_unknown")
        if bearer.revoked_at is not None:
            raise Problem("bearer_revoked")
        known = cursors.decode(body["cursor"], bearer.pk) if body["cursor"] is not None else None
        gone = taken_back(bearer=bearer, known=known, at=at)
        note_contact(self.phone, at=at)
        return Response({"server_time": _seconds(at), "removed_rights": [encode_bytes(one) for one in gone]})


def _stay(view: BearerView, shift: Shift | None, at: datetime) -> None:
    """Keep a person who is at work signed in until the shift is over."""
    policy = policy_of(view.bearer.municipality)
    if shift is not None and shift.starts_at <= at + policy.shift_lead:
        keep_signed_in(view.session, until=min(shift.ends_at + policy.grace, at + policy.longest_shift))


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _as_dict(bearer: Bearer, answer: Answer, at: datetime) -> dict[str, Any]:
    municipality, shift = bearer.municipality, answer.shift
    return {
        "server_time": _seconds(at),
        "minimum_app_version": policy_of(municipality).minimum_app_version,
        "cursor": answer.cursor.encode(bearer.pk),
        "manifest": encode_bytes(answer.manifest) if answer.manifest else None,
        "shift": {
            "id": shift.pk,
            "team": shift.team.name,
            "starts_at": _seconds(shift.starts_at),
            "ends_at": _seconds(shift.ends_at),
        }
        if shift
        else None,
        "visits": [
            {
                "id": one.visit.pk,
                "starts_at": _seconds(one.visit.starts_at),
                "ends_at": _seconds(one.visit.ends_at),
                "alarm_code": one.visit.client.alarm_code,
                "door_ids": one.door_ids,
            }
            for one in answer.visits
        ],
        "alarms": [
            {
                "id": one.id,
                "alarm_code": one.alarm_code,
                "door_ids": [door.pk for door in one.doors],
                "state": "taken" if one.taken else "offered",
                "raised_at": _seconds(one.raised_at),
                "respond_by": _seconds(one.respond_by),
                "expires": _seconds(one.expires),
            }
            for one in answer.alarms
        ],
        "doors": [
            {**door, "binding": encode_bytes(door["binding"]) if door["binding"] else None}
            for door in answer.doors
        ],
        "removed_doors": answer.removed_doors,
        "rights": [
            {
                "binding": encode_bytes(bytes(right.token.binding.binding_id)),
                "token_id": encode_bytes(bytes(right.token.token_id)),
                "token": encode_bytes(right.document),
                "not_before": _seconds(right.token.not_before),
                "expires": _seconds(right.token.expires),
                "scope": right.token.scope,
                "lock_record": encode_bytes(right.lock_record),
                "bulletin": encode_bytes(right.bulletin),
            }
            for right in answer.rights
        ],
        "removed_rights": [encode_bytes(token_id) for token_id in answer.removed_rights],
        "bulletins": [
            {
                "binding": encode_bytes(bytes(binding.binding_id)),
                "seq": seq,
                "bulletin": encode_bytes(document),
            }
            for binding, seq, document in answer.bulletins
        ],
        "support": {
            "phone": municipality.support_phone,
            "deviation_routine_sv": municipality.deviation_routine_sv[:ROUTINE_LENGTH],
            "deviation_routine_en": municipality.deviation_routine_en[:ROUTINE_LENGTH],
        },
    }

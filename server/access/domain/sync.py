"""Sync: what a phone must hold for its bearer now, as the difference to what it holds already.

Issuing comes first, so that a phone enrolled a moment ago gets its keys at once and a plan changed a
moment ago is in them. A token goes out only together with its binding's newest bulletin and lock record.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from protocol import cbor
from server.access import sync_queries as queries
from server.access.domain.cursor import DOOR_HASH_LENGTH, Cursor
from server.access.domain.issue import issue_for_bearer
from server.access.models import Token
from server.alarms.queries import PhoneAlarm, alarms_on_phone
from server.care.models import Shift, Visit
from server.locks.models import Binding, Bulletin
from server.locks.queries import newest_bulletins
from server.people.models import Bearer
from server.places.models import Door
from server.tenancy.domain.keyring import current_manifest
from server.tenancy.policy import policy_of


@dataclass(frozen=True)
class SyncedRight:
    """A token and everything a phone needs to use it."""

    token: Token
    document: bytes
    lock_record: bytes
    bulletin: bytes


@dataclass(frozen=True)
class SyncedVisit:
    """A visit with the doors on the way, the apartment last."""

    visit: Visit
    door_ids: list[int]


@dataclass
class Answer:
    """The difference; visits, shift and alarms are always whole."""

    cursor: Cursor
    manifest: bytes | None = None
    shift: Shift | None = None
    visits: list[SyncedVisit] = field(default_factory=list)
    alarms: list[PhoneAlarm] = field(default_factory=list)
    doors: list[dict[str, Any]] = field(default_factory=list)
    removed_doors: list[int] = field(default_factory=list)
    rights: list[SyncedRight] = field(default_factory=list)
    removed_rights: list[bytes] = field(default_factory=list)
    bulletins: list[tuple[Binding, int, bytes]] = field(default_factory=list)


def sync(*, bearer: Bearer, known: Cursor, at: datetime) -> Answer:
    """Issue what is due and return what the phone does not have yet; must run in the bearer's scope."""
    issue_for_bearer(bearer=bearer, at=at)
    answer = Answer(cursor=known)
    doors = _plan(bearer, answer, at)
    answer.alarms = alarms_on_phone(bearer)
    doors.update({door.pk: door for alarm in answer.alarms for door in alarm.doors})
    tokens = queries.tokens_to_hold(bearer, at=at)
    newest = newest_bulletins({token.binding_id for token in tokens})
    records = queries.lock_records(newest)
    # Without bulletin or lock record (a binding made by other means than commissioning) there is no right.
    tokens = [token for token in tokens if token.binding_id in newest and token.binding_id in records]
    bindings = {token.binding.door_id: token.binding for token in tokens}
    doors.update({binding.door_id: binding.door for binding in bindings.values()})
    said = {pk: _door(door, bindings.get(pk)) for pk, door in sorted(doors.items())}
    _rights(answer, tokens, newest, records, known)
    _news(answer, tokens, newest, known)
    _doors(answer, said, known)
    answer.removed_rights = queries.names_of_tokens(known.tokens - {token.pk for token in tokens}, at=at)
    manifest, document = current_manifest(bearer.municipality)
    answer.manifest = document if manifest.version > known.manifest_version else None
    answer.cursor = Cursor(
        manifest_version=manifest.version,
        tokens=frozenset(token.pk for token in tokens),
        bulletins={binding: bulletin.seq for binding, bulletin in newest.items() if binding in records},
        doors={pk: _hash(data) for pk, data in said.items()},
    )
    queries.mark_delivered({right.token.pk for right in answer.rights}, at=at)
    return answer


def _plan(bearer: Bearer, answer: Answer, at: datetime) -> dict[int, Door]:
    """Fill in shift and visits; returns the doors they name."""
    policy = policy_of(bearer.municipality)
    answer.shift = queries.shift_to_show(bearer, at=at, grace=policy.grace, horizon=policy.issue_horizon)
    visits = queries.visits_of(answer.shift, at=at) if answer.shift else []
    apartments = {visit.client.door.pk: visit.client.door for visit in visits if visit.client.door}
    ways = queries.ways_to(apartments) if apartments else {}
    for visit in visits:
        apartment = visit.client.door_id
        on_the_way = [door.pk for door in ways.get(apartment, [])] if apartment else []
        answer.visits.append(SyncedVisit(visit, [*on_the_way, *([apartment] if apartment else [])]))
    return apartments | {door.pk: door for way in ways.values() for door in way}


def _door(door: Door, binding: Binding | None) -> dict[str, Any]:
    """Return what is said of a door; binding and lock only where the bearer has a right."""
    return {
        "id": door.pk,
        "kind": door.kind,
        "address": door.address,
        "entrance": door.entrance,
        "floor": door.floor,
        "number": door.number,
        "fallback": {
            "kind": door.fallback_kind,
            "place": door.fallback_place,
            "phone": door.fallback_phone,
            "hours": door.fallback_hours,
        },
        "binding": bytes(binding.binding_id) if binding else None,
        "lock_name": binding.lock.name if binding else "",
    }


def _hash(said: dict[str, Any]) -> bytes:
    return hashlib.sha256(cbor.encode(said)).digest()[:DOOR_HASH_LENGTH]


def _rights(
    answer: Answer,
    tokens: list[Token],
    newest: dict[int, Bulletin],
    records: dict[int, bytes],
    known: Cursor,
) -> None:
    fresh = [token for token in tokens if token.pk not in known.tokens]
    documents = queries.token_documents([token.pk for token in fresh])
    bulletins = queries.bulletin_documents([newest[token.binding_id].pk for token in fresh])
    answer.rights = [
        SyncedRight(token, documents[token.pk], records[token.binding_id], bulletins[token.binding_id])
        for token in fresh
    ]


def _news(answer: Answer, tokens: list[Token], newest: dict[int, Bulletin], known: Cursor) -> None:
    """Fill in newer bulletins for bindings that bring no new right, which would carry its own."""
    brought = {right.token.binding_id for right in answer.rights}
    bindings = {token.binding_id: token.binding for token in tokens if token.binding_id not in brought}
    newer = [pk for pk in bindings if newest[pk].seq > known.bulletins.get(pk, 0)]
    documents = queries.bulletin_documents([newest[pk].pk for pk in newer])
    answer.bulletins = [(bindings[pk], newest[pk].seq, documents[pk]) for pk in newer]


def _doors(answer: Answer, said: dict[int, dict[str, Any]], known: Cursor) -> None:
    answer.doors = [data for pk, data in said.items() if known.doors.get(pk) != _hash(data)]
    answer.removed_doors = sorted(known.doors.keys() - said.keys())

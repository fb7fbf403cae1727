"""Sync: what a phone must hold for its bearer now, as the difference to what it holds already.

Issuing comes first, so that a phone enrolled a moment ago gets its keys at once and a plan changed a
moment ago is in them. A token goes out only together with its binding's newest bulletin and lock record.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from protocol import cbor
from protocol.manifest import Manifest
from server.access import sync_queries as queries
from server.access.domain import cursor as cursors
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
from server.tenancy.models import Municipality
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
class Truth:
    """Everything a phone must hold at one moment."""

    at: datetime
    manifest: Manifest
    manifest_document: bytes
    shift: Shift | None = None
    visits: list[SyncedVisit] = field(default_factory=list)
    alarms: list[PhoneAlarm] = field(default_factory=list)
    doors: dict[int, dict[str, Any]] = field(default_factory=dict)
    """What is said of each door, by its id."""
    tokens: list[Token] = field(default_factory=list)
    newest: dict[int, Bulletin] = field(default_factory=dict)
    """The newest bulletin by binding id."""
    records: dict[int, bytes] = field(default_factory=dict)
    """Lock records by binding id."""

    def cursor(self, bearer: Bearer) -> Cursor:
        """Return what the phone holds once it has all of this."""
        return Cursor(
            manifest_version=self.manifest.version,
            tokens=frozenset(token.pk for token in self.tokens),
            bulletins={key: news.seq for key, news in self.newest.items() if key in self.records},
            doors={pk: _hash(said) for pk, said in self.doors.items()},
            plan=_hash(self._plan(bearer.municipality)),
        )

    def _plan(self, municipality: Municipality) -> list[Any]:
        """What every answer tells whole: a phone that looks for news must notice that it changed."""
        shift = self.shift
        return [
            [shift.pk, shift.team.name, *_span(shift)] if shift else None,
            [
                [one.visit.pk, one.visit.client.alarm_code, *_span(one.visit), one.door_ids]
                for one in self.visits
            ],
            [
                [
                    alarm.id,
                    alarm.alarm_code,
                    alarm.taken,
                    [door.pk for door in alarm.doors],
                    *(
                        int(moment.timestamp())
                        for moment in (alarm.raised_at, alarm.respond_by, alarm.expires)
                    ),
                ]
                for alarm in self.alarms
            ],
            [
                municipality.support_phone,
                municipality.deviation_routine_sv,
                municipality.deviation_routine_en,
            ],
        ]


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
    truth = _truth(bearer, at)
    queries.mark_manifest(bearer, known.manifest_version)
    answer = Answer(cursor=truth.cursor(bearer), shift=truth.shift, visits=truth.visits, alarms=truth.alarms)
    _rights(answer, truth, known)
    _news(answer, truth, known)
    answer.doors = [said for pk, said in truth.doors.items() if known.doors.get(pk) != _hash(said)]
    answer.removed_doors = sorted(known.doors.keys() - truth.doors.keys())
    gone = known.tokens - answer.cursor.tokens
    answer.removed_rights = queries.names_of_tokens(gone, at=at)
    answer.manifest = truth.manifest_document if truth.manifest.version > known.manifest_version else None
    queries.mark_delivered({right.token.pk for right in answer.rights}, at=at)
    return answer


def look(*, bearer: Bearer, mark: bytes, at: datetime) -> tuple[bool, Shift | None]:
    """Issue what is due; return whether a phone whose cursor has this mark lacks nothing, and its shift.

    Must run in the bearer's scope. It costs the server what a sync costs, but neither side a cursor nor an
    answer: most looks for news find none.
    """
    truth = _truth(bearer, at)
    lacks_nothing = hmac.compare_digest(cursors.mark(truth.cursor(bearer).encode(bearer.pk)), mark)
    if lacks_nothing:
        queries.mark_manifest(bearer, truth.manifest.version)
    return lacks_nothing, truth.shift


def taken_back(*, bearer: Bearer, known: Cursor | None, at: datetime) -> list[bytes]:
    """Return which of the rights that a phone holds have been revoked; must run in the bearer's scope.

    `known`: what it holds, None when it cannot say; then everything revoked is named.

    For a phone whose person is not signed in any more: it can be given nothing, but what was taken back must
    not stay on it for that. Rights that were only replaced stay, since the new ones cannot be fetched.
    """
    return queries.names_of_revoked(known.tokens if known else None, bearer=bearer, at=at)


def _truth(bearer: Bearer, at: datetime) -> Truth:
    issue_for_bearer(bearer=bearer, at=at)
    manifest, document = current_manifest(bearer.municipality)
    truth = Truth(at, manifest, document)
    doors = _plan(bearer, truth)
    truth.alarms = alarms_on_phone(bearer)
    doors.update({door.pk: door for alarm in truth.alarms for door in alarm.doors})
    tokens = queries.tokens_to_hold(bearer, at=at)
    truth.newest = newest = newest_bulletins({token.binding_id for token in tokens})
    truth.records = records = queries.lock_records(newest)
    # Without bulletin or lock record (a binding made by other means than commissioning) there is no right.
    truth.tokens = [token for token in tokens if token.binding_id in newest and token.binding_id in records]
    bindings = {token.binding.door_id: token.binding for token in truth.tokens}
    doors.update({binding.door_id: binding.door for binding in bindings.values()})
    truth.doors = {pk: _door(door, bindings.get(pk)) for pk, door in sorted(doors.items())}
    return truth


def _plan(bearer: Bearer, truth: Truth) -> dict[int, Door]:
    """Fill in shift and visits; returns the doors they name."""
    policy, at = policy_of(bearer.municipality), truth.at
    truth.shift = queries.shift_to_show(bearer, at=at, grace=policy.grace, horizon=policy.issue_horizon)
    visits = queries.visits_of(truth.shift, at=at) if truth.shift else []
    apartments = {visit.client.door.pk: visit.client.door for visit in visits if visit.client.door}
    ways = queries.ways_to(apartments) if apartments else {}
    for visit in visits:
        apartment = visit.client.door_id
        on_the_way = [door.pk for door in ways.get(apartment, [])] if apartment else []
        truth.visits.append(SyncedVisit(visit, [*on_the_way, *([apartment] if apartment else [])]))
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


def _hash(said: Any) -> bytes:
    return hashlib.sha256(cbor.encode(said)).digest()[:DOOR_HASH_LENGTH]


def _span(planned: Shift | Visit) -> tuple[int, int]:
    return int(planned.starts_at.timestamp()), int(planned.ends_at.timestamp())


def _rights(answer: Answer, truth: Truth, known: Cursor) -> None:
    fresh = [token for token in truth.tokens if token.pk not in known.tokens]
    documents = queries.token_documents([token.pk for token in fresh])
    bulletins = queries.bulletin_documents([truth.newest[token.binding_id].pk for token in fresh])
    answer.rights = [
        SyncedRight(token, documents[token.pk], truth.records[token.binding_id], bulletins[token.binding_id])
        for token in fresh
    ]


def _news(answer: Answer, truth: Truth, known: Cursor) -> None:
    """Fill in newer bulletins for bindings that bring no new right, which would carry its own."""
    brought = {right.token.binding_id for right in answer.rights}
    bindings = {token.binding_id: token.binding for token in truth.tokens if token.binding_id not in brought}
    newer = [pk for pk in bindings if truth.newest[pk].seq > known.bulletins.get(pk, 0)]
    documents = queries.bulletin_documents([truth.newest[pk].pk for pk in newer])
    answer.bulletins = [(bindings[pk], truth.newest[pk].seq, documents[pk]) for pk in newer]

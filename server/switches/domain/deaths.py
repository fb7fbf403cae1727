"""When the old provider's last right at each door died, and by what.

Read from keys, bulletins and bindings; the truth, not the wish: a key is dead when it has ended by itself,
when the lock is known to hold a bulletin that refuses it, or when the lock no longer sits on the door. A
revocation that no lock has heard of kills nothing, nor does a move that the lock has not confirmed. "When" is
the latest it can have been: the server learns that a lock knows only when a phone brings its log home.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from protocol import bulletin as wire
from server.access.models import Token
from server.locks.models import Bulletin
from server.switches import proof_queries, queries
from server.switches.models import ProviderSwitch, SwitchedDoor
from server.tenancy.scoping import whole_municipality

Cause = SwitchedDoor.Cause


@dataclass(frozen=True)
class Death:
    """How it stands with the old provider's rights at one door."""

    cause: str
    at: datetime | None = None
    """When the last one died; None while one lives, or where there never was one."""
    bulletin_seq: int | None = None
    alive: int = 0
    """Keys that would still open."""
    alive_until: datetime | None = None
    kept_for: tuple[str, ...] = ()
    """Alarm codes of other clients, in the old provider's care, that the door leads to."""
    standing: bool = False
    """Whether the old provider keeps it by a standing right."""
    clock_lost: bool = False
    """Whether the key has ended, but the lock does not know the time and cannot know that."""

    @property
    def is_final(self) -> bool:
        """Whether nothing can change any more."""
        return self.cause not in (Cause.KEPT, Cause.ALIVE)


@dataclass
class _Found:
    """What is known of one binding's keys."""

    last: tuple[datetime, str, int | None] | None = None
    """The latest death so far: when, cause, bulletin."""
    alive: int = 0
    alive_until: datetime | None = None
    lost: bool = False
    """Whether the lock does not know the time."""
    told: datetime | None = None
    """The time of the newest bulletin that the lock is known to have: it believes no earlier one."""

    @property
    def is_ended_in_doubt(self) -> bool:
        """Whether the last key ended by itself and the lock, that lost the time, may not know it."""
        if self.last is None or not self.lost or self.last[1] != Cause.EXPIRED:
            return False
        return self.told is None or self.told < self.last[0]

    def dies(self, at: datetime, cause: str, seq: int | None = None) -> None:
        """Note one key's death."""
        if self.last is None or at > self.last[0]:
            self.last = (at, cause, seq)

    def lives(self, until: datetime) -> None:
        """Note a key that still opens."""
        self.alive += 1
        self.alive_until = max(self.alive_until or until, until)


@whole_municipality()
def deaths(switch: ProviderSwitch, doors: Collection[SwitchedDoor], *, at: datetime) -> dict[int, Death]:
    """Return how it stands at each of these doors as of `at`, by their id; constant queries."""
    open_doors = [door for door in doors if not door.cause]
    kept = _kept(switch, open_doors, at=at)
    found = _look(switch, open_doors, at=at)
    return {door.pk: _death(door, found, kept) for door in doors}


def _death(door: SwitchedDoor, found: Mapping[int, _Found], kept: Mapping[int, list[str]]) -> Death:
    if door.cause:
        return Death(door.cause, door.died_at, door.bulletin_seq)
    if door.binding_id is None:
        return Death(Cause.NO_LOCK)
    known = found[door.binding_id]
    if door.door_id in kept:
        codes = tuple(code for code in kept[door.door_id] if code)
        standing = "" in kept[door.door_id]
        return Death(Cause.KEPT, None, None, known.alive, known.alive_until, codes, standing)
    if known.alive:
        return Death(Cause.ALIVE, alive=known.alive, alive_until=known.alive_until)
    return _dead(known)


def _dead(known: _Found) -> Death:
    if known.last is None:
        return Death(Cause.NEVER)
    if known.is_ended_in_doubt:
        return Death(Cause.ALIVE, alive=1, clock_lost=True)
    at, cause, seq = known.last
    return Death(cause, at, seq)


def _kept(switch: ProviderSwitch, doors: Collection[SwitchedDoor], *, at: datetime) -> dict[int, list[str]]:
    """Return doors that the old provider keeps, with other clients' alarm codes; "" for a standing right."""
    moment = max(at, switch.at)
    ids = {door.door_id for door in doors}
    kept = {
        door: list(codes)
        for door, codes in queries.kept_by_care(ids, switch.from_provider_id, at=moment).items()
    }
    everywhere, areas = queries.standing_areas(switch.from_provider_id, at=moment)
    for row in doors:
        if everywhere or row.door.property.area in areas:
            kept.setdefault(row.door_id, []).append("")
    return kept


def _look(switch: ProviderSwitch, doors: Iterable[SwitchedDoor], *, at: datetime) -> dict[int, _Found]:
    bindings = {door.binding_id for door in doors if door.binding_id is not None}
    found: dict[int, _Found] = {binding: _Found() for binding in bindings}
    before = proof_queries.last_expiry(bindings, switch.from_provider_id, until=switch.at)
    for binding, last in before.items():
        if last > at:  # the instant is still to come
            found[binding].lives(last)
        else:
            found[binding].dies(last, Cause.EXPIRED)
    beyond = queries.tokens_at(bindings, expires_after=switch.at).filter(provider=switch.from_provider_id)
    tokens = list(beyond)
    news = _News(tokens)
    left = proof_queries.locks_left(bindings)
    for binding, told in proof_queries.clocks_lost(bindings).items():
        found[binding].lost, found[binding].told = True, told
    for token in tokens:
        known = news.kills(token)
        ended = left.get(token.binding_id)
        ends: list[tuple[datetime, str, int | None]] = [(token.expires, Cause.EXPIRED, None)]
        if known is not None and known.known_at is not None:
            ends.append((known.known_at, Cause.LOCK_KNOWS, known.seq))
        if ended is not None:
            ends.append((ended, Cause.MOVED, None))
        first = min(ends, key=lambda one: one[0])
        if first[0] <= at:
            found[token.binding_id].dies(*first)
        else:
            found[token.binding_id].lives(token.expires)
    return found


@dataclass
class _News:
    """Which bulletin first told each lock of its revoked keys."""

    tokens: list[Token]
    bodies: dict[int, wire.Bulletin] = field(default_factory=dict)
    candidates: dict[int, list[Bulletin]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Look at two bulletins a lock: the first after its last revocation, and the newest it has."""
        revoked: dict[int, list[datetime]] = defaultdict(list)
        for token in self.tokens:
            if token.revoked_at is not None:
                revoked[token.binding_id].append(token.revoked_at)
        if not revoked:
            return
        since = min(min(moments) for moments in revoked.values())
        known = proof_queries.known_bulletins(revoked, since=since)
        for binding, moments in revoked.items():
            later = [row for row in known.get(binding, []) if row.created_at >= max(moments)]
            self.candidates[binding] = [*later[:1], *known.get(binding, [])[-1:]]
        wanted = {row.pk for rows in self.candidates.values() for row in rows}
        for pk, document in proof_queries.bulletin_documents(wanted).items():
            self.bodies[pk] = wire.parse(document).body

    def kills(self, token: Token) -> Bulletin | None:
        """Return the oldest of the looked-at bulletins that makes the lock refuse the token."""
        if token.revoked_at is None:
            return None
        for row in self.candidates.get(token.binding_id, []):
            body = self.bodies[row.pk]
            issued = int(token.issued_at.timestamp())
            if body.revokes(bytes(token.token_id)) or body.ends(token.grp, issued):
                return row
        return None


@whole_municipality()
def settle(switch: ProviderSwitch, *, at: datetime) -> None:
    """Keep for good what is proved: doors where the old provider's last right has died."""
    doors = list(queries.doors_of_switch(switch).filter(cause=""))
    found = deaths(switch, doors, at=at)
    final = []
    for door in doors:
        death = found[door.pk]
        if death.is_final:
            door.cause, door.died_at, door.bulletin_seq = death.cause, death.at, death.bulletin_seq
            final.append(door)
    SwitchedDoor.objects.bulk_update(final, ["cause", "died_at", "bulletin_seq"], batch_size=200)

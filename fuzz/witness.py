"""What a lock may do, kept apart from the lock: whoever watches it from outside and holds the page."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from fuzz.target import FindingError, Tally
from lockagent.bolt import Order
from lockagent.core.events import AppendLog, Drive
from protocol import log
from protocol.entries import Entry, EntryType, Granted
from protocol.installing import CommissionOffer, RetireOffer
from protocol.messages import PhoneMessage
from tests.protocol.independent import carried, door, form, installing, trust
from tests.protocol.vectors import world

ROOTS = (sorted(key.public for key in world.ROOTS), 2)
GRANTED = "granted"
REMEMBERED = 256
MOVES = {1: (Order.UNLOCK, Order.PULSE), 2: (Order.LOCK,)}
"""What each command may make a motor do."""
UNCERTAIN = 1


@dataclass
class Asked:
    """A request that an authenticated phone made."""

    holder: bytes
    fingerprint: bytes
    plaintext: bytes


@dataclass
class Witness:
    """Knows what was signed for this lock, and demands a right behind everything that it does.

    ``time``: what the lock's clock says, and whether it is certain.
    """

    time: Callable[[], tuple[int, bool]]
    bulletin: bytes
    """The first one."""
    manifest: bytes
    tally: Tally
    asked: list[Asked] = field(default_factory=list)
    acting: Granted | None = None
    """Granted on the disk, the motor not yet told."""
    busy_with: int = 0
    """The entry of the grant that is being acted on; 0 when none is."""
    granted: list[tuple[bytes, int, bytes]] = field(default_factory=list)
    openings: dict[bytes, int] = field(default_factory=dict)
    opened: bool = False
    battery: int | None = None
    ajar: bool = False
    retired: bool = False
    locking: bool = False
    """The bolt is on its way out."""
    head: tuple[int, bytes] = (0, b"")

    def __post_init__(self) -> None:
        self._body = _body(self.bulletin)

    def appended(self, effect: AppendLog, ok: bool) -> None:
        """An entry is on the disk (ok): numbered and chained, and a grant only for a right."""
        entry = Entry.decode(effect.record.entry)
        if entry.kind == EntryType.OUTCOME and entry.detail[0] == self.busy_with:
            self.busy_with, self.acting = 0, None
        if not ok:
            return
        seq, digest = self.head
        record = effect.record
        if record.seq != seq + 1 or (digest and record.hash_before != digest):
            raise FindingError(f"entry {record.seq} does not follow entry {seq}")
        self.head = (record.seq, log.link(record.hash_before, record.entry))
        if entry.kind == EntryType.GRANTED:
            self._granted(entry)

    def driven(self, effect: Drive) -> None:
        """The motor is told what was granted and not done yet, or to lock again what was opened."""
        if effect.order is Order.STOP:
            return
        if self.acting is None:
            if effect.order is Order.LOCK and self.opened:
                self.locking = True  # relocking
                return
            if effect.order is Order.UNLOCK and self.ajar and self.locking:
                self.locking = False  # the door was opened before the bolt was out: it is drawn back
                return
            raise FindingError(f"the motor is told to {effect.order.value} without a grant")
        if effect.order not in MOVES[self.acting.command]:
            raise FindingError(
                f"command {self.acting.command} was granted, and the motor is told {effect.order}"
            )
        self.opened = self.opened or self.acting.command == 1
        self.locking = effect.order is Order.LOCK
        self.acting = None

    def verdict(self, one: Asked) -> str:
        """What the page says of a request at this moment; of one in eight, with its CDDL."""
        lock = self._lock(one)
        quick = judged(lock, one.holder, one.plaintext)
        if zlib.crc32(one.plaintext) % 8 == 0:
            self.tally.compared += 1
            said = door.judge(lock, one.holder, one.plaintext)
            if (said == GRANTED) != (quick == GRANTED):
                raise FindingError(f"the page says {said}, the witness says {quick}")
        return quick

    def took(self, data: bytes) -> None:
        """The lock says that it took this bulletin: so it was signed for it, and newer."""
        body, roles = self._read(data)
        if zlib.crc32(data) % 8 == 0:
            self.tally.compared += 1
            lock_id, seq = world.LOCK.lock_id, self._body[3]
            held = carried.Held(world.BINDING, lock_id, seq, self._manifest(), world.LOCK_SEAL)
            said, _ = carried.take(data, held)
            if said != GRANTED:
                raise FindingError(f"a bulletin was taken that the page answers with {said}: {data.hex()}")
        if (body[1], body[2]) != (world.BINDING, world.LOCK.lock_id) or body[3] <= self._body[3]:
            raise FindingError(f"a bulletin was taken that is not for this lock now: {data.hex()}")
        self._body, self.manifest = body, roles

    def ordered(self, said: PhoneMessage) -> None:
        """The lock says that it did what an installer's phone brought: it has left the door of the story."""
        lock_id, verdict = world.LOCK.lock_id, ""
        if isinstance(said, RetireOffer):
            verdict = installing.retired(said.order, lock_id, world.BINDING, self._manifest())
        elif isinstance(said, CommissionOffer):
            held = (self._manifest(), self._body)
            verdict = trust.commission(said.package, lock_id, world.LOCK_SEAL, held)
        if verdict != GRANTED:
            raise FindingError(f"followed, and the page says {verdict}: {said}")
        self.retired = True

    def _read(self, data: bytes) -> tuple[dict[int, Any], bytes]:
        """Return its body and the manifest that holds with it, whose bulletin key must have signed."""
        parts = form.read(data)
        body, kid = form.read(parts[2]), form.read(parts[0])[4]
        roles = body.get(9, self.manifest)
        if _MANIFESTS.get(roles) is None or _MANIFESTS[roles].version < self._manifest().version:
            roles = self.manifest
        try:
            trust.Signed(kid, body, parts).verify(
                _MANIFESTS[roles].key(trust.BULLETIN, kid), trust.aad("bulletin")
            )
        except trust.InvalidError:
            raise FindingError(f"a bulletin was taken that nobody signed: {data.hex()}") from None
        return body, roles

    def _granted(self, entry: Entry) -> None:
        detail = Granted.parse(entry.detail)
        if self.retired:
            raise FindingError("granted by a lock that has forgotten its door")
        key = (detail.phone, detail.command, detail.request_id)
        if key in self.granted[-REMEMBERED:]:
            raise FindingError("one request was granted twice")
        told = [one for one in self.asked if one.fingerprint == detail.phone]
        verdicts = [self.verdict(one) for one in told if detail.request_id in one.plaintext]
        if GRANTED not in verdicts:
            raise FindingError(f"granted, and the page says {verdicts}")
        self.granted.append(key)
        if detail.flags & UNCERTAIN and entry.token_id is not None:
            self.openings[entry.token_id] = self.openings.get(entry.token_id, 0) + 1
        self.acting, self.busy_with = (detail if detail.command in MOVES else None), entry.seq

    def _lock(self, one: Asked) -> door.Lock:
        now, certain = self.time()
        used = [count for token_id, count in self.openings.items() if token_id in one.plaintext]
        return door.Lock(
            binding=world.BINDING,
            manifest=self._manifest(),
            bulletin=self._body,
            now=now,
            certain=certain,
            openings=max(used, default=0),
            busy=self.busy_with != 0,
            known=False,
            battery=self.battery,
        )

    def _manifest(self) -> trust.Manifest:
        return _MANIFESTS[self.manifest]


@cache
def _body(data: bytes) -> dict[int, Any]:
    body: dict[int, Any] = carried.bulletin_form(data).body
    return body


def judged(lock: door.Lock, holder: bytes, plaintext: bytes) -> str:
    """Checks 4 to 15 of section 13 with the form checked by hand: the page's CDDL is exact and slow."""
    try:
        command, request_id, encoded = form.read(plaintext)
        protected, unprotected, payload, signature = form.read(encoded)
        header, claims = form.read(protected), form.read(payload)
        whole = len(encoded) <= 160 and command in (1, 2, 3) and len(request_id) == 8 and unprotected == {}
        times = [claims[label] for label in (4, 5, 6)]
        whole = whole and set(header) == {1, 4} and header[1] == -8 and set(claims) == CLAIMS
        whole = whole and all(type(one) is int and 0 <= one < 1 << 32 for one in times)
        whole = whole and 0 < times[0] - times[1] <= 48 * 3600 and times[2] < times[0]
        whole = whole and 1 <= claims[9] <= 7 and 0 <= claims[-65537] < 1 << 16 and len(claims[7]) == 8
    except (form.MalformedError, TypeError, ValueError, LookupError):
        return "malformed"
    public = lock.manifest.key(trust.TOKEN, header[4])
    if not whole or public is None or claims[3] != lock.binding:
        return "not for this lock"
    try:
        made = trust.Signed(header[4], claims, [protected, unprotected, payload, signature])
        made.verify(public, trust.aad("token", holder))
    except trust.InvalidError:
        return "token_invalid"
    return door._in_time(lock, claims) or door._in_force(lock, claims, command) or GRANTED


CLAIMS = {3, 4, 5, 6, 7, 9, -65537}
_MANIFESTS = {data: trust.manifest(data, ROOTS) for data in (world.MANIFEST_BYTES, world.NEXT_MANIFEST_BYTES)}

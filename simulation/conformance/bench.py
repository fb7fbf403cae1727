"""What a case works with: the lock under test, phone keys, and all that the kit's municipality can sign."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bumble.core import TimeoutError as BumbleTimeoutError
from bumble.device import Device

from protocol import cbor, handshake
from protocol.framing import Kind
from protocol.keys import HolderKey, x25519_public
from protocol.messages import (
    BulletinOffer,
    BulletinResult,
    Carry,
    Command,
    Decision,
    Done,
    FreshTime,
    LogBatch,
    OutcomeCode,
    TimeResult,
)
from protocol.phonekeys import X25519Key
from protocol.reasons import Reason, reason
from protocol.suites import SUITE_1, Suite
from simulation.conformance import wire
from simulation.conformance.forge import Forge, token_forge
from simulation.conformance.municipality import Place, secret
from simulation.conformance.verdict import DeviationError, expect
from simulation.conformance.wire import Line

CONNECT_TRIES = 3
OPENED = {OutcomeCode.MOVED, OutcomeCode.ALREADY}


@dataclass
class PhoneKey:
    """A phone of the kit's."""

    name: str

    @property
    def private(self) -> bytes:
        """Its X25519 private key."""
        return secret(f"phone/{self.name}")

    @property
    def public(self) -> bytes:
        """Its public key."""
        return x25519_public(self.private)


@dataclass
class Bench:
    """One lock under test. ``now``: true time, Unix seconds, which the lock has been told."""

    device: Device
    place: Place
    now: Callable[[], int]
    random: Callable[[int], bytes]
    commission: Callable[[bytes], Awaitable[str]]
    """Hands the lock a package by wire; the slug of its answer."""
    model: bytes = b""
    """What its programs are made for; empty when the kit does not know, or it takes none over the air."""
    anna: PhoneKey = field(default_factory=lambda: PhoneKey("anna"))
    bo: PhoneKey = field(default_factory=lambda: PhoneKey("bo"))
    """Another phone of the same door's."""

    # -- making things --------------------------------------------------------------------------------------

    def forge(self, phone: PhoneKey | None = None, /, **how: int) -> Forge:
        """Return a good token's parts for a phone (anna's when None); ``how`` as in ``token_forge``."""
        return token_forge(
            binding=self.place.binding,
            holder=(phone or self.anna).public,
            key=self.place.issuer.token_key,
            now=self.now(),
            token_id=self.random(8),
            **how,
        )

    def holder(self, phone: PhoneKey) -> HolderKey:
        """The key that a phone's tokens are bound to."""
        return X25519Key(phone.private).holder

    def token(self, **how: int) -> bytes:
        """Return a good token for anna's phone."""
        return bytes(self.forge(**how))

    def request(
        self, token: bytes | None = None, *, command: Command = Command.OPEN, request_id: bytes | None = None
    ) -> bytes:
        """Return a request's plaintext with a fresh id."""
        return cbor.encode([command, request_id or self.random(8), self.token() if token is None else token])

    # -- talking --------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def line(self, suite: Suite = SUITE_1) -> AsyncIterator[Line]:
        """A fresh link of a suite with its m0; hung up afterwards."""
        line = await self._connect(suite)
        try:
            yield line
        finally:
            await line.close()

    async def _connect(self, suite: Suite) -> Line:
        """Connect; a lock whose address changed in between is looked for anew."""
        for _ in range(CONNECT_TRIES - 1):
            address = await wire.find(self.device, self.place.binding, self.place.adv_key)
            try:
                return await wire.connect(self.device, address, suite)
            except BumbleTimeoutError:
                continue
        address = await wire.find(self.device, self.place.binding, self.place.adv_key)
        return await wire.connect(self.device, address, suite)

    def m1(self, line: Line, request: bytes, *, phone: PhoneKey | None = None) -> bytes:
        """Return a good m1 for the line's m0, and give the line its channel."""
        made = handshake.PhoneHandshake(
            key=X25519Key((phone or self.anna).private),
            lock_static=self.place.lock.static_public,
            adv_key=self.place.adv_key,
            binding=self.place.binding,
            ephemeral=self.random(32),
        )
        m1, line.channel = made.answer(line.m0, request)
        return m1

    async def ask(self, line: Line, request: bytes, *, phone: PhoneKey | None = None) -> Decision:
        """Send a good m1 with this request and return m2."""
        await line.send(Kind.M1, self.m1(line, request, phone=phone))
        return await line.decision()

    async def decide(self, request: bytes, *, phone: PhoneKey | None = None) -> Decision:
        """Ask over a link of its own; a granted request is followed to its end."""
        async with self.line() as line:
            decision = await self.ask(line, request, phone=phone)
            if decision.granted:
                await self.finish(line)
            return decision

    async def finish(self, line: Line, *, carry: int = 0) -> list[LogBatch]:
        """Follow a granted request to done; return the sealed log that rode along."""
        await line.tell(Carry(carry))
        outcome = await line.outcome()
        if outcome.code not in OPENED:
            raise DeviationError(f"the bolt did not move: {outcome.code.name.lower()}")
        batches = []
        while not isinstance(said := await line.said(), Done):
            if not isinstance(said, LogBatch):
                raise DeviationError(f"expected log or done, got {type(said).__name__}")
            batches.append(said)
        return batches

    async def offer(self, bulletin: bytes) -> BulletinResult:
        """Hand over a bulletin in a session of its own and return what became of it."""
        async with self.line() as line:
            await self.ask(line, self.request(self.token(scope=2)))
            return await self.offer_on(line, bulletin)

    async def offer_on(self, line: Line, bulletin: bytes) -> BulletinResult:
        """Hand over a bulletin in this session."""
        await line.tell(BulletinOffer(bulletin))
        said = await line.said()
        if not isinstance(said, BulletinResult):
            raise DeviationError(f"expected a bulletin result, got {type(said).__name__}")
        return said

    async def time_on(self, line: Line, statement: bytes) -> Reason | None:
        """Hand over a time statement in this session and return what became of it."""
        await line.tell(FreshTime(statement))
        said = await line.said()
        if not isinstance(said, TimeResult):
            raise DeviationError(f"expected a time result, got {type(said).__name__}")
        return reason(said.reason)

    # -- judging --------------------------------------------------------------------------------------------

    async def refused(self, request: bytes, why: Reason, *, phone: PhoneKey | None = None) -> None:
        """The request must be answered with just this reason."""
        decision = await self.decide(request, phone=phone)
        expect(why, reason(decision.reason), "m2")

    async def granted(self, request: bytes, *, phone: PhoneKey | None = None) -> Decision:
        """The request must be granted and carried out."""
        decision = await self.decide(request, phone=phone)
        expect(Reason.GRANTED, reason(decision.reason), "m2")
        return decision

"""The real lock core at a door of the test world, commissioned by the real server; time goes by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from lockagent.core.memory import Binding as Held
from protocol import identity
from protocol.messages import Command, Request
from protocol.phone import Door as PhoneDoor
from protocol.phone import PhoneSession
from protocol.phonekeys import X25519Key
from protocol.reasons import Reason
from server.access.domain.issue import issue_ahead
from server.access.models import Token
from server.locks.domain.commission import commission_lock, confirm
from server.locks.models import Binding, Bulletin
from tests.lockagent.bench import SECRETS, Attempt, Bench
from tests.lockagent.world import Issuer as NoIssuer
from tests.lockagent.world import Place
from tests.server.issuer import Issuer, real_phone


@dataclass
class RealLock:
    """One lock core on the apartment's door, and Alice's phone in front of it."""

    issuer: Issuer
    bench: Bench
    binding: Binding
    private: bytes
    requests: int = 0

    @property
    def at(self) -> datetime:
        """The true time."""
        return datetime.fromtimestamp(self.bench.wall, UTC)

    @property
    def held(self) -> Held:
        found = self.bench.core.binding
        assert found is not None
        return found

    def now(self) -> int:
        """What the lock takes the time for."""
        return self.bench.core._context.clock.now(self.bench.mono)

    def open(self, *, news: bool = True, carry: int = 4096, seconds: float = 2.0) -> Attempt:
        """Alice syncs, taps and waits; what she carries home stays in her hands."""
        issue_ahead(municipality=self.issuer.municipality, at=self.at)
        tokens = Token.objects.filter(binding=self.binding, not_before__lte=self.at, expires__gte=self.at)
        token = tokens.latest("issued_at")
        newest = Bulletin.objects.filter(binding=self.binding).latest("seq")
        self.requests += 1
        session = PhoneSession(
            door=PhoneDoor(
                bytes(self.binding.binding_id), SECRETS.identity.static_public, self.held.adv_keys[0]
            ),
            key=X25519Key(self.private),
            request=Request(Command.OPEN, self.requests.to_bytes(8, "big"), bytes(token.document)),
            capacity=244,
            random=self.bench.rng.randbytes,
            news=bytes(newest.document) if news else None,
            carry_bytes=carry,
        )
        return Attempt(self.bench, session, self.bench.link_up(244)).run(seconds)


def mount_real(issuer: Issuer, *, at: datetime, crystal: float = 1.0) -> RealLock:
    """Put a real lock on the apartment's door in the place of the one that was there."""
    issuer.world.apartment_binding.delete()
    place = Place(NoIssuer(), SECRETS.identity)  # the bench's own issuer has no say at this lock
    bench = Bench(place, wall=at.timestamp(), crystal=crystal)
    document = identity.sign(SECRETS.identity, SECRETS.log_key)
    binding = commission_lock(door=issuer.world.apartment, identity_document=document, at=at, name="Lås 3")
    assert bench.commission(bytes(binding.commission_document or b"")) is Reason.GRANTED
    confirm(binding=binding, at=at)
    issuer.world.apartment_binding = binding
    private = real_phone(issuer.world.bearer, issuer.device_token)
    return RealLock(issuer, bench, binding, private)

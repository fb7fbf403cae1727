"""An installer's phone on the bench: it talks to a lock in setup by its label, or in a service session."""

from __future__ import annotations

from dataclasses import dataclass, field

from lockagent.core.events import Gesture
from protocol import label, retire
from protocol.errors import ProtocolError
from protocol.installing import CommissionOffer, CommissionResult, Identity, IdentityRequest, RetireOffer
from protocol.label import Label
from protocol.messages import BulletinOffer, Carry, Command, LogBatch, PhoneMessage
from protocol.phonekeys import X25519Key
from protocol.reasons import Reason
from protocol.retire import RetireOrder
from protocol.setup import SetupSession
from protocol.token import Scope
from tests.lockagent.bench import SECRETS, Attempt, Bench, Phone
from tests.lockagent.world import Issuer, Place, Right, secret

LABEL = label.of_lock(SECRETS.identity.lock_id, SECRETS.seal_private)


def blank(issuer: Issuer | None = None) -> Bench:
    return Bench(Place(issuer or Issuer(), SECRETS.identity))


@dataclass
class Setup:
    """One link to a lock in setup."""

    bench: Bench
    label: Label = LABEL
    capacity: int = 244
    said: list[object] = field(default_factory=list)
    error: ProtocolError | None = None

    def __post_init__(self) -> None:
        self.session = SetupSession(
            self.label, X25519Key(secret("installer")), self.capacity, self.bench.rng.randbytes
        )
        self.link = self.bench.link_up(self.capacity)
        self.exchange()

    def exchange(self) -> None:
        while self.bench.inbox[self.link] and self.error is None:
            try:
                step = self.session.receive(self.bench.inbox[self.link].pop(0))
            except ProtocolError as error:
                self.error = error
                return
            self.said += step.said
            for frame in step.send:
                self.bench.write(self.link, frame)

    def ask(self, message: PhoneMessage) -> object:
        """Return the lock's answer; None when it says nothing."""
        before = len(self.said)
        for frame in self.session.serve(message):
            self.bench.write(self.link, frame)
        self.exchange()
        return self.said[before] if len(self.said) > before else None

    def commission(self, package: bytes) -> Reason:
        result = self.ask(CommissionOffer(package))
        assert isinstance(result, CommissionResult)
        return Reason(result.reason)

    @property
    def over(self) -> bool:
        return self.link in self.bench.ended


def gesture(bench: Bench) -> None:
    bench.feed(Gesture())


def set_up(bench: Bench, **how: int) -> Setup:
    """A lock whose button was held, and a phone that knows its label."""
    gesture(bench)
    return Setup(bench, **how)  # type: ignore[arg-type]


@dataclass
class Service:
    """A service session at a lock with a door."""

    bench: Bench
    phone: Phone = field(default_factory=lambda: Phone("ivar"))
    carry: int = 4096
    held: Right | None = None
    request_id: bytes | None = None

    def __post_init__(self) -> None:
        held = self.held or self.phone.right(self.bench, scope=Scope.SERVICE)
        begun = self.phone.attempt(
            self.bench, held, Command.SERVICE, carry=self.carry, request_id=self.request_id
        )
        self.attempt: Attempt = begun.run()

    def ask(self, message: PhoneMessage) -> list[object]:
        before = len(self.attempt.said)
        for frame in self.attempt.session.serve(message):
            self.bench.write(self.attempt.link, frame)
        self.attempt.run()
        return self.attempt.said[before:]

    def identity(self) -> Identity:
        (said,) = self.ask(IdentityRequest())
        assert isinstance(said, Identity)
        return said

    def result(self, message: PhoneMessage) -> CommissionResult:
        (said,) = self.ask(message)
        assert isinstance(said, CommissionResult)
        return said

    def commission(self, package: bytes) -> Reason:
        return Reason(self.result(CommissionOffer(package)).reason)

    def retire(self, order: bytes | None = None) -> Reason:
        return Reason(self.result(RetireOffer(order or retire_order(self.bench.place))).reason)

    def carried(self) -> list[bytes]:
        """Ask for more log."""
        return [one.sealed for one in self.ask(Carry(4096)) if isinstance(one, LogBatch)]

    def log_home(self) -> None:
        """Carry the log to the server and bring its receipt."""
        place = self.bench.place
        batch = place.opened((self.attempt.batches or self.carried())[-1])
        news = place.bulletin(time=int(self.bench.wall), with_receipt=place.receipt(batch))
        self.ask(BulletinOffer(news))


def retire_order(place: Place, **changes: object) -> bytes:
    values = {"lock_id": place.lock.lock_id, "binding": place.binding, "time": 1_790_000_000}
    return retire.sign(RetireOrder(**(values | changes)), place.issuer.bulletin_key)  # type: ignore[arg-type]

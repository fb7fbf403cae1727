"""A board with two places for programs, on disks whose power can be cut, and an installer with new ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from lockagent.core.events import Effect, FirmwareStep, LinkDown, Restart
from lockagent.firmware.builtin import MODEL
from lockagent.firmware.loader import prepare
from lockagent.firmware.record import Phase, Record, RecordSlots, Slot
from lockagent.firmware.store import FirmwareStore, load
from lockagent.image import TRIAL_SECONDS, FirmwareBoot
from protocol import firmware
from protocol.firmware import FirmwareChunk, FirmwareOffer, FirmwareResult
from protocol.keys import SigningKey
from protocol.manifest import Role, RoleKey
from protocol.messages import Command
from protocol.reasons import Reason
from protocol.token import Scope
from tests.lockagent.bench import SECRETS, Attempt, Bench, Phone
from tests.lockagent.crashdisk import CrashDisk
from tests.lockagent.world import T0, Issuer, Place, secret

KEY = SigningKey.from_seed(b"f1", secret("kommun/firmware"))
Dies = Callable[[bytes], bool]
"""Whether a program, given as its image, fails to come up."""


@dataclass(frozen=True)
class Release:
    """An image and its signed header."""

    image: bytes
    header: bytes

    @property
    def digest(self) -> bytes:
        return firmware.parse(self.header).digest


def release(
    version: int = 2,
    *,
    security: int = 1,
    model: bytes = MODEL,
    size: int = 9000,
    key: SigningKey = KEY,
    name: str = "good",
) -> Release:
    """A release of `size` bytes; nothing but its name tells what it does."""
    unit = f"{name} {version} ".encode()
    image = (unit * (size // len(unit) + 1))[:size]
    header = firmware.describe(image, model=model, version=version, security=security, signed_at=T0)
    return Release(image, firmware.sign(header, key))


@dataclass
class Board(Bench):
    """A lock that is started by the loader. An image whose name begins with `bad` does not come up."""

    images: CrashDisk = field(default_factory=CrashDisk)

    def __post_init__(self) -> None:
        self.slot: Slot | None = Slot.BUILT_IN
        self.restarts = 0
        self.wants_restart = False
        super().__post_init__()

    @property
    def version(self) -> int:
        """What runs."""
        return self.programs.boot().running.version

    @property
    def record(self) -> Record:
        """What the loader would find now."""
        return load(RecordSlots(CrashDisk(dict(self.images.durable))))

    def boot(self, *, start: bool = True) -> None:
        """The loader chooses, and the chosen program starts, as often as it takes until one comes up."""
        while True:
            _, self.slot = prepare(self.images)
            assert self.slot is not None, "nothing to run"
            image = b"" if self.slot is Slot.BUILT_IN else self.images.read(self.slot.file)
            if not (image or b"").startswith(b"bad"):
                break
            self.restarts += 1
            self.wall += TRIAL_SECONDS
        self.programs = FirmwareStore(self.images, self.slot)
        super().boot(start=start)

    def firmware_boot(self) -> FirmwareBoot | None:
        return self.programs.boot()

    def power_cut(self, seconds: float = 5.0) -> None:
        self.images = self.images.power_cycle(self.rng)
        super().power_cut(seconds)

    def _carry_out(self, effect: Effect) -> list[Effect]:
        match effect:
            case FirmwareStep():
                return self._stored(lambda: self.programs.carry_out(effect.step))
            case Restart():
                self.restarts += 1
                self.wants_restart = True
                return []
        return super()._carry_out(effect)

    def restart(self) -> None:
        """The process has ended itself: start it again."""
        assert self.wants_restart
        self.wants_restart = False
        self.boot()

    def settle(self) -> None:
        """Let what is on trial show itself."""
        self.advance(31)


def board(**how: object) -> Board:
    """A commissioned lock whose municipality has a firmware key."""
    issuer = Issuer(extra=[RoleKey(Role.FIRMWARE, KEY.kid, KEY.public)])
    made = Board(Place(issuer, SECRETS.identity), **how)  # type: ignore[arg-type]
    assert made.commission(made.place.commission(time=int(made.wall))) is Reason.GRANTED
    return made


@dataclass
class Installer(Phone):
    """An installer's phone."""

    name: str = "installer"

    def serve(self, bench: Bench) -> Visit:
        """Begin a service session."""
        held = self.right(bench, scope=Scope.SERVICE)
        attempt = self.attempt(bench, held, Command.SERVICE)
        attempt.run(1.0)
        assert attempt.reason is Reason.GRANTED
        return Visit(attempt)


@dataclass
class Visit:
    """A service session under way."""

    attempt: Attempt

    def ask(self, message: FirmwareOffer | FirmwareChunk) -> FirmwareResult | None:
        """Say it and return the answer; None when the lock hung up."""
        before = len(self.attempt.said)
        for frame in self.attempt.session.serve(message):
            self.attempt.bench.write(self.attempt.link, frame)
        self.attempt.run()
        said = self.attempt.said[before:]
        assert len(said) <= 1
        return said[0] if said else None  # type: ignore[return-value]

    def offer(self, made: Release) -> FirmwareResult:
        answer = self.ask(FirmwareOffer(made.header))
        assert answer is not None
        return answer

    def reason(self, made: Release) -> Reason:
        return Reason(self.offer(made).reason)

    def carry(self, made: Release, *, chunk: int = 4096, most: int = 1000) -> FirmwareResult:
        """Offer and hand over, at most so many chunks."""
        answer = self.offer(made)
        while answer.reason == Reason.GRANTED and answer.next < len(made.image) and most:
            said = self.ask(FirmwareChunk(answer.next, made.image[answer.next : answer.next + chunk]))
            assert said is not None
            answer, most = said, most - 1
        return answer

    def leave(self) -> None:
        self.attempt.bench.feed(LinkDown(self.attempt.link))


def update(bench: Board, made: Release) -> None:
    """A whole update, from offer to confirmation or falling back."""
    visit = Installer().serve(bench)
    assert visit.carry(made) == FirmwareResult(Reason.GRANTED, len(made.image))
    visit.leave()
    bench.restart()
    if bench.record.phase is Phase.TRIAL:
        bench.settle()

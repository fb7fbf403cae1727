"""Everything that can happen to the core, and everything it can ask for.

The core is `handle(event, mono) -> effects`. `mono` is a monotonic clock in seconds; calendar time exists
only as the core's own lower bound (see `clock`). Effects are to be carried out in the order given. After each
`AppendLog` and `SaveState` the runtime answers with `Stored` before it hands in anything else of that kind.
"""

from __future__ import annotations

from dataclasses import dataclass

from lockagent.bolt import Battery, Bolt, DoorMoved, HandMoved, MotorDone, Order, Tampered, Woken
from lockagent.core.pace import Pace
from lockagent.image import Step
from lockagent.records import KeptRecord, LogRecord, StateImage
from protocol.commission import Commission
from protocol.reasons import Reason
from protocol.suites import SUITE_1, Suite


@dataclass(frozen=True)
class Started:
    """First event after boot. `bolt` is what the sensor sees; `ajar`: a door sensor sees the door open."""

    bolt: Bolt
    ajar: bool = False


@dataclass(frozen=True)
class LinkUp:
    """A central connected. `link` is a number never used before since boot."""

    link: int


@dataclass(frozen=True)
class Subscribed:
    """The central enabled notifications; a frame to it holds up to `capacity` bytes (ATT MTU - 3).

    `suite`: that of the characteristic it subscribed to.
    """

    link: int
    capacity: int
    suite: Suite = SUITE_1


@dataclass(frozen=True)
class FrameIn:
    """The central wrote one frame to the characteristic of a suite."""

    link: int
    frame: bytes
    suite: Suite = SUITE_1


@dataclass(frozen=True)
class LinkDown:
    """The link is gone, whoever ended it."""

    link: int


@dataclass(frozen=True)
class Tick:
    """Time passed: handed in when `next_tick_at` is reached."""


@dataclass(frozen=True)
class Stored:
    """The pending `AppendLog` or `SaveState` is on the disk (ok) or failed."""

    ok: bool


@dataclass(frozen=True)
class Gesture:
    """Somebody held the setup button: a lock without a door goes on the air for an installer."""


@dataclass(frozen=True)
class Commissioned:
    """An installer hands the lock its place: a package verified under the roots it brings."""

    commission: Commission


Event = (
    Started
    | LinkUp
    | Subscribed
    | FrameIn
    | LinkDown
    | Tick
    | Stored
    | MotorDone
    | HandMoved
    | DoorMoved
    | Tampered
    | Battery
    | Woken
    | Gesture
    | Commissioned
)


@dataclass(frozen=True)
class Send:
    """Notify one frame on a link, by the characteristic of its suite."""

    link: int
    frame: bytes
    suite: Suite = SUITE_1


@dataclass(frozen=True)
class Disconnect:
    """End a link."""

    link: int


@dataclass(frozen=True)
class AppendLog:
    """Write one log entry and flush it; answer with `Stored`.

    `keep`: what is to be written and flushed in a place of its own before the entry overwrites it.
    """

    epoch: int
    record: LogRecord
    keep: KeptRecord | None = None


@dataclass(frozen=True)
class SaveState:
    """Replace the state record; answer with `Stored`.

    `alone`: leave nothing of earlier records on the disk.
    """

    image: StateImage
    alone: bool = False


@dataclass(frozen=True)
class FirmwareStep:
    """Change what lies beside the running program; answer with `Stored`."""

    step: Step


@dataclass(frozen=True)
class Restart:
    """End, to be started again: a new program waits, or this one cannot do its work."""


@dataclass(frozen=True)
class Drive:
    """Give the motor an order; `hold` is how many seconds a strike stays released."""

    order: Order
    hold: float = 0.0


@dataclass(frozen=True)
class CommissionResult:
    """What became of a commissioning: GRANTED, or why the lock stays as it was."""

    reason: Reason


@dataclass(frozen=True)
class Silence:
    """Stop advertising."""


@dataclass(frozen=True)
class Advertise:
    """From now on advertise this manufacturer data (without company id) from a fresh random address."""

    data: bytes


@dataclass(frozen=True)
class SetPace:
    """From now on advertise so often; address and data stay as they are."""

    pace: Pace


Effect = (
    Send
    | Disconnect
    | AppendLog
    | SaveState
    | Drive
    | Advertise
    | Silence
    | SetPace
    | CommissionResult
    | FirmwareStep
    | Restart
)

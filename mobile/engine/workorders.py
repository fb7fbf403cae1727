"""What an installer is to do, and how far it has come: what the screens and the engine share."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mobile.engine.answers import Body, plain
from mobile.engine.errors import ServerError
from mobile.engine.state import DoorKind
from protocol.identity import LOCK_ID_LENGTH


class WorkKind(StrEnum):
    """Kinds of work orders."""

    MOUNT = "mount"
    MOVE = "move"
    REPAIR = "repair"
    BATTERY = "battery"
    RETIRE = "retire"


class WorkStep(StrEnum):
    """What is going on between the phone, the lock and the server."""

    SEARCHING = "searching"
    CONNECTING = "connecting"
    ASKING = "asking"
    """The server is asked for a package, a right or an order."""
    HANDING_OVER = "handing_over"
    """The lock is told."""
    LOG = "log"
    """The lock's log is carried home."""
    CONFIRMING = "confirming"
    """The server is told what the lock said."""
    TRYING = "trying"
    """The bolt moves: a test opening, and locking again."""
    PROGRAM = "program"
    """A newer program is carried to the lock."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why an order cannot be done yet, and who or what is missing."""

    code: str
    who: str = ""


@dataclass(frozen=True, slots=True)
class WorkOrder:
    """One thing to do at one door."""

    order_id: int
    kind: WorkKind
    door_id: int
    door_kind: DoorKind
    address: str
    entrance: str = ""
    floor: str = ""
    number: str = ""
    lock_name: str = ""
    lock_id: bytes = b""
    """The lock that the work is to be done at; empty when it may be any."""
    obstacles: tuple[Obstacle, ...] = ()

    @property
    def blocked(self) -> bool:
        """Whether something stands in the way."""
        return bool(self.obstacles)


@dataclass(frozen=True, slots=True)
class WorkDone:
    """How an order ended well."""

    tried: bool
    """The bolt was moved and locked again; False where nothing may be tried, or there is nothing to try."""
    program: int | None = None
    """The version of a newer program that the lock has now and will try once everybody has left."""
    hindered: str = ""
    """Why a newer program did not come to the lock, if one was on its way; the order is done all the same."""


def orders(answer: Body) -> tuple[WorkOrder, ...]:
    """Read the server's list, in its order: gates before the apartments behind them."""
    return tuple(_order(one) for one in answer.objects("orders"))


def _order(body: Body) -> WorkOrder:
    try:
        kind, door_kind = WorkKind(body.text("kind")), DoorKind(body.text("door_kind"))
    except ValueError:
        raise ServerError("server_error", why="unexpected kind of work") from None
    found = [
        Obstacle(plain(one.text("code"), "code"), one.text("who", default=""))
        for one in body.objects("blocks")
    ]
    return WorkOrder(
        order_id=body.number("id"),
        kind=kind,
        door_id=body.number("door_id"),
        door_kind=door_kind,
        address=body.text("address"),
        entrance=body.text("entrance", default=""),
        floor=body.text("floor", default=""),
        number=body.text("number", default=""),
        lock_name=body.text("lock_name", default=""),
        lock_id=body.optional_blob("lock", length=LOCK_ID_LENGTH) or b"",
        obstacles=tuple(found),
    )

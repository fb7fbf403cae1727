"""Which motor this process drives: a board's, a lamp at a practice place, or a simulated one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lockagent.board.config import BoardConfig, BoardError, load
from lockagent.bolt import Bolt
from lockagent.motor.lamp import Lamp
from lockagent.motor.port import Motor
from lockagent.motor.simulated import SimulatedMotor
from protocol.settings import DoorKind


class HardwareError(Exception):
    """This board cannot drive this lock; the text is for the person at the keyboard."""


class Edges:
    """Carries word of a changed contact from the pins' own thread to the loop the lock lives on."""

    def __init__(self) -> None:
        self._listener: tuple[asyncio.AbstractEventLoop, Callable[[], None]] | None = None

    def listen(self, tell: Callable[[], None]) -> None:
        """From now on `tell` is called, on the running loop, whenever a contact has changed."""
        self._listener = asyncio.get_running_loop(), tell

    def changed(self) -> None:
        """A contact has changed; may be called from any thread."""
        if self._listener is not None and not self._listener[0].is_closed():
            loop, tell = self._listener
            loop.call_soon_threadsafe(tell)


@dataclass(frozen=True)
class Hands:
    """A motor, what it is in words, and where word of its contacts comes from."""

    motor: Motor
    words: str
    on_battery: bool = False
    edges: Edges = field(default_factory=Edges)


@contextmanager
def opened(board: Path | None, kind: DoorKind | None, say: Callable[[str], None]) -> Iterator[Hands]:
    """The hands of a lock on a door of this kind (None: on none yet); every pin is let go of afterwards.

    Raises HardwareError, or OSError when there is no such board file.
    """
    if board is not None:
        with _wired(board, kind) as hands:
            yield hands
    elif kind is DoorKind.PRACTICE:
        yield Hands(Lamp(lambda bolt: say(f"bolt {bolt.value}")), "no bolt, for practice")
    else:
        yield Hands(SimulatedMotor(bolt=Bolt.LOCKED), "a simulated motor")


def release(board: Path) -> None:
    """Take every pin of a board and let it go: after a process that died with its motor running."""
    with _wired(board, None):
        pass


@contextmanager
def _wired(board: Path, kind: DoorKind | None) -> Iterator[Hands]:
    try:
        config = load(board)
    except BoardError as error:
        raise HardwareError(f"{board}: {error}") from None
    _check(config, kind)
    try:
        from lockagent.board.wiring import PinsError, Wired  # noqa: PLC0415 - only boards need gpiozero
    except ImportError as error:
        raise HardwareError(f"a board needs what the extra named board brings: {error}") from None
    edges = Edges()
    try:
        wired = Wired(config, edges.changed)
    except PinsError as error:
        raise HardwareError(f"the pins of this machine cannot be had: {error}") from None
    with closing(wired):
        yield Hands(wired.board, f"the board of {board.name}", config.supply is not None, edges)


def _check(config: BoardConfig, kind: DoorKind | None) -> None:
    """A lock must not say things of a door that its board cannot do."""
    if kind is None:
        return
    if config.lamp is not None and kind is not DoorKind.PRACTICE:
        raise HardwareError("this board has a lamp and no bolt: it is for a practice lock")
    if (config.strike is not None) is not (kind is DoorKind.GATE) and config.lamp is None:
        raise HardwareError(
            "gates have a [strike] and all other doors a [bolt]: this board is for the other kind"
        )

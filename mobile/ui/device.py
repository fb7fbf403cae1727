"""What the shell asks of the device it runs on. A desktop has none of it; Android hands its own in."""

from __future__ import annotations

import webbrowser
from collections.abc import Callable
from dataclasses import dataclass

from mobile.engine.state import Bluetooth


def dial_by_browser(number: str) -> None:
    """A desktop's way to a dialler, where it has one."""
    webbrowser.open(f"tel:{number}")


def _nothing(*_: object) -> None:
    """A desktop has no such question to show."""


@dataclass(frozen=True, slots=True)
class Device:
    """Ports. `vibrate` takes seconds on and off in turn; `is_dark` says what the system's own screens are.

    `mend` shows the system's own question about Bluetooth in one of the states of `mends`. While `is_asking`,
    such a question lies on top of the app, which is no reason to lock it; `seen_again` ends that.
    """

    vibrate: Callable[[tuple[float, ...]], None] | None = None
    is_dark: Callable[[], bool] | None = None
    dial: Callable[[str], None] = dial_by_browser
    mends: frozenset[Bluetooth] = frozenset()
    mend: Callable[[Bluetooth], None] = _nothing
    is_asking: Callable[[], bool] = bool
    seen_again: Callable[[], None] = _nothing

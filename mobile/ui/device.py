"""What the shell asks of the device it runs on. A desktop has none of it; Android hands its own in."""

from __future__ import annotations

import webbrowser
from collections.abc import Callable
from dataclasses import dataclass


def dial_by_browser(number: str) -> None:
    """A desktop's way to a dialler, where it has one."""
    webbrowser.open(f"tel:{number}")


@dataclass(frozen=True, slots=True)
class Device:
    """Ports. `vibrate` takes seconds on and off in turn; `is_dark` says what the system's own screens are."""

    vibrate: Callable[[tuple[float, ...]], None] | None = None
    is_dark: Callable[[], bool] | None = None
    dial: Callable[[str], None] = dial_by_browser

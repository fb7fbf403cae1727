"""The port to what the phone knows about its own Bluetooth before anything is tried.

A platform that says nothing by itself has none of these: then the scan finds out by trying. Android must be
asked: it stops a scan without a word when Bluetooth is turned off, counts every start of a scan, and answers
a missing permission or location service with silence.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from mobile.engine.state import Bluetooth


class Adapter(Protocol):
    """The phone's Bluetooth as the phone sees it."""

    def state(self) -> Bluetooth:
        """What stands in the way of a scan now; ON when nothing does. Quick, and safe from any thread."""
        ...

    def watch(self, changed: Callable[[], object]) -> Callable[[], None]:
        """Call ``changed``, from any thread, when `state` may have changed; returns the way to end it."""
        ...

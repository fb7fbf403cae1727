"""The board's real-time clock, of which the lock believes only how its seconds pass."""

from __future__ import annotations

import time
from pathlib import Path

from lockagent.core.clock import RtcReading

HARDWARE = Path("/dev/rtc0")


class SystemRtc:
    """The operating system's clock, kept by a hardware RTC if the board has one."""

    def __init__(self, *, survives_power_cuts: bool | None = None) -> None:
        """`survives_power_cuts`: None = yes if the board has /dev/rtc0."""
        self._kept = HARDWARE.exists() if survives_power_cuts is None else survives_power_cuts

    def read(self) -> RtcReading:
        """Seconds of the system clock; lost at every boot on a board without an RTC."""
        return RtcReading(int(time.time()), lost=not self._kept)

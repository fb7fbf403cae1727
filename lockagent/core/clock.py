"""The lock's clock: a lower bound of the true time that only signed statements may move.

Between statements it follows the board's real-time clock (RTC), whose own calendar is never believed: only
how many of its seconds passed since an anchor. When the RTC lost its power, or runs backwards, the bound
still holds and creeps forward with the seconds since boot, but the lock knows that it does not know the
time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

MAX_LEARN_SECONDS = 24 * 3600
"""How far beyond the clock the issue time of a verified token may push it."""
MAX_STEP_BACK_SECONDS = 3600
"""How far back a fresh time statement may step the clock."""
EDGE_SECONDS = 5 * 60
"""Tolerance at both edges of a token's window."""
NOTABLE_SECONDS = 60
"""A step of at least this much is saved at once (and logged when it came from fresh time)."""


@dataclass(frozen=True)
class Anchor:
    """What is remembered of the clock: at RTC second `rtc` it was `time`; `lower` is the bound."""

    time: int
    rtc: int
    lower: int
    certain: bool
    ppm: int = 0


@dataclass(frozen=True)
class RtcReading:
    """The RTC at boot: its seconds on whatever scale, and whether it says that it lost power."""

    seconds: int
    lost: bool = False


class Clock:
    """Calendar time in whole seconds since 1970 UTC, as a function of the monotonic clock."""

    def __init__(self, anchor: Anchor, reading: RtcReading, mono: float, logged: int = 0) -> None:
        """`logged`: time of the newest log entry written after `anchor` was saved; 0 when there is none."""
        lower = max(anchor.lower, logged)
        self._rtc_at_zero = reading.seconds - mono
        estimate = anchor.time + _stretched(reading.seconds - anchor.rtc, anchor.ppm)
        self.lost_now = anchor.certain and (reading.lost or estimate < lower - EDGE_SECONDS)
        """True when this boot found that the time was lost since the last one."""
        if anchor.certain and not self.lost_now:
            self._anchor = replace(anchor, lower=lower)
        else:
            self._anchor = Anchor(lower, reading.seconds, lower, certain=False, ppm=anchor.ppm)
        self.dirty = self.lost_now
        """True when what is saved would make the next boot believe something untrue."""

    @property
    def certain(self) -> bool:
        """Whether the lock knows the time, not only a bound of it."""
        return self._anchor.certain

    def now(self, mono: float) -> int:
        """The lock's time: what it believes when certain, a lower bound when not."""
        anchor = self._anchor
        return max(anchor.lower, int(anchor.time + _stretched(self._rtc(mono) - anchor.rtc, anchor.ppm)))

    def saved(self, mono: float) -> Anchor:
        """What to store now, its lower bound moved up to the present."""
        self._anchor = replace(self._anchor, lower=self.now(mono))
        return self._anchor

    def learn(self, time: int, mono: float, *, at_most: int | None = None) -> None:
        """Take in a signed time that has certainly been reached; never moves back.

        `at_most`: how far ahead of the clock it may push (seconds); None = any distance.
        """
        now = self.now(mono)
        reached = time if at_most is None else min(time, now + at_most)
        if reached > now:
            self.dirty = self.dirty or reached - now >= NOTABLE_SECONDS
            self._anchor = replace(self._anchor, time=reached, rtc=int(self._rtc(mono)), lower=reached)

    def judge_fresh(self, time: int, mono: float) -> bool:
        """Whether a fresh time statement may set the clock: not further back than an hour."""
        return time >= self.now(mono) - MAX_STEP_BACK_SECONDS

    def set_fresh(self, time: int, mono: float) -> None:
        """Set the clock to server time of this moment and be certain of it."""
        self._anchor = Anchor(time, int(self._rtc(mono)), time, certain=True, ppm=self._anchor.ppm)

    def correct(self, ppm: int, mono: float) -> None:
        """Use a new correction of the crystal from now on."""
        if ppm != self._anchor.ppm:
            now = self.now(mono)
            self._anchor = replace(self._anchor, time=now, rtc=int(self._rtc(mono)), lower=now, ppm=ppm)

    def _rtc(self, mono: float) -> float:
        return self._rtc_at_zero + mono


def _stretched(seconds: float, ppm: int) -> float:
    """Seconds of a crystal that needs `ppm` of correction (positive when it runs slow)."""
    return seconds * (1 + ppm / 1_000_000)

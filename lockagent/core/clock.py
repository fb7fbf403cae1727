"""The lock's clock: a lower bound of the true time that only signed statements may move.

Between statements it follows the board's real-time clock (RTC), whose own calendar is never believed: only
how many of its seconds passed since an anchor. When the RTC lost its power, or ran backwards or wildly ahead
while the lock was off, the bound still holds and creeps forward with the seconds since boot, but the lock
knows that it does not know the time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from protocol.fields import MAX_TIME

MAX_LEARN_SECONDS = 24 * 3600
"""How far ahead of the RTC, as bulletins and fresh time set it, issue times of tokens may hold the clock."""
MAX_STEP_BACK_SECONDS = 3600
"""How far back a fresh time statement may step the clock."""
MAX_OFF_SECONDS = 24 * 3600
"""An RTC that claims to have run longer than this since the last save (hourly) is not believed."""
EDGE_SECONDS = 5 * 60
"""Tolerance at both edges of a token's window."""
NOTABLE_SECONDS = 60
"""A step of at least this much is saved at once (and logged when it came from fresh time)."""


@dataclass(frozen=True)
class Anchor:
    """What is remembered of the clock: at RTC second `rtc` it was `time`; `lower` is the bound.

    `ahead`: seconds that tokens' issue times hold the clock before that.
    """

    time: int
    rtc: int
    lower: int
    certain: bool
    ppm: int = 0
    ahead: int = 0


@dataclass(frozen=True)
class RtcReading:
    """The RTC at boot: its seconds on whatever scale, and whether it says that it lost power."""

    seconds: int
    lost: bool = False


class Clock:
    """Calendar time in whole seconds since 1970 UTC, as a function of the monotonic clock."""

    def __init__(self, anchor: Anchor, reading: RtcReading, mono: float, logged: int = 0) -> None:
        """`logged`: time of the newest log entry written after `anchor` was saved; 0 when there is none."""
        self._rtc_at_zero = reading.seconds - mono
        trusted = int(anchor.time + _stretched(reading.seconds - anchor.rtc, anchor.ppm))
        estimate = trusted + anchor.ahead
        possible = anchor.lower - EDGE_SECONDS <= estimate <= anchor.lower + MAX_OFF_SECONDS
        self.lost_now = anchor.certain and (reading.lost or not possible)
        """True when this boot found that the time was lost since the last one."""
        lower = max(anchor.lower, logged)
        if anchor.certain and not self.lost_now:
            self._anchor = replace(anchor, lower=lower, ahead=_ahead(anchor, logged - estimate))
        else:
            ahead = _ahead(anchor, logged - anchor.lower)
            self._anchor = Anchor(lower - ahead, reading.seconds, lower, False, anchor.ppm, ahead)
        self.dirty = self.lost_now
        """True when what is saved would make the next boot believe something untrue."""

    @property
    def certain(self) -> bool:
        """Whether the lock knows the time, not only a bound of it."""
        return self._anchor.certain

    def now(self, mono: float) -> int:
        """The lock's time: what it believes when certain, a lower bound when not."""
        return min(MAX_TIME, max(self._anchor.lower, self._trusted(mono) + self._anchor.ahead))

    def saved(self, mono: float) -> Anchor:
        """What to store now, its lower bound moved up to the present."""
        self._anchor = replace(self._anchor, lower=self.now(mono))
        return self._anchor

    def learn(self, time: int, mono: float) -> None:
        """Take in the signed time of a bulletin, which has certainly been reached; never moves back."""
        now = self.now(mono)
        if time > self._trusted(mono):
            self.dirty = self.dirty or time - now >= NOTABLE_SECONDS
            self._set_trusted(time, mono, now)

    def learn_issue(self, time: int, mono: float) -> None:
        """Take in the issue time of a verified token.

        However many tokens come, they hold the clock at most a day ahead of everything else it goes by, so
        that a stolen token key cannot push it out of reach of every honest phone.
        """
        trusted, now = self._trusted(mono), self.now(mono)
        reached = min(time, trusted + MAX_LEARN_SECONDS)
        if reached > now:
            self.dirty = self.dirty or reached - now >= NOTABLE_SECONDS
            self._anchor = replace(self._anchor, lower=reached, ahead=reached - trusted)

    def judge_fresh(self, time: int, mono: float) -> bool:
        """Whether a fresh time statement may set the clock.

        Not further back than an hour from what bulletins, fresh time and the RTC made it: what tokens alone
        have added may be taken back whole.
        """
        return time >= self._trusted(mono) - MAX_STEP_BACK_SECONDS

    def set_fresh(self, time: int, mono: float) -> None:
        """Set the clock to server time of this moment and be certain of it."""
        self._anchor = Anchor(time, int(self._rtc(mono)), time, certain=True, ppm=self._anchor.ppm)

    def correct(self, ppm: int, mono: float) -> None:
        """Use a new correction of the crystal from now on."""
        if ppm != self._anchor.ppm:
            self._set_trusted(self._trusted(mono), mono, self.now(mono))
            self._anchor = replace(self._anchor, ppm=ppm)

    def _set_trusted(self, time: int, mono: float, now: int) -> None:
        """Anchor the clock anew, without letting what it says go back."""
        self._anchor = replace(
            self._anchor,
            time=time,
            rtc=int(self._rtc(mono)),
            lower=max(now, time),
            ahead=max(0, now - time),
        )

    def _trusted(self, mono: float) -> int:
        """The clock without what tokens have added."""
        anchor = self._anchor
        return int(anchor.time + _stretched(self._rtc(mono) - anchor.rtc, anchor.ppm))

    def _rtc(self, mono: float) -> float:
        return self._rtc_at_zero + mono


def _ahead(anchor: Anchor, unsaved: int) -> int:
    """What tokens hold the clock ahead, counting as theirs what the log has seen beyond the saved clock.

    A power cut between a token and the next save must not make room for another day.
    """
    return min(MAX_LEARN_SECONDS, anchor.ahead + max(0, unsaved))


def _stretched(seconds: float, ppm: int) -> float:
    """Seconds of a crystal that needs `ppm` of correction (positive when it runs slow)."""
    return seconds * (1 + ppm / 1_000_000)

"""One clock for the whole bench, which can be set ahead so that a working day fits into a minute."""

import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

STOCKHOLM = ZoneInfo("Europe/Stockholm")


class BenchClock:
    """Real time plus a shift. The locks, the phones and the server's process all get their time from it."""

    def __init__(self, shift: float) -> None:
        """``shift``: seconds ahead of real time (negative: behind)."""
        self.shift = shift
        self._ahead = 0.0

    def advance(self, seconds: float) -> None:
        """Set the clock ahead; it never goes back."""
        if seconds < 0:
            raise ValueError("the bench clock only goes forward")
        self.shift += seconds
        self._ahead += seconds

    def now(self) -> float:
        """Seconds since 1970 UTC."""
        return time.time() + self.shift

    def monotonic(self) -> float:
        """Seconds since an arbitrary start, set ahead together with ``now``."""
        return time.monotonic() + self._ahead

    def local(self) -> datetime:
        """The time a person on the bench sees on the wall."""
        return datetime.fromtimestamp(self.now(), UTC).astimezone(STOCKHOLM)

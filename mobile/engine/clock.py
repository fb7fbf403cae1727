"""Time on the phone: its own clock is never believed, the server's last word is carried on.

The estimate orders tokens (which one to try first), dates the person's own history and tells how old a sync
is. It never decides whether a right holds: that is the lock's judgement.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable


def steady() -> float:
    """Seconds by a clock that nobody can set, and that goes on while the phone sleeps.

    Linux and Android stop their usual monotonic clock in deep sleep: after a night in a pocket the server's
    last word would seem to be of a moment ago.
    """
    if sys.platform == "linux" or sys.platform == "android":
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class Clock:
    """Server time as well as the phone can know it.

    While the app runs, the server's last word plus a clock that nobody can set; after a restart the phone's
    clock corrected by what was wrong with it then.
    """

    def __init__(
        self,
        *,
        wall: Callable[[], int] = lambda: int(time.time()),
        monotonic: Callable[[], float] = steady,
    ) -> None:
        self._wall, self._monotonic = wall, monotonic
        self._heard: tuple[int, float] | None = None
        self._offset = 0

    def heard(self, server_time: int) -> int:
        """Take in the server's time, just received; return the offset to keep (server minus phone)."""
        self._heard = (server_time, self._monotonic())
        self._offset = server_time - self._wall()
        return self._offset

    def restore(self, offset: int) -> None:
        """Take up the offset of an earlier run, unless this run has heard the server itself."""
        if self._heard is None:
            self._offset = offset

    def now(self) -> int:
        """Estimated server time, Unix seconds."""
        if self._heard is None:
            return self._wall() + self._offset
        server_time, at = self._heard
        return server_time + int(self._monotonic() - at)

    @property
    def off_by(self) -> int:
        """How far the phone's clock is ahead of the server's (seconds; negative when behind)."""
        return self._wall() - self.now() if self._heard else -self._offset

"""What the Bluetooth stack writes down about others, within bounds.

bumble logs every packet it cannot read, with a traceback of some kilobytes. Whoever is in range can send as
many as they like; without a bound they would wear out the flash that the journal lies on.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable

LINES_PER_HOUR = 30
_HOUR = 3600.0
_STACK = "bumble"


class Sparing(logging.Filter):
    """Lets so many of the stack's records through in an hour, and all of ours."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._now = now
        self._written: deque[float] = deque()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is to be written."""
        if record.name.partition(".")[0] != _STACK:
            return True
        now = self._now()
        while self._written and self._written[0] <= now - _HOUR:
            self._written.popleft()
        if len(self._written) >= LINES_PER_HOUR:
            return False
        self._written.append(now)
        return True

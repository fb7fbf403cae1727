"""How fast a lock's crystal runs, from the clock that stands in each of its batches.

A batch says how many seconds the crystal has counted since the lock booted. The server's clock less that is
the moment of the boot, the drift, and the courier's delay; the delay is never negative, so of each week the
least is kept: it came quickly. A straight line through the weeks has the drift for its slope. A courier who
delays everything can make a lock look slow, but no slower than crystals are, or it is not believed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from protocol.log import Batch
from server.locks.models import LockStatus
from server.passages.models import LockClock

WEEK = 7 * 24 * 3600
FEWEST_WEEKS = 8
MOST_WEEKS = 26
SHARPEST_PPM = 20
"""A slope whose standard error is larger is no measurement yet."""
CRYSTAL_PPM = 200
"""A crystal is not so far off: then it was the couriers."""
MOST_OFFSET = 2**31 - 1
WORTH_PPM = 5
"""A correction that differs by less is not worth a new bulletin."""


@dataclass(frozen=True)
class Point:
    """The quickest batch of a week: seconds the lock had run, and the server's clock less that."""

    ran: int
    lag: int


def note(status: LockStatus, clock: LockClock, body: Batch, *, at: datetime) -> None:
    """Take in a verified batch that arrived at `at`; the caller saves `status` and `clock`."""
    if body.boot < clock.boot:
        return  # of an earlier run of the lock: its seconds are other ones
    if body.boot > clock.boot:
        clock.boot, clock.weeks = body.boot, {}
    now, weeks = math.ceil(at.timestamp()), dict(clock.weeks)
    week, lag = str(body.ran // WEEK), now - body.ran
    if week in weeks and weeks[week][1] <= lag:
        return
    weeks[week] = [body.ran, lag]
    kept = sorted(weeks, key=int)[-MOST_WEEKS:]
    clock.weeks = {one: weeks[one] for one in kept}
    status.clock_offset_s = max(-MOST_OFFSET, min(MOST_OFFSET, body.now - now))
    measured = correction([Point(*weeks[one]) for one in kept])
    if measured is not None and abs(measured - (status.clock_ppm or 0)) >= WORTH_PPM:
        status.clock_ppm = measured


def correction(points: list[Point]) -> int | None:
    """Return the correction in ppm, positive for a crystal that runs slow; None while it is not known."""
    if len(points) < FEWEST_WEEKS:
        return None
    middle = sum(one.ran for one in points) / len(points)
    level = sum(one.lag for one in points) / len(points)
    spread = sum((one.ran - middle) ** 2 for one in points)
    slope = sum((one.ran - middle) * (one.lag - level) for one in points) / spread
    left = sum((one.lag - level - slope * (one.ran - middle)) ** 2 for one in points)
    error = math.sqrt(left / (len(points) - 2) / spread)
    ppm = round(slope * 1_000_000)
    return ppm if error * 1_000_000 <= SHARPEST_PPM and abs(ppm) <= CRYSTAL_PPM else None

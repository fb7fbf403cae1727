"""Sets of half-open periods [start, end), the arithmetic behind every window."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

FOREVER = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, order=True)
class Interval:
    """A period that includes its start but not its end."""

    start: datetime
    end: datetime

    @property
    def is_empty(self) -> bool:
        """Whether no instant lies within."""
        return self.start >= self.end

    def clipped_to(self, other: Interval) -> Interval:
        """Return what the two periods share; it may be empty."""
        return Interval(max(self.start, other.start), min(self.end, other.end))


def period(start: datetime, *ends: datetime | None) -> Interval:
    """Return [start, the earliest known end); without any end it lasts for ever."""
    return Interval(start, min((end for end in ends if end is not None), default=FOREVER))


def moved(moment: datetime, by: timedelta) -> datetime:
    """Return `moment` moved; at the ends of the calendar it stays: one row must not stop everybody's keys."""
    try:
        return moment + by
    except OverflowError:
        return moment


def merge(intervals: Iterable[Interval]) -> list[Interval]:
    """Return the union as sorted, disjoint, non-touching periods."""
    found = [interval for interval in intervals if interval.start < interval.end]
    if len(found) < 2:  # the usual case by far, and this is called for every door of every shift
        return found
    merged: list[Interval] = []
    for interval in sorted(found):
        if merged and interval.start <= merged[-1].end:
            merged[-1] = Interval(merged[-1].start, max(merged[-1].end, interval.end))
        else:
            merged.append(interval)
    return merged


def clip(intervals: Iterable[Interval], window: Interval) -> list[Interval]:
    """Return the parts of `intervals` that lie within `window`, merged."""
    return merge(interval.clipped_to(window) for interval in intervals)


def first_useful(intervals: Iterable[Interval], at: datetime) -> Interval | None:
    """Return the earliest merged period not yet over at `at`, or None."""
    return next((interval for interval in merge(intervals) if interval.end > at), None)

"""The arithmetic of windows, compared minute by minute with the plain meaning of sets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from server.access.intervals import FOREVER, Interval, clip, first_useful, merge, period

START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTES = 40


def at(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


minutes = st.integers(0, MINUTES)
intervals = st.builds(lambda a, b: Interval(at(a), at(b)), minutes, minutes)
many = st.lists(intervals, max_size=8)


def covered(periods: list[Interval]) -> set[int]:
    return {m for m in range(MINUTES + 1) if any(p.start <= at(m) < p.end for p in periods)}


@given(many)
def test_merge_covers_exactly_the_same_minutes_and_is_disjoint(periods: list[Interval]) -> None:
    merged = merge(periods)
    assert covered(merged) == covered(periods)
    assert all(left.end < right.start for left, right in pairwise(merged))
    assert not any(interval.is_empty for interval in merged)


@given(many, intervals)
def test_clip_never_reaches_outside(periods: list[Interval], window: Interval) -> None:
    assert covered(clip(periods, window)) == covered(periods) & covered([window])


@given(many, minutes)
def test_first_useful_is_wholly_covered_and_not_over(periods: list[Interval], minute: int) -> None:
    found = first_useful(periods, at(minute))
    later = {m for m in covered(periods) if m >= minute}
    assert (found is None) == (not later)
    if found is not None:
        assert covered([found]) <= covered(periods)
        assert min(later) in covered([found])


def test_period_ends_at_the_first_known_end() -> None:
    assert period(at(0), None, at(9), at(5)) == Interval(at(0), at(5))
    assert period(at(0), None).end == FOREVER

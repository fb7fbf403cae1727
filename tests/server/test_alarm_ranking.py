"""Who is asked first: near by the plan or the last passage, never by a position; and the grounds shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from server.alarms.rules import FRESH, LOOK_AHEAD, Candidate, Nearness, Sign, Spot, in_words, rank

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
GOAL = Spot("Storgatan 1", 1, "Norr")
SAME_ESTATE = Spot("Storgatan 3", 1, "Norr")
SAME_AREA = Spot("Lillgatan 8", 2, "Norr")
FAR = Spot("Skogsvägen 9", 3, "Söder")
MINUTE = timedelta(minutes=1)


def order(*candidates: Candidate) -> list[int]:
    return [one.staff for one in rank(candidates, GOAL, at=AT)]


def passage(spot: Spot, ago: timedelta = MINUTE) -> Sign:
    return Sign(spot, AT - ago, passage=True)


def visit(spot: Spot, ago: timedelta = MINUTE) -> Sign:
    return Sign(spot, AT - ago)


def test_nearest_first() -> None:
    assert order(
        Candidate(1),
        Candidate(2, later=(visit(SAME_AREA, -20 * MINUTE),)),
        Candidate(3, signs=(passage(SAME_AREA),)),
        Candidate(4, signs=(passage(SAME_ESTATE),)),
        Candidate(5, signs=(passage(GOAL),)),
    ) == [5, 4, 3, 2, 1]


def test_the_latest_sign_counts() -> None:
    went_on = Candidate(1, signs=(visit(GOAL, 40 * MINUTE), passage(FAR, 5 * MINUTE)))
    came_here = Candidate(2, signs=(passage(FAR, 40 * MINUTE), visit(SAME_AREA, 5 * MINUTE)))
    assert order(went_on, came_here) == [2, 1]


def test_an_old_passage_is_no_sign() -> None:
    (ranked,) = rank([Candidate(1, signs=(passage(GOAL, FRESH),))], GOAL, at=AT)
    assert ranked.nearness == Nearness.UNKNOWN
    assert ranked.grounds == ({"what": "no_sign"},)


def test_a_long_visit_is_still_one() -> None:
    (ranked,) = rank([Candidate(1, signs=(visit(GOAL, 3 * FRESH),))], GOAL, at=AT)
    assert ranked.nearness == Nearness.ADDRESS


def test_a_visit_far_ahead_says_nothing() -> None:
    (ranked,) = rank([Candidate(1, later=(visit(GOAL, -LOOK_AHEAD - MINUTE),))], GOAL, at=AT)
    assert ranked.nearness == Nearness.UNKNOWN


def test_whoever_goes_to_another_alarm_comes_last() -> None:
    assert order(Candidate(1, signs=(passage(GOAL),), busy=True), Candidate(2)) == [2, 1]


def test_between_equals_the_one_without_a_visit_then_the_one_with_least_ahead() -> None:
    later = (visit(FAR, -10 * MINUTE),)
    assert order(
        Candidate(1, signs=(passage(SAME_AREA),), visiting=True),
        Candidate(2, signs=(passage(SAME_AREA),), later=later),
        Candidate(3, signs=(passage(SAME_AREA),)),
    ) == [3, 2, 1]


def test_without_an_area_nobody_is_in_the_same_one() -> None:
    goal = Spot("Storgatan 1", 1, "")
    (ranked,) = rank([Candidate(1, signs=(passage(Spot("Lillgatan 8", 2, "")),))], goal, at=AT)
    assert ranked.nearness == Nearness.UNKNOWN


def test_a_client_without_a_door_still_gets_everybody_asked() -> None:
    assert [one.staff for one in rank([Candidate(2), Candidate(1)], None, at=AT)] == [1, 2]


def test_grounds_are_told_in_local_time() -> None:
    (ranked,) = rank([Candidate(1, signs=(passage(SAME_AREA),), busy=True)], GOAL, at=AT)
    first, second = in_words(ranked.grounds)
    assert "09:59" in first
    assert second != first
    assert in_words([{"what": "of a later version"}]) == []


spots = st.sampled_from([GOAL, SAME_ESTATE, SAME_AREA, FAR])
signs = st.builds(
    Sign,
    spot=spots,
    at=st.integers(-180, 180).map(lambda minutes: AT + minutes * MINUTE),
    passage=st.booleans(),
)

visits = signs.map(lambda sign: replace(sign, passage=False))  # no lock tells of what is still to come


@given(
    st.lists(
        st.builds(
            Candidate,
            staff=st.integers(1, 9),
            signs=st.lists(signs, max_size=3).map(tuple),
            later=st.lists(visits, max_size=3).map(tuple),
            visiting=st.booleans(),
            busy=st.booleans(),
        ),
        max_size=6,
        unique_by=lambda one: one.staff,
    )
)
def test_everybody_has_exactly_one_place_and_a_ground(candidates: list[Candidate]) -> None:
    ranked = rank(candidates, GOAL, at=AT)
    assert sorted(one.staff for one in ranked) == sorted(one.staff for one in candidates)
    assert all(in_words(one.grounds) for one in ranked)
    assert ranked == rank(reversed(candidates), GOAL, at=AT)

"""A short run of the ten thousand taps, and that the count would tell what must never be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mobile.engine.state import OpeningState
from protocol.entries import EntryType
from simulation.taps import count, mix, wrongful
from simulation.taps.count import Tap
from simulation.taps.house import SHIFTS, House
from simulation.virtualtime import virtual_time

WELL = Tap(
    house=0,
    number=0,
    kind="rightful",
    detail="",
    door="gate",
    operation="open",
    phone="anna",
    air="clear",
    mishaps=(),
    state=OpeningState.OPEN,
    reason="",
    seconds=1.5,
    moved=True,
    acts=1,
    acts_allowed=1,
    clockless=False,
    told=True,
)
THIEF = replace(
    WELL,
    kind="wrongful",
    detail="expired",
    state=OpeningState.REFUSED,
    reason="expired",
    moved=False,
    acts=0,
    acts_allowed=0,
)


@pytest.mark.parametrize("kind", ["copied", "revoked"])
def test_a_short_run_opens_for_those_with_a_right_and_for_nobody_else(tmp_path: Path, kind: str) -> None:
    @virtual_time
    async def story() -> None:
        house = House(wrongful.KINDS.index(kind), "a short run", tmp_path)
        taps = await house.play(18)
        sums = count.summary(taps)
        assert len(taps) >= 18
        assert sums["wrongful"] >= 1
        assert count.holds(sums, least=0.9), [tap.line() for tap in taps if not tap.well]
        assert house.granted_to_the_thief == 0
        news = [entry.kind for entry in house.locks[0].entries()].count(EntryType.BULLETIN)
        assert news == SHIFTS - 1, "need_update and key_unknown were met, and cured by whoever came first"

    story()


@pytest.mark.parametrize(
    "bad",
    [
        replace(WELL, moved=False),
        replace(WELL, acts=2),
        replace(WELL, state=OpeningState.REFUSED, reason="expired", moved=False, acts=0, told=False),
        replace(THIEF, state=OpeningState.OPEN, told=False),
        replace(THIEF, state=OpeningState.NO_ANSWER, reason="no_answer", acts=1),
    ],
    ids=["says open, is not", "acted twice", "right refused", "thief let in", "thief let in unheard"],
)
def test_one_thing_that_must_never_be_among_ten_thousand_is_told(bad: Tap) -> None:
    taps = [WELL] * 9_000 + [THIEF] * 999
    assert count.holds(count.summary(taps), least=0.999)
    assert not count.holds(count.summary([*taps, bad]), least=0.999)


def test_only_what_a_clock_alone_can_tell_is_excused_at_a_lock_without_one() -> None:
    let_in = replace(THIEF, state=OpeningState.OPEN, moved=True, acts=1, told=False, clockless=True)
    assert count.summary([WELL, let_in])["undated_opened_by_a_lock_without_clock"] == 1
    assert count.holds(count.summary([WELL, let_in]), least=0.9)
    assert not count.holds(count.summary([WELL, replace(let_in, detail="revoked")]), least=0.9)


def test_too_many_unanswered_taps_are_told() -> None:
    lost = replace(WELL, state=OpeningState.NO_ANSWER, moved=False, acts=0)
    assert count.holds(count.summary([WELL] * 9_990 + [lost] * 9), least=0.999)
    assert not count.holds(count.summary([WELL] * 9_989 + [lost] * 11), least=0.999)


def test_the_mix_is_what_the_documents_say() -> None:
    """A change of the mix is a change of what was promised: it must be meant, and the count be made anew."""
    assert sum(air.share for air in mix.AIRS) == pytest.approx(1.0)
    assert mix.AIRS[-1].packet_loss == 0.4
    assert mix.MISHAPS["link cut"] == 0.03
    assert set(wrongful.EXPECTED) == set(wrongful.KINDS)
    assert len(wrongful.KINDS) == 13

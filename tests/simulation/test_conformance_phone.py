"""The conformance kit for phones: our engine passes all of it; one that believes too much fails there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mobile.engine import verdicts
from mobile.engine.state import OpeningState, Operation
from mobile.engine.verdicts import Verdict as Shown
from protocol.messages import OutcomeCode
from protocol.phone import PhoneSession
from simulation import virtualtime
from simulation.conformance.phone import kit
from simulation.conformance.verdict import Verdict

ROOT = Path(__file__).parents[2]


def failed(only: str, *, mtu: int = 247) -> dict[str, str]:
    async def story() -> list[Verdict]:
        async with kit.simulated(mtu) as bench:
            return await kit.run(bench, kit.cases(only), lambda _verdict: None)

    return {verdict.name: verdict.wrong for verdict in virtualtime.run(story()) if verdict.wrong}


def test_our_phone_passes_every_case_and_the_table_ends_in_the_counts() -> None:
    command = [sys.executable, "-m", "simulation.conformance", "phone"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)  # noqa: S603
    assert done.stdout.splitlines()[-1] == f"{len(kit.cases())} passed, 0 failed", done.stdout + done.stderr
    assert done.returncode == 0


def test_no_two_cases_have_one_name() -> None:
    names = [case.name for case in kit.cases()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("mtu", [23, 517])
def test_our_phone_passes_at_other_sizes_of_the_link(mtu: int) -> None:
    assert failed("frames are filled", mtu=mtu) == {}
    assert failed("open: outcome moved", mtu=mtu) == {}


def test_a_phone_that_says_open_for_a_jam_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(verdicts._OUTCOMES, (Operation.OPEN, OutcomeCode.JAM), Shown(OpeningState.OPEN))
    assert failed("outcome jam") == {
        "open: outcome jam: jammed": "what the person was told: expected 'jammed', got 'open'"
    }


def test_a_phone_that_answers_any_number_of_m0_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    true_answer = PhoneSession._answer

    def tireless(self: PhoneSession, m0: bytes) -> object:
        self._m0_seen = 0
        return true_answer(self, m0)

    monkeypatch.setattr(PhoneSession, "_answer", tireless)
    assert set(failed("m0 on one link")) == {"a fifth m0 on one link: the phone hangs up"}


def test_a_phone_that_takes_all_the_log_it_is_given_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PhoneSession, "_carry", lambda self, batch: None)
    assert set(failed("more log than")) == {
        "more log than the phone takes: it hangs up, and the bolt stays as told"
    }

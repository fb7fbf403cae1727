"""The kit's cases of suite 2: what they find in a lock that is lax, and that they leave other locks alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from protocol import possession
from protocol.possession import ORDER
from protocol.suites import SUITE_1
from simulation import virtualtime
from simulation.conformance import kit, locks
from simulation.conformance.verdict import Verdict


def played(only: str, *, offered: int | None = None) -> list[Verdict]:
    async def story() -> list[Verdict]:
        async with locks.simulated() as lock:
            stated = lock.identity if offered is None else replace(lock.identity, suites=offered)
            return await kit.run(replace(lock, identity=stated), kit.cases(only), lambda _verdict: None)

    return virtualtime.run(story())


def test_a_lock_that_takes_either_form_of_a_proof_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    strict = possession._verify

    def lax(public: bytes, proof: bytes, message: bytes) -> None:
        s = int.from_bytes(proof[32:], "big")
        strict(public, proof[:32] + min(s, max(ORDER - s, 0)).to_bytes(32, "big"), message)

    monkeypatch.setattr(possession, "_verify", lax)
    found = {one.name: one.wrong for one in played("suite 2, a proof with the larger s") if one.wrong}
    assert found == {
        "suite 2, a proof with the larger s: handshake_failed": "expected an alert, got SESSION",
    }


def test_cases_of_a_suite_that_the_lock_does_not_state_are_left_out() -> None:
    names = [one.name for one in played("suite", offered=SUITE_1.bit)]
    assert names == ["m1 made with suite 2 in its prologue: handshake_failed"]

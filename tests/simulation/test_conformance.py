"""The conformance kit: our lock passes all of it, and a lock with something wrong fails just there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from protocol import bulletin, handshake, token
from simulation import virtualtime
from simulation.conformance import kit, locks
from simulation.conformance.verdict import Verdict

ROOT = Path(__file__).parents[2]


def tried(only: str = "") -> list[Verdict]:
    """Our lock, tried with the cases whose name contains this."""

    async def story() -> list[Verdict]:
        async with locks.simulated() as lock:
            return await kit.run(lock, kit.cases(only), lambda _verdict: None)

    return virtualtime.run(story())


def failed(only: str = "") -> dict[str, str]:
    return {verdict.name: verdict.wrong for verdict in tried(only) if verdict.wrong}


def test_our_lock_passes_every_case_and_the_table_ends_in_the_counts() -> None:
    command = [sys.executable, "-m", "simulation.conformance", "lock"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)  # noqa: S603
    lines = done.stdout.splitlines()
    assert lines[-1] == f"{len(kit.cases())} passed, 0 failed", done.stdout + done.stderr
    assert done.returncode == 0
    assert len(kit.cases()) >= 100


def test_no_two_cases_have_one_name() -> None:
    names = [case.name for case in kit.cases()]
    assert len(names) == len(set(names))


def test_a_case_names_what_was_expected_and_what_came(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token, "MAX_LIFETIME", 10 * token.MAX_LIFETIME)
    found = failed("token with a window of")
    assert found == {
        "token with a window of 48 hours and a second: malformed": "m2: expected malformed, got granted"
    }


def test_a_lock_that_takes_any_mac1_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """It still fails at the AEAD, so only the case that nothing but mac1 refuses tells it."""
    monkeypatch.setattr(handshake.LockHandshake, "mac1_holds", lambda self, m1: True)
    assert set(failed("m1 ")) == {
        "m1 with a bit of mac1 changed: handshake_failed",
        "m1 with the last bit of mac1 changed: handshake_failed",
        "m1 with mac1 of zeros: handshake_failed",
        "m1 made with another adv_key's mac1: handshake_failed",
        "an m1 for an m0 that is over: a new m0, no alert",
    }


def test_a_lock_that_forgets_revocations_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulletin.Bulletin, "revokes", lambda self, token_id: False)
    assert "a token on the list: revoked" in failed("revoked")


def test_a_lock_that_forgets_who_has_ended_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulletin.Bulletin, "ends", lambda self, grp, issued_at: False)
    assert set(failed("provider")) == {
        "a provider's token issued before its end: provider_ended",
        "a provider's token issued at the very moment of its end: granted",
        "a not-before for all: provider_ended for whatever was issued before",
    }

"""The demo's authenticator, against the test vectors of RFC 6238 and as a person calls it."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest

from simulation.demo import authenticator

RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("now", "eight_digits"),
    [(59, "94287082"), (1111111109, "07081804"), (1234567890, "89005924"), (20000000000, "65353130")],
)
def test_the_codes_are_those_of_rfc_6238(now: int, eight_digits: str) -> None:
    assert authenticator.code(RFC_SECRET, now) == eight_digits[-6:]


def ask(folder: Path, username: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "simulation.demo.authenticator", username, "--folder", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603


def test_a_person_gets_six_digits(tmp_path: Path) -> None:
    (tmp_path / authenticator.ENVELOPE).write_text(json.dumps({"jouren": {"totp_secret": RFC_SECRET}}))
    assert ask(tmp_path, "jouren").stdout.strip().isdigit()
    stranger = ask(tmp_path, "ingen")
    assert (stranger.returncode, stranger.stdout) == (1, "")
    assert "jouren" in stranger.stderr


def test_without_a_demo_it_says_what_to_do(tmp_path: Path) -> None:
    answer = ask(tmp_path, "jouren")
    assert answer.returncode == 1
    assert "make demo" in answer.stderr

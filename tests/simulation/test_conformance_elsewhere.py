"""The kit tries locks and phones that run in other processes, over HCI on a socket, as a vendor would."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYTHON = sys.executable


@contextmanager
def running(*words: str) -> Iterator[str]:
    """A process of ours; gives the first line that it prints."""
    process = subprocess.Popen([PYTHON, *words], cwd=ROOT, stdout=subprocess.PIPE, text=True)  # noqa: S603
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def air() -> Iterator[str]:
    """The transport string of a radio space in a process of its own."""
    with running("-m", "simulation.radio", "--interval-ms", "1") as said:
        yield said.removeprefix("join with ")


def kit(*words: str) -> list[str]:
    command = [PYTHON, "-m", "simulation.conformance", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)  # noqa: S603
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def test_a_lock_in_another_process_is_tried_over_a_socket(air: str, tmp_path: Path) -> None:
    wired = ["-m", "simulation.conformance.wired"]
    subprocess.run([PYTHON, *wired, "make", str(tmp_path)], cwd=ROOT, check=True, capture_output=True)  # noqa: S603
    with running(*wired, "run", str(tmp_path), air) as said:
        assert said == "the lock is on the air and on the wire"
        hand = f"{PYTHON} -m simulation.conformance.wired hand {tmp_path} {{package}}"
        lines = kit(
            *("lock", "--transport", air, "--identity", str(tmp_path / "identity.cbor")),
            *("--commission", hand, "--only", "mac1 of zeros"),
        )
    assert lines[-1] == "1 passed, 0 failed"


def test_a_phone_in_another_process_is_tried_over_a_socket(air: str) -> None:
    tap = f"{PYTHON} -m simulation.conformance.phone.tap {air} {{case}}"
    lines = kit("phone", "--transport", air, "--tap", tap, "--only", "open: outcome jam")
    assert lines[-1] == "1 passed, 0 failed"

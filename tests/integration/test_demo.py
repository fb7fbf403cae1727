"""The demo as a newcomer runs it, and the proof that its checker can say no."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lockagent.lockfolder import open_folder
from lockagent.storage.slot import SLOT_SIZE
from protocol.entries import Entry, EntryType

PATIENCE_SECONDS = 600


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a demo that was run once, to its end."""
    folder = tmp_path_factory.mktemp("demo")
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "simulation.demo", "--once", "--folder", str(folder)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture
def evidence(told: Path, tmp_path: Path) -> Path:
    """A copy of the demo's folder, to be tampered with."""
    copy = tmp_path / "demo"
    shutil.copytree(told, copy)
    return copy


def check(folder: Path) -> tuple[int, dict[str, Any], str]:
    """Run the checker anew; its exit status, its report, and what it complains of."""
    command = [sys.executable, "-m", "simulation.demo.checker", "--locks", str(folder / "locks")]
    command += ["--radio", str(folder / "radio.json"), "--report", str(folder / "again.json")]
    environment = os.environ | {
        "NYCKELFRI_VAR": str(folder / "server"),
        "DJANGO_SETTINGS_MODULE": "server.config.settings",
        "DATABASE_URL": "",
        "REDIS_URL": "",
    }
    done = subprocess.run(  # noqa: S603
        command, env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, json.loads((folder / "again.json").read_text()), done.stderr


def change(folder: Path, sql: str) -> None:
    with sqlite3.connect(folder / "server" / "nyckelfri.sqlite3") as database:
        assert database.execute(sql).rowcount > 0


def test_the_report_of_the_demo_holds(told: Path) -> None:
    report = json.loads((told / "report.json").read_text())
    assert report["server_down_during_openings"] is True
    assert {one["reason"] for one in report["refused"]} >= {"wrong_binding", "expired"}
    assert any("port" in door for door in report["opened"])
    assert any("lägenhet" in door for door in report["opened"])
    assert report["passages_in_locks"] == report["passages_on_server"] > 0
    assert (report["lost"], report["doubled"], report["invented"]) == (0, 0, 0)
    assert report["round_trips"] <= 2
    assert report["application_bytes"] <= 340
    assert report["locks"] == 46
    assert any("Rådhusgatan" in door for door in report["opened"])


def test_the_parties_share_no_file(told: Path) -> None:
    """Locks, phones, server and root keys each have a folder of their own."""
    assert {path.name for path in told.iterdir() if path.is_dir()} == {"locks", "phones", "roots", "server"}


def test_the_checker_agrees_with_itself(evidence: Path) -> None:
    status, report, _complaints = check(evidence)
    assert status == 0
    assert report == json.loads((evidence / "report.json").read_text())


def _lose_a_passage(folder: Path) -> None:
    change(folder, "DELETE FROM passages_passage WHERE kind = 'refused'")


def _invent_a_passage(folder: Path) -> None:
    change(folder, "UPDATE passages_passage SET seq = 999 WHERE kind = 'hand'")


def _forge_a_passage(folder: Path) -> None:
    change(folder, "UPDATE passages_passage SET entry_bytes = x'00' WHERE kind = 'hand'")


def _deny_the_outage(folder: Path) -> None:
    change(folder, "DELETE FROM audit_auditentry WHERE action = 'server.stopped'")


def _spoil_a_log(folder: Path) -> None:
    """One bit in the second slot of a log that holds passages."""
    log = max(folder.glob("locks/*/log"), key=lambda path: len(path.read_bytes().rstrip(b"\0")))
    blob = bytearray(log.read_bytes())
    blob[2 * SLOT_SIZE + 100] ^= 1
    log.write_bytes(blob)


def _hide_a_lock(folder: Path) -> None:
    shutil.rmtree(next((folder / "locks").iterdir()))


@pytest.mark.parametrize(
    ("tamper", "complaint"),
    [
        (_spoil_a_log, "does not hold: the "),
        (_hide_a_lock, "every lock on a door was read"),
        (_lose_a_passage, "nothing lost"),
        (_invent_a_passage, "nothing invented"),
        (_forge_a_passage, "nothing invented"),
        (_deny_the_outage, "the server was down"),
    ],
)
def test_the_checker_notices(evidence: Path, tamper: Callable[[Path], None], complaint: str) -> None:
    tamper(evidence)
    status, _report, complaints = check(evidence)
    assert status == 1
    assert complaint in complaints


def test_rule_02_the_locks_decided_with_the_server_down(told: Path) -> None:
    """Rule 2, from the locks' own logs: grants and refusals happened inside the server's outage."""
    with sqlite3.connect(told / "server" / "nyckelfri.sqlite3") as database:
        rows = database.execute(
            "SELECT strftime('%s', at) FROM audit_auditentry "
            "WHERE action IN ('server.stopped', 'server.started') ORDER BY at"
        ).fetchall()
    stopped, returned = int(rows[1][0]), int(rows[2][0])
    during = [
        entry.kind
        for folder in (told / "locks").iterdir()
        for entry in _entries(folder)
        if stopped <= entry.time < returned
    ]
    assert during.count(EntryType.GRANTED) >= 4
    assert during.count(EntryType.REFUSED) == 3, "too early in practice, a foreign door, the shift over"


def _entries(folder: Path) -> list[Entry]:
    lock = open_folder(folder)
    try:
        return [Entry.decode(record.entry) for record in lock.store.boot().records]
    finally:
        lock.close()

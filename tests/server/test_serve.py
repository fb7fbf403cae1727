"""`manage.py serve` as a process of its own: starts, answers, stops cleanly, and can be started again."""

from __future__ import annotations

import stat
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.server.running import RunningServer

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("serve")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[RunningServer]:
    """The embedded default: nothing set, so local secrets, SQLite and everything in one process."""
    server = RunningServer(folder, SECRET_KEY="", KEY_ENCRYPTION_KEYS="", LOG_LEVEL="INFO")
    server.migrate()
    server.run("from tests.server.fill import fill; fill()")
    server.start()
    yield server
    server.stop()


def test_it_answers_with_a_strict_policy(server: RunningServer) -> None:
    assert httpx.get(server.url + "/healthz").text == "ok"
    answer = httpx.get(server.url + "/accounts/login/")
    assert answer.status_code == 200
    assert "Logga in" in answer.text
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy and "unsafe" not in policy
    assert answer.headers["X-Frame-Options"] == "DENY"


def test_static_files_are_whole(server: RunningServer) -> None:
    answer = httpx.get(server.url + "/static/nyckelfri/live.js")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert int(answer.headers["Content-Length"]) == len(answer.content) > 1000


def test_local_secrets_are_the_owners_alone(server: RunningServer, folder: Path) -> None:
    for name in ("secret_key", "key_encryption_keys"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600


def test_an_occupied_port_is_told_in_one_line(server: RunningServer) -> None:
    port = server.url.rsplit(":", 1)[1]
    with pytest.raises(AssertionError) as told:
        server.manage("serve", "--port", port)
    assert "Det går inte att lyssna på 127.0.0.1:" in str(told.value)
    assert "Traceback" not in str(told.value)


def test_nothing_alarming_is_logged(server: RunningServer) -> None:
    said = "".join(server.lines)
    assert "Traceback" not in said and "Warning" not in said and "[error" not in said, said


def test_it_stops_cleanly_and_says_so_in_the_audit_trail(server: RunningServer) -> None:
    begun = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - begun < 10
    assert "Nyckelfri har stannat.\n" in server.lines
    server.start()
    assert httpx.get(server.url + "/healthz").status_code == 200
    server.run(
        "from server.audit.models import AuditEntry as A\n"
        "rows = A.unscoped.filter(action__startswith='server.').order_by('pk')\n"
        "seen = [row.action for row in rows]\n"
        "assert seen == ['server.started', 'server.stopped', 'server.started'], seen"
    )

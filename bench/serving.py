"""How soon a fresh ``manage.py serve`` answers, and how much memory it then holds."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from bench.output import emit
from bench.results import Figure
from simulation.demo.server_process import HEALTH_PATH, free_port

ROUNDS = 3
PATIENCE_SECONDS = 60


def start_and_measure(var_dir: Path) -> tuple[float, float]:
    """Start a server on ``var_dir``; return (seconds to the first answer, resident memory in MB)."""
    port = free_port()
    environment = os.environ | {"NYCKELFRI_VAR": str(var_dir)}
    begun = time.perf_counter()
    server = subprocess.Popen(  # noqa: S603
        [sys.executable, "manage.py", "serve", "--port", str(port)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for_answer(server, f"http://127.0.0.1:{port}{HEALTH_PATH}")
        return time.perf_counter() - begun, _resident_mb(server.pid)
    finally:
        server.terminate()
        server.wait(30)


def _wait_for_answer(server: "subprocess.Popen[bytes]", url: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RuntimeError(f"the server ended with status {server.returncode} before it answered")
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.02)
    raise TimeoutError(f"no answer from {url} within {PATIENCE_SECONDS} s")


def _resident_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    resident = next(line for line in lines if line.startswith("VmRSS"))
    return int(resident.split()[1]) / 1024


def measure() -> list[Figure]:
    """The first start makes the database and is not counted."""
    with tempfile.TemporaryDirectory() as folder:
        start_and_measure(Path(folder))
        runs = [start_and_measure(Path(folder)) for _ in range(ROUNDS)]
    return [
        Figure("server.first_answer_s", statistics.median(run[0] for run in runs), "s"),
        Figure("server.memory_mb", statistics.median(run[1] for run in runs), "MB"),
    ]


if __name__ == "__main__":
    emit(measure())

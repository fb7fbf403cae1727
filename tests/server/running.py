"""A server process of its own for tests: real `manage.py serve`, own database, stopped by SIGTERM."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

from tests.plugins.migrated import FILE, copy_migrated

ROOT = Path(__file__).resolve().parents[2]
START_TIMEOUT_S = 60.0


class RunningServer:
    """`url` once started; `run` executes Python beside it on the same database."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.environment = {
            **os.environ,
            "NYCKELFRI_VAR": str(folder),
            "PYTHONUNBUFFERED": "1",
            **environment,
        }
        for name in ("DATABASE_URL", "REDIS_URL"):
            if name not in environment:
                self.environment.pop(name, None)
        self.process: subprocess.Popen[str] | None = None
        self.url = ""
        self.lines: list[str] = []

    def run(self, code: str) -> None:
        """Execute Python with Django set up, in another process."""
        self.manage("shell", "-v0", "-c", code)

    def migrate(self) -> None:
        """Make the tables, or rather copy them: the migrations then find nothing to do."""
        if "DATABASE_URL" not in self.environment:
            folder = Path(self.environment["NYCKELFRI_VAR"])
            folder.mkdir(parents=True, exist_ok=True)
            copy_migrated(folder / FILE)
        self.manage("migrate", "-v0")

    def manage(self, *arguments: str) -> None:
        """Run a management command; raises AssertionError with its complaint."""
        done = subprocess.run(  # noqa: S603
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise AssertionError(done.stderr[-3000:])

    def start_again(self) -> None:
        """Start at the same address as before."""
        self.start(self.url.rsplit(":", 1)[1])

    def start(self, port: str = "0") -> None:
        """Start `serve` (on any free port) and wait until it says where."""
        self.url = ""
        self.process = subprocess.Popen(  # noqa: S603
            [sys.executable, "manage.py", "serve", "--port", port],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        answered = threading.Event()
        threading.Thread(target=self._read, args=(answered,), daemon=True).start()
        if not answered.wait(START_TIMEOUT_S) or not self.url:
            self.stop()
            raise AssertionError("".join(self.lines))

    def _read(self, answered: threading.Event) -> None:
        assert self.process is not None and self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if found := re.search(r"svarar på http://127\.0\.0\.1:(\d+)/", line):
                self.url = f"http://localhost:{found[1]}"
                answered.set()
        answered.set()

    def stop(self) -> int:
        """Ask it to stop and return its exit status."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("the server did not stop on SIGTERM: " + "".join(self.lines)) from None

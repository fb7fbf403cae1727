"""Called by python-for-android while it packs the app; it is no part of the app.

Bleak brings two Java classes that Android calls back. They are taken from the bleak that was just built into
the app, so that the Java and the Python of it are always of one version.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

JAVA = Path("bleak", "backends", "p4android", "java")


def before_apk_build(toolchain: Any) -> None:
    """Add bleak's folder of Java files to what Gradle compiles."""
    installed = Path(toolchain.ctx.python_installs_dir) / toolchain._dist.name
    folders = [installed / arch.arch / JAVA for arch in toolchain.ctx.archs]
    found = next((folder for folder in folders if any(folder.rglob("*.java"))), None)
    if found is None:
        raise SystemExit(f"bleak's Java files are in none of {[str(folder) for folder in folders]}")
    toolchain.args.unknown_args += ["--add-source", str(found)]

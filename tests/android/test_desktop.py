"""On a desktop the app starts as ever: nothing of Android's is imported, whatever else is."""

from __future__ import annotations

import subprocess
import sys

from tests.android import apk

CODE = """
import sys
import mobile.__main__, mobile.run, mobile.engine.factory, mobile.ui.part, mobile.ui.device
found = [name for name in sys.modules if {"jnius", "android"} & set(name.split("."))]
assert not found, found
"""


def test_nothing_of_androids_is_imported(tmp_path: object) -> None:
    quiet = {"KIVY_NO_CONSOLELOG": "1", "KIVY_NO_FILELOG": "1", "HOME": str(tmp_path)}
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", CODE], cwd=apk.ROOT, env=quiet, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr

"""The engine as the app on a desk or in a pocket uses it: real Bluetooth, real server, real time."""

from __future__ import annotations

import platform
from pathlib import Path

from mobile.engine.engine import PhoneEngine
from mobile.engine.setup import Setup


def build(data_dir: Path) -> PhoneEngine:
    """Return an engine that keeps everything under ``data_dir``; nothing runs before its ``start``."""
    return PhoneEngine(Setup(data_dir, phone_model=f"{platform.system()} {platform.machine()}"[:80]))

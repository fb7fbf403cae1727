"""What an engine is built from: everything that touches the world, so that tests can be the world."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from bleak.backends.client import BaseBleakClient
from bleak.backends.scanner import BaseBleakScanner

from mobile.engine.adapter import Adapter
from mobile.engine.clock import steady
from mobile.engine.storage.disk import Disk
from mobile.engine.storage.hardware import HardwareKeys
from mobile.engine.storage.vaultfile import Cost

SYNC_SECONDS = 45.0
"""How often a signed-in phone with coverage asks for news: a revocation must arrive within a minute."""


@dataclass(frozen=True)
class Setup:
    """What an engine is built from; only the folder must be named."""

    data_dir: Path
    scanner_backend: type[BaseBleakScanner] | None = None
    client_backend: type[BaseBleakClient] | None = None
    """bleak backends; None = bleak's own for this platform."""
    adapter: Adapter | None = None
    """What the phone says about its own Bluetooth; None = the scan finds out by trying."""
    transport: httpx.AsyncBaseTransport | None = None
    wall: Callable[[], int] = lambda: int(time.time())
    monotonic: Callable[[], float] = steady
    random: Callable[[int], bytes] = os.urandom
    vault_cost: Cost = field(default_factory=Cost)
    hardware: HardwareKeys | None = None
    """Keys that the phone's hardware holds; None = the vault rests on the PIN alone."""
    sync_seconds: float | None = SYNC_SECONDS
    """None = only when asked: neither by itself nor because the server says that there is news."""
    listens: bool = True
    """Whether a websocket is kept open on which the server says that there is news."""
    phone_model: str = "desktop"
    disk: Disk = field(default_factory=Disk)

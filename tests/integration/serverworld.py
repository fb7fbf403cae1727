"""A phone's engine beside the real server: each verb runs on the phone's loop, then the test goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from django.core.cache import cache
from django.utils import timezone

from mobile.engine.engine import PhoneEngine
from mobile.engine.setup import Setup
from mobile.engine.storage.vaultfile import Cost
from server.people.models import StaffMember
from tests.server.issuer import PASSWORD, code_now, enrolment_code

T = TypeVar("T")
PIN = "493817"
CHEAP = Cost(memory_kib=64, passes=1, lanes=1)


class PhoneAtServer:
    """One phone; `server_url` names localhost, where plain HTTP is allowed."""

    def __init__(self, runner: asyncio.Runner, server_url: str, folder: Path, **setup: Any) -> None:
        self.runner = runner
        self.url = server_url
        self.folder = folder
        quiet: dict[str, Any] = {"vault_cost": CHEAP, "sync_seconds": None, "phone_model": "Prov"}
        self.engine = PhoneEngine(Setup(folder / "phone", **{**quiet, **setup}))
        self.do(self.engine.start())

    def do(self, verb: Coroutine[Any, Any, T]) -> T:
        """Run one verb on the phone's loop."""
        return self.runner.run(verb)

    def wait_for(self, true: Callable[[], Any], *, seconds: float = 15.0) -> None:
        """Let the phone live until something is true that it is not asked to do."""

        async def wait() -> None:
            async with asyncio.timeout(seconds):
                while not true():
                    await asyncio.sleep(0.02)

        self.runner.run(wait())

    def enrol(self, staff: StaffMember) -> None:
        """Trade a fresh one-time code for a device and a vault."""
        self.do(self.engine.server_identity(self.url))
        self.do(self.engine.enrol(self.url, enrolment_code(staff, timezone.now()), PIN))

    def sign_in(self, username: str = "alice") -> None:
        """Both halves; a code is good once, so the record of used ones is cleared first."""
        cache.clear()
        self.do(self.engine.sign_in(username, PASSWORD))
        self.do(self.engine.second_factor(code_now()))

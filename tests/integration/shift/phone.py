"""A phone seen from outside: a process with a screen that can be tapped and read, and that can be killed."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from simulation.radio.aerial import Aerial

START_SECONDS = 30.0
ANSWER_SECONDS = 60.0


class PhoneProcess:
    """`tests.ui.handset` with a folder of its own."""

    def __init__(self, folder: Path, aerial: Aerial) -> None:
        self._folder, self._aerial = folder, aerial
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Tap the app's icon."""
        command = ["-m", "tests.ui.handset", "--folder", str(self._folder), "--air", str(self._aerial.port)]
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": "."},
        )
        async with asyncio.timeout(START_SECONDS):
            assert await self._answer() == {"ready": True}

    async def kill(self) -> None:
        """As an operating system that needs the memory: at once, and without a word."""
        assert self._process is not None
        self._process.kill()
        await self._process.wait()
        self._process = None

    async def stop(self) -> None:
        """Put it away."""
        if self._process is not None:
            assert self._process.stdin is not None
            self._process.stdin.close()
            await self._process.wait()
            self._process = None

    async def do(self, verb: str, **what: Any) -> Any:
        """Have one thing done; raises AssertionError with what the screen shows when it cannot be."""
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": verb, **what}).encode() + b"\n")
        async with asyncio.timeout(ANSWER_SECONDS):
            answer = await self._answer()
        assert "error" not in answer, answer["error"]
        return answer["said"]

    async def tap(self, words: str, *beside: str) -> None:
        """Tap what says these words."""
        await self.do("tap", words=words, beside=beside)

    async def sees(self, words: str, seconds: float = 15.0) -> list[str]:
        """Wait for words on the screen; returns all that stands there."""
        seen: list[str] = (await self.do("wait", words=words, seconds=seconds))["words"]
        return seen

    async def _answer(self) -> dict[str, Any]:
        assert self._process is not None and self._process.stdout is not None
        line = await self._process.stdout.readline()
        assert line, "the app has ended"
        answer: dict[str, Any] = json.loads(line)
        return answer

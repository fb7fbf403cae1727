"""The story's hands on the street: the process with the radio and the locks, started, obeyed, ended."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any, Self

from lockagent.bolt import Bolt
from lockagent.commands import from_text, to_text
from simulation.backend.remote import RemoteEther
from simulation.demo.airtime import Airtime
from simulation.radio import Position


class StreetError(Exception):
    """The street could not do what was asked, or has ended."""


class FarLock:
    """A lock in the street, as hands and eyes at the bench have it."""

    def __init__(self, street: "StreetProcess", door_id: int) -> None:
        self._street = street
        self._door = door_id

    async def runs(self) -> list[str]:
        """Every order its motor has had."""
        runs: list[str] = (await self._look())["runs"]
        return runs

    async def bolt(self) -> Bolt:
        """Where its bolt is."""
        return Bolt((await self._look())["bolt"])

    async def receipted(self) -> int:
        """How many log entries its store holds receipts for."""
        return int((await self._look())["receipted"])

    async def turn_knob(self, bolt: Bolt) -> None:
        """Turn the knob on the inside, as the resident does."""
        await self._street.do("turn_knob", door=self._door, bolt=bolt.value)

    async def cut_answer(self) -> None:
        """Have the next link to it cut in the moment it says what it decided."""
        await self._street.do("cut_answer", door=self._door)

    async def _look(self) -> dict[str, Any]:
        seen: dict[str, Any] = await self._street.do("look", door=self._door)
        return seen


class StreetProcess:
    """``simulation.demo.street`` on a folder of locks."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self._log = log
        self._turn = asyncio.Lock()
        self._seats: list[RemoteEther] = []
        self.mounted: dict[int, str] = {}
        """Door id → the lock's name."""

    @classmethod
    async def start(cls, folder: Path, log: Path, shift: float) -> Self:
        """Start it with its clock ``shift`` seconds ahead."""
        arguments = ["--folder", str(folder), f"--shift={shift:.0f}"]
        with log.open("ab") as errors:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "simulation.demo.street",
                *arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                start_new_session=True,  # Ctrl-C is for the story; the street ends with its input
            )
        return cls(process, log)

    async def do(self, verb: str, **what: Any) -> Any:
        """Have one thing done. Raises StreetError."""
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise StreetError("the street has no line")
        async with self._turn:
            stdin.write(json.dumps({"do": verb, **what}).encode() + b"\n")
            line = await stdout.readline()
        if not line:
            raise StreetError(f"the street has ended; see {self._log}")
        answer = json.loads(line)
        if "error" in answer:
            raise StreetError(f"{verb}: {answer['error']}; see {self._log}")
        return answer["said"]

    async def stop(self) -> None:
        """Let it end in order; the locks' folders are free afterwards."""
        for seat in self._seats:
            await seat.close()
        self._seats.clear()
        if self._process.stdin is not None:
            self._process.stdin.close()
        status = await self._process.wait()
        if status:
            raise StreetError(f"the street ended with status {status}; see {self._log}")

    async def seat(self, name: str) -> RemoteEther:
        """A place in its radio space for one device of this process."""
        seat = await RemoteEther.at(await self.do("seat", name=name))
        self._seats.append(seat)
        return seat

    async def let_in(self) -> str:
        """The transport string with which anybody else may join."""
        where: str = await self.do("let_in")
        return where

    # -- what an installer does -----------------------------------------------------------------------------

    async def make(self, name: str, _position: Position) -> bytes:
        """Make a blank lock; returns its identity document. All locks hang in the same place."""
        return from_text(await self.do("make", name=name))

    async def mount(self, name: str, door_id: int, package: bytes) -> None:
        """Hand a blank lock its package and put it on the air."""
        await self.do("mount", name=name, door=door_id, package=to_text(package))
        self.mounted[door_id] = name

    async def scrap(self, name: str) -> None:
        """Take a blank lock away."""
        await self.do("scrap", name=name)

    # -- what the story does --------------------------------------------------------------------------------

    def lock_at(self, door_id: int) -> FarLock:
        """The lock on a door."""
        return FarLock(self, door_id)

    async def record(self, name: str) -> None:
        """Record what is on the air from and to one phone."""
        await self.do("record", name=name)

    async def measured(self) -> Airtime:
        """End the recording; what the opening in it cost."""
        return Airtime(**await self.do("measure"))

"""The real process, started by the real loader, changes its own program over the radio.

What systemd does is done here by hand: start it again whenever it ends.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lockagent import commands, lockfolder
from lockagent.firmware import builtin
from lockagent.firmware.loader import FOLDER, RESTART_CODE
from lockagent.firmware.record import Record, RecordSlots, Slot
from lockagent.firmware.release import build
from lockagent.firmware.store import load
from lockagent.image import TRIES, Result
from lockagent.rtc import SystemRtc
from protocol import firmware, identity
from protocol.entries import EntryType
from protocol.firmware import FirmwareChunk, FirmwareOffer, FirmwareResult
from protocol.messages import Carry, Command, Done, LogBatch
from protocol.reasons import Reason
from simulation.conformance.bench import Bench
from simulation.conformance.municipality import Municipality, Place
from simulation.conformance.wire import Line
from simulation.radio import Ether
from simulation.radio.hub import Hub
from tests.lockagent.crashdisk import CrashDisk

DIES = {"lockagent/__main__.py": "raise SystemExit(3)\n"}
SERVICE = 4
PATIENCE_SECONDS = 60.0


@dataclass
class Service:
    """Starts the loader again whenever what it became ends."""

    folder: Path
    air: str
    codes: list[int] = field(default_factory=list)
    process: asyncio.subprocess.Process | None = None

    async def run(self) -> None:
        options = ["--transport", self.air, "--settle", "0.2"]
        line = [sys.executable, "-m", "lockagent.firmware.loader", "--folder", str(self.folder), "--"]
        while True:
            self.process = await asyncio.create_subprocess_exec(
                *line, *options, stdout=asyncio.subprocess.DEVNULL
            )
            self.codes.append(await self.process.wait())

    @property
    def record(self) -> Record:
        """The record on the disk, read beside the running process."""
        path = self.folder / FOLDER / RecordSlots.NAME
        return load(RecordSlots(CrashDisk({path.name: path.read_bytes()} if path.exists() else {})))


@asynccontextmanager
async def started(folder: Path, air: str) -> AsyncIterator[Service]:
    service = Service(folder, air)
    running = asyncio.create_task(service.run())
    try:
        yield service
    finally:
        running.cancel()
        if service.process is not None and service.process.returncode is None:
            service.process.kill()
            await service.process.wait()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A lock on a door of the kit's."""
    return mounted(tmp_path)


def mounted(beside: Path) -> Place:
    """Make a lock in the folder `lock` there, and bind it to a door of the kit's."""
    folder = beside / "lock"
    made = lockfolder.create(folder, os.urandom)
    place = Place(Municipality(now=int(time.time())), identity.verify(made.identity_document()))
    made.close()
    package = folder.parent / "package"
    package.write_bytes(place.package(time=int(time.time())))
    commands.commission_lock(folder, package, lambda said: None, SystemRtc(survives_power_cuts=True))
    return place


def release(place: Place, version: int, extra: dict[str, str] | None = None) -> tuple[bytes, bytes]:
    """An image of this very program, or of one that dies, and its header."""
    image = build(extra)
    header = firmware.describe(
        image, model=builtin.MODEL, version=version, security=1, signed_at=int(time.time())
    )
    return image, firmware.sign(header, place.issuer.firmware_key)


@asynccontextmanager
async def served(bench: Bench) -> AsyncIterator[Line]:
    """A service session after m3."""
    async with bench.line() as line:
        request = bench.request(bench.token(scope=SERVICE), command=Command.SERVICE)
        decision = await bench.ask(line, request)
        assert decision.granted
        await line.tell(Carry(4096))
        await line.outcome()
        while not isinstance(said := await line.said(), Done):
            assert isinstance(said, LogBatch)
        yield line


async def carry(line: Line, image: bytes, header: bytes) -> None:
    await line.tell(FirmwareOffer(header))
    while True:
        said = await line.said()
        assert isinstance(said, FirmwareResult)
        assert said.reason == Reason.GRANTED
        if said.next == len(image):
            return
        await line.tell(FirmwareChunk(said.next, image[said.next : said.next + firmware.MAX_CHUNK]))


async def log_says(bench: Bench) -> list[tuple[object, ...]]:
    """The *firmware* entries, as the server reads them."""
    async with bench.line() as line:
        assert (await bench.ask(line, bench.request())).granted
        batches = await bench.finish(line, carry=4096)
    entries = [entry for one in batches for entry in bench.place.opened(one.sealed).entries]
    return [entry.detail for entry in entries if entry.kind == EntryType.FIRMWARE]


async def until(service: Service, active: Slot, fell_back: int) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (service.record.active, service.record.fell_back) != (active, fell_back):
            await asyncio.sleep(0.05)


async def test_the_process_runs_another_program_or_goes_back(tmp_path: Path, place: Place) -> None:
    hub = Hub(Ether(seed=5))
    air = await hub.listen_tcp()
    device = hub.ether.attach("installer")
    await device.power_on()

    async def by_wire(package: bytes) -> str:
        raise AssertionError("not used here")

    bench = Bench(device, place, lambda: int(time.time()), os.urandom, by_wire)
    async with started(tmp_path / "lock", air) as service:
        async with served(bench) as line:
            await carry(line, *release(place, 2, DIES))
        await until(service, Slot.BUILT_IN, fell_back=2)
        async with served(bench) as line:
            await carry(line, *release(place, 3))
        await until(service, Slot.A, fell_back=2)
        assert await log_says(bench) == [(1, 2, Result.FELL_BACK), (1, 3, Result.CONFIRMED)]
    assert service.codes == [RESTART_CODE, *[3] * TRIES, RESTART_CODE]
    await hub.close()

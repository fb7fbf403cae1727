"""The real process killed at any moment of an update: ``python -m tests.integration.program_kills 30``.

Each round brings a newer program to the same lock, killing the process (SIGKILL) at a random moment of the
transfer, the restart or the trial, and goes on until the lock has confirmed it.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import tempfile
import time
from pathlib import Path

from bumble.core import BaseBumbleError

from protocol.errors import ProtocolError
from simulation.conformance.bench import Bench
from simulation.conformance.municipality import Place
from simulation.conformance.verdict import DeviationError
from simulation.radio import Ether
from simulation.radio.hub import Hub
from tests.integration.test_firmware_process import Service, carry, mounted, release, served, started

CUT_OFF = (
    AssertionError,  # the lock is trying a program, or has it already
    BaseBumbleError,
    DeviationError,
    ProtocolError,
    TimeoutError,
    asyncio.CancelledError,  # how bumble ends what waited for a link that is gone
)
LONGEST_SECONDS = 3.0
"""An update without a kill takes about so long here."""


async def story(folder: Path, place: Place, kills: int) -> None:
    """Update after update, with so many kills in all."""
    hub = Hub(Ether(seed=7))
    device = hub.ether.attach("installer")
    await device.power_on()

    async def by_wire(package: bytes) -> str:
        raise RuntimeError(f"this lock was bound before it ran; {len(package)} bytes are for no one")

    bench = Bench(device, place, lambda: int(time.time()), os.urandom, by_wire)
    version = 1
    async with started(folder / "lock", await hub.listen_tcp()) as service:
        while kills > 0:
            version += 1
            image, header = release(place, version, {"version.txt": str(version)})
            killing = asyncio.create_task(_kill(service))
            while _runs(service) != version:
                try:
                    async with served(bench) as line:
                        await carry(line, image, header)
                    await asyncio.sleep(1.5)
                except CUT_OFF as cut:
                    print(f"  version {version}: {type(cut).__name__} {cut}", flush=True)
            kills -= await killing
            print(f"version {version} runs; {kills} kills to go")
    await hub.close()


async def _kill(service: Service) -> int:
    """Kill whatever runs, a moment from now."""
    await asyncio.sleep(random.uniform(0.0, LONGEST_SECONDS))  # noqa: S311 - moments, not keys
    if service.process is not None and service.process.returncode is None:
        service.process.kill()
    return 1


def _runs(service: Service) -> int:
    record = service.record
    header = record.header(record.active)
    return 1 if header is None else header.version


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        place = mounted(folder)
        asyncio.run(story(folder, place, int(sys.argv[1])))
    print("every update came to its end")


if __name__ == "__main__":
    main()

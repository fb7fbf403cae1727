"""The lock under test: ours on the simulated radio, or anybody's behind an HCI transport."""

from __future__ import annotations

import asyncio
import os
import shlex
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bumble.device import Device
from bumble.hci import Address
from bumble.transport import open_transport

from lockagent import lockfolder
from lockagent.agent import Agent, Parts
from lockagent.core.clock import RtcReading
from lockagent.firmware import builtin
from lockagent.firmware.record import Slot
from lockagent.firmware.store import FirmwareStore
from lockagent.motor.simulated import SimulatedMotor
from lockagent.peripheral.bumble_radio import BumbleRadio
from lockagent.storage.disk import DiskFiles
from protocol import commission, identity
from protocol.errors import ProtocolError
from protocol.identity import LockIdentity
from protocol.reasons import Reason
from simulation.radio import Ether
from simulation.radio.conditions import Conditions
from simulation.virtualtime import WallClock

BEGIN = 1_790_000_000
"""Unix time at which the simulated lock's story begins."""
COMMISSION_SECONDS = 60.0


@dataclass(frozen=True)
class UnderTest:
    """What the kit needs: who the lock is, a way to hand it packages by wire, a radio to reach it with."""

    identity: LockIdentity
    commission: Callable[[bytes], Awaitable[str]]
    """Takes a package and returns the slug of the lock's answer."""
    device: Device
    now: Callable[[], int]
    random: Callable[[int], bytes]
    model: bytes = b""
    """What its programs are made for, if that is known."""


@asynccontextmanager
async def simulated(air: Conditions | None = None) -> AsyncIterator[UnderTest]:
    """Our agent, blank, on a controller of the simulated radio; time is the loop's."""
    wall, ether = WallClock(BEGIN), Ether(1, air)
    with tempfile.TemporaryDirectory(prefix="conformance") as folder:
        opened = lockfolder.create(Path(folder) / "lock", os.urandom)
        images = DiskFiles(Path(folder) / "firmware")
        controller = ether.controller("lock", position=(1.0, 0.0))
        firmware = FirmwareStore(images, Slot.BUILT_IN)
        agent = Agent(
            Parts(opened.store, opened.secrets, SimulatedMotor(), RtcReading(wall()), os.urandom, firmware),
            radio=BumbleRadio(controller, controller, os.urandom),
        )

        async def hand_over(package: bytes) -> str:
            try:
                return agent.commission(commission.verify(package)).slug
            except ProtocolError:
                return Reason.COMMISSION_INVALID.slug

        device = ether.attach("kit")
        await device.power_on()
        await agent.start()
        try:
            document = identity.verify(opened.identity_document())
            yield UnderTest(document, hand_over, device, wall, os.urandom, builtin.MODEL)
        finally:
            await agent.stop()
            opened.close()
            images.close()


@asynccontextmanager
async def behind(transport: str, *, document: bytes, command: str) -> AsyncIterator[UnderTest]:
    """Anybody's lock, reached by a bumble transport; ``document`` is its signed identity.

    ``command`` hands it a package: {package} in it is replaced by a file's path, and the last word that it
    prints is the slug of the answer. Raises ProtocolError for a document that is no lock's.
    """
    found = identity.verify(document)

    async def hand_over(package: bytes) -> str:
        with tempfile.NamedTemporaryFile(suffix=".cbor") as file:
            file.write(package)
            file.flush()
            words = [word.replace("{package}", file.name) for word in shlex.split(command)]
            process = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
            async with asyncio.timeout(COMMISSION_SECONDS):
                printed, _ = await process.communicate()
        said = printed.decode(errors="replace").split()
        return said[-1] if said else "(nothing)"

    async with await open_transport(transport) as hci:
        address = Address.generate_static_address()
        device = Device.with_hci("kit", address, hci.source, hci.sink)
        await device.power_on()
        try:
            yield UnderTest(found, hand_over, device, lambda: int(time.time()), os.urandom)
        finally:
            await device.power_off()

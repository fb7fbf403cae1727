"""People at a door who have no right to it and a radio each: every way of being in the way we know."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress

from bumble.core import TimeoutError as BumbleTimeoutError
from bumble.gatt import GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR
from bumble.hci import HCI_Error

from protocol import framing, gatt
from protocol.framing import Kind
from simulation.rawcentral import RawCentral
from tests.lockagent.air import LiveLock

LEAST_WRITE = gatt.MIN_MTU - gatt.ATT_HEADER


class Stranger:
    """One attacker with a controller of its own, who begins anew as soon as it is thrown out."""

    def __init__(self, lock: LiveLock, name: str, manner: Callable[[Stranger], Awaitable[None]]) -> None:
        self.raw = RawCentral(lock.ether, name, position=(0.5, 0.0))
        self.lock = lock
        self.visits = 0
        self.chance = random.Random(name)  # noqa: S311 - seeded on purpose
        self._manner = manner

    async def run(self) -> None:
        """Connect, be in the way, again and again."""
        while True:
            # Bluetooth's own word for a lost race or a link that went: the next one, then.
            with suppress(BumbleTimeoutError, TimeoutError, HCI_Error, asyncio.InvalidStateError):
                await self.raw.connect(self.lock.radio.device.random_address, patience=1.0)
                self.visits += 1
                await self._manner(self)
            await asyncio.sleep(0.03)

    @property
    def linked(self) -> bool:
        return self.raw.connection is not None

    async def subscribe(self) -> None:
        server = self.lock.radio.device.gatt_server
        kind = GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR
        for attribute in server.attributes:
            if attribute.type == kind and attribute.handle > self.frames_in:
                await self.raw.subscribe(attribute.handle)
                return

    @property
    def frames_in(self) -> int:
        """The handle that takes frames."""
        handle: int = self.lock.radio._from_phone.handle
        return handle

    def write(self, frame: bytes) -> None:
        self.raw.send(b"\x52" + self.frames_in.to_bytes(2, "little") + frame)

    async def hold(self, seconds: float = 60.0) -> None:
        """Keep the link until it is ended from the other side."""
        async with asyncio.timeout(seconds):
            while self.linked:
                await asyncio.sleep(0.05)


async def come_and_go(one: Stranger) -> None:
    await one.raw.disconnect()


async def sit(one: Stranger) -> None:
    await one.hold()


async def subscribe_and_sit(one: Stranger) -> None:
    await one.subscribe()
    await one.hold()


async def guess(one: Stranger) -> None:
    """Frame upon frame of an m1 made of nothing."""
    await one.subscribe()
    while one.linked:
        for frame in framing.fragment(Kind.M1, one.chance.randbytes(240), 244):
            one.write(frame)
        await asyncio.sleep(0.05)


async def trickle(one: Stranger) -> None:
    """An m1 begun in time at the least MTU, and then as slowly as can be."""
    await one.subscribe()
    for frame in framing.fragment(Kind.M1, one.chance.randbytes(240), LEAST_WRITE):
        if not one.linked:
            return
        one.write(frame)
        await asyncio.sleep(1.0)


async def vanish(one: Stranger) -> None:
    """Out of range without a word: the link hangs until supervision ends it."""
    one.lock.ether.move(one.raw.name, (4000.0, 0.0))
    try:
        await one.hold()
    finally:
        one.lock.ether.move(one.raw.name, (0.5, 0.0))


async def chatter(one: Stranger) -> None:
    """Subscribe and unsubscribe, and write to whatever takes it."""
    while one.linked:
        await one.subscribe()
        one.write(one.chance.randbytes(20))
        await asyncio.sleep(0.05)


MANNERS: dict[str, Callable[[Stranger], Awaitable[None]]] = {
    one.__name__: one for one in (come_and_go, sit, subscribe_and_sit, guess, trickle, vanish, chatter)
}

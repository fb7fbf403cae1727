"""A phone in somebody's hand: the real engine, opened cold from its vault, with no network at all."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random

import httpx
from bumble.device import ConnectionParametersPreferences

from mobile.engine import content as codec
from mobile.engine.content import Content
from mobile.engine.engine import PhoneEngine
from mobile.engine.setup import Setup
from mobile.engine.state import Opening, Operation
from mobile.engine.storage.disk import Disk
from mobile.engine.storage.vaultfile import Cost
from mobile.engine.vault import Vaults
from simulation.backend import PhoneRadio
from simulation.radio import Ether
from simulation.taps import mix
from simulation.virtualtime import WallClock

PIN = "493817"
BEARER = "b1"
CHEAP = Cost(memory_kib=64, passes=1, lanes=1)
"""The vault's price is measured elsewhere; here it is opened a thousand times."""
OUT_OF_RANGE = -120.0
NEIGHBOURS_WEAKER_DB = 12.0


class QuickDisk(Disk):
    """The phone's disk without waiting for it: nobody cuts the phone's power here."""

    def sync(self, path: Path) -> None:
        """Nothing to wait for."""

    def sync_dir(self, folder: Path) -> None:
        """Nothing to wait for."""


class NoNetwork(httpx.AsyncBaseTransport):
    """Flight mode with Bluetooth on."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Fail at once, as a phone without coverage does."""
        raise httpx.ConnectError("no network", request=request)


class StairPhone:
    """One phone and its bearer."""

    def __init__(
        self,
        ether: Ether,
        name: str,
        folder: Path,
        wall: WallClock,
        chance: Random,
        *,
        interval_ms: float | None = None,
    ) -> None:
        """``interval_ms``: the connection interval it asks for; None = one of the mix, as is its MTU."""
        self.name, self._ether, self._folder, self._wall, self._chance = name, ether, folder, wall, chance
        self._mtu, self._interval = chance.choice(mix.MTUS), interval_ms or chance.choice(mix.INTERVALS_MS)
        self.radio = PhoneRadio(
            ether,
            name,
            mtu=self._mtu,
            manners=ConnectionParametersPreferences(
                connection_interval_min=self._interval,
                connection_interval_max=self._interval,
                supervision_timeout=mix.SUPERVISION_MS,
            ),
        )
        self._engine: PhoneEngine | None = None

    @property
    def build(self) -> str:
        """What kind of phone it is, for reports."""
        return f"MTU {self._mtu}, {self._interval:.0f} ms"

    async def begin_shift(self, content: Content) -> None:
        """Write what yesterday's sync left behind, then start the app from that and nothing else."""
        await self.end_shift()
        vaults = Vaults(self._folder / "vaults", disk=QuickDisk(), cost=CHEAP, random=self._chance.randbytes)
        (await vaults.create(BEARER, PIN, codec.encode(content))).close()
        self._engine = PhoneEngine(
            Setup(
                self._folder,
                scanner_backend=self.radio.scanner_backend,
                client_backend=self.radio.client_backend,
                transport=NoNetwork(),
                wall=self._wall,
                monotonic=asyncio.get_running_loop().time,
                random=self._chance.randbytes,
                vault_cost=CHEAP,
                sync_seconds=None,
                listens=False,
                disk=QuickDisk(),
            )
        )
        await self._engine.start()

    async def end_shift(self) -> None:
        """End the app."""
        engine, self._engine = self._engine, None
        if engine is not None:
            await engine.stop()

    async def take_out(self) -> None:
        """Open the vault; the scan begins."""
        await self.engine.unlock(PIN)

    async def put_away(self) -> None:
        """Into the pocket: the vault shuts."""
        await self.engine.settled()
        await self.engine.lock_app()

    async def tap(self, door_id: str, operation: Operation) -> tuple[Opening, float]:
        """The deliberate tap; returns how it ended, and after how many seconds."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        verb = self.engine.open_door if operation is Operation.OPEN else self.engine.lock_door
        opening = await verb(door_id)
        return opening, loop.time() - begun

    @property
    def engine(self) -> PhoneEngine:
        """The app. Raises RuntimeError between shifts."""
        if self._engine is None:
            raise RuntimeError("the app is not running")
        return self._engine

    def stand(self, doors: list[str], at: str, strength: float) -> None:
        """Stand at one door of the house: its lock is heard with `strength`, the others through walls."""
        for door in doors:
            weaker = 0.0 if door == at else NEIGHBOURS_WEAKER_DB
            self._ether.set_rssi(self.name, door, strength - weaker)

    def leave(self, doors: list[str]) -> None:
        """Be out of range of the whole house."""
        for door in doors:
            self._ether.set_rssi(self.name, door, OUT_OF_RANGE)

    async def deafen(self) -> None:
        """Let the scan end without a word, as platforms do."""
        await self.radio.switch_off()
        await self.radio.switch_on()

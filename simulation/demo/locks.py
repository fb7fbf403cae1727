"""The locks of the bench: the real agent, each on a store and a Bluetooth controller of its own."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from lockagent.agent import Agent, Parts
from lockagent.bolt import Bolt
from lockagent.commands import from_text, to_text
from lockagent.core.clock import RtcReading
from lockagent.core.events import Tick
from lockagent.lockfolder import LockFolder, create
from lockagent.motor.simulated import SimulatedMotor
from lockagent.peripheral.bumble_radio import BumbleRadio
from protocol import commission
from protocol.reasons import Reason
from simulation.demo import authenticator
from simulation.demo.clock import BenchClock
from simulation.pilot.signin import SignIn
from simulation.radio import Ether, Position


@dataclass
class BenchLock:
    """One lock: its folder, its agent, its bolt."""

    name: str
    folder: LockFolder
    agent: Agent
    motor: SimulatedMotor

    @property
    def identity_document(self) -> bytes:
        """What the lock says of itself, and all that leaves it before it is bound."""
        return self.folder.identity_document()

    @property
    def receipted(self) -> int:
        """How many log entries the lock's store says it holds receipts for."""
        return self.folder.store.boot().state.acked

    def turn_knob(self, bolt: Bolt, now: float) -> None:
        """Turn the knob on the inside, as the resident does."""
        self.motor.turn_by_hand(bolt, now)
        self.agent.touch()


class LockPark:
    """All locks of the bench."""

    def __init__(self, ether: Ether, clock: BenchClock, folder: Path, *, travel_seconds: float = 1.2) -> None:
        """``travel_seconds``: how long a bolt takes from one end to the other."""
        self._ether = ether
        self._travel_seconds = travel_seconds
        self._clock = clock
        self._folder = folder
        self.locks: dict[int, BenchLock] = {}
        """By door id."""

    def make(self, name: str, position: Position = (2.0, 0.0)) -> BenchLock:
        """Make a blank lock with fresh keys, not yet on the air."""
        folder = create(self._folder / name, os.urandom)
        motor = SimulatedMotor(bolt=Bolt.LOCKED, battery=96, travel_seconds=self._travel_seconds)
        controller = self._ether.controller(name, position=position)
        agent = Agent(
            Parts(folder.store, folder.secrets, motor, self._rtc(), os.urandom),
            radio=BumbleRadio(controller, controller, os.urandom),
            mono=self._clock.monotonic,
        )
        return BenchLock(name, folder, agent, motor)

    async def mount(self, lock: BenchLock, door_id: int, package: bytes) -> None:
        """Hand a blank lock its commissioning package and put it on the air."""
        reason = lock.agent.commission(commission.verify(package))
        if reason is not Reason.GRANTED:
            raise RuntimeError(f"{lock.name} refused its commissioning: {reason.slug}")
        await lock.agent.start()
        self.locks[door_id] = lock

    def scrap(self, lock: BenchLock) -> None:
        """Take a lock that found no door off the bench, with its keys and its empty log."""
        lock.folder.close()
        shutil.rmtree(self._folder / lock.name)
        self._ether.remove(lock.name)

    def time_has_passed(self) -> None:
        """Let every lock notice that the bench's clock was set ahead."""
        for lock in self.locks.values():
            lock.agent.feed(Tick())

    async def close(self) -> None:
        """Take every lock off the air and let go of its store."""
        for lock in self.locks.values():
            await lock.agent.stop()
            lock.folder.close()

    def _rtc(self) -> RtcReading:
        return RtcReading(int(self._clock.now()), lost=False)


class RefusedByServerError(Exception):
    """The server said no; the text is what it tells a person."""


class Installer:
    """An installer signed in with both factors, carrying bytes between a lock and the server."""

    def __init__(self, url: str, sign_in: SignIn, clock: BenchClock) -> None:
        self._sign_in = sign_in
        self._clock = clock
        self._client = httpx.AsyncClient(base_url=url, timeout=30)
        self._session = ""

    async def __aenter__(self) -> Self:
        credentials = {"username": self._sign_in.username, "password": self._sign_in.password}
        first = await self._client.post("/_allauth/app/v1/auth/login", json=credentials)
        self._session = first.json()["meta"]["session_token"]
        code = authenticator.code(self._sign_in.totp_secret, self._clock.now())
        second = await self._client.post(
            "/_allauth/app/v1/auth/2fa/authenticate",
            json={"code": code},
            headers={"X-Session-Token": self._session},
        )
        second.raise_for_status()
        self._session = second.json()["meta"].get("session_token", self._session)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    async def mount(self, park: LockPark, name: str, door_id: int, position: Position = (2.0, 0.0)) -> None:
        """Mount a new lock on a door: identity to the server, package to the lock, confirmation back.

        Raises RefusedByServerError, with no lock left behind, when the server does not allow it.
        """
        lock = park.make(name, position)
        try:
            answer = await self._post(
                "commission", door_id=door_id, lock_identity=to_text(lock.identity_document), lock_name=name
            )
        except RefusedByServerError:
            park.scrap(lock)
            raise
        await park.mount(lock, door_id, from_text(answer["commission"]))
        lock_id = lock.folder.secrets.identity.lock_id
        await self._post("commissioned", lock=to_text(lock_id), binding=answer["binding"])

    async def _post(self, verb: str, **body: Any) -> dict[str, Any]:
        headers = {"X-Session-Token": self._session}
        answer = await self._client.post(f"/api/v1/installer/{verb}", json=body, headers=headers)
        content: dict[str, Any] = answer.json()
        if answer.status_code != httpx.codes.OK:
            raise RefusedByServerError(content.get("message_sv", content.get("code", answer.text)))
        return content

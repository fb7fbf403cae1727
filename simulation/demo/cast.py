"""Who and what is on the bench, and what people do there: tap, lock, sync."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mobile.engine.state import AppState, DoorKind, DoorView, Opening, OpeningState
from simulation.demo.clock import BenchClock
from simulation.demo.narrator import Narrator
from simulation.demo.phones import StaffPhone
from simulation.demo.server_process import ServerProcess
from simulation.demo.street_process import FarLock, StreetProcess
from simulation.pilot.signin import SignIn

PATIENCE_SECONDS = 60.0


class StoryError(Exception):
    """A step did not come out as it must; the text says which and how."""


@dataclass
class Bench:
    """Everything on the bench: server, street and phones, three processes that share radio bytes and HTTP."""

    clock: BenchClock
    server: ServerProcess
    street: StreetProcess
    folder: Path
    narrator: Narrator
    pilot: dict[str, Any]

    def sign_in(self, username: str) -> SignIn:
        """The envelope with somebody's sign-in."""
        return SignIn(**self.pilot["sign_ins"][username])

    async def phone(self, username: str) -> StaffPhone:
        """A phone for somebody, not enrolled yet."""
        ether = await self.street.seat(f"phone-{username}")
        return StaffPhone(ether, self.clock, self.folder / "phones" / username, self.sign_in(username))


class Cast:
    """The people of the story; whoever plays wrongly ends it with a StoryError."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.tell = bench.narrator.tell
        self._first: dict[str, tuple[DoorView, DoorView]] = {}

    async def opens(self, phone: StaffPhone, door: DoorView) -> None:
        """One deliberate tap; the app must say that the bolt moved."""
        await self._tap(phone, door, phone.engine.open_door, OpeningState.OPEN)

    async def locks(self, phone: StaffPhone, door: DoorView) -> None:
        """Lock on leaving."""
        await self._tap(phone, door, phone.engine.lock_door, OpeningState.LOCKED)

    async def _tap(self, phone: StaffPhone, door: DoorView, verb: Any, wanted: OpeningState) -> None:
        shown: list[str] = []
        stop = phone.engine.subscribe(lambda state: _note(shown, state, door.id))
        opening: Opening = await verb(door.id)
        await phone.engine.settled()
        stop()
        expect(opening.state is wanted, f"{phone.name} at {named(door)}: {opening.state} {opening.reason}")
        await phone.engine.dismiss_opening(door.id)
        self.tell(f"{phone.person} at {named(door)}: {' → '.join(shown)}")

    async def hands_in(self, phone: StaffPhone) -> None:
        """Sync; sign in again first when the session has run out."""
        if await phone.try_sync():
            await phone.sign_in()
            await phone.engine.sync()
        await phone.engine.settled()
        waiting = phone.engine.state.sync.waiting_logs
        expect(waiting == 0, f"{phone.name}'s phone still holds {waiting} batches")

    def first_visit(self, phone: StaffPhone) -> tuple[DoorView, DoorView]:
        """Gate and apartment of the phone's first visit; remembered, for in the evening they are gone."""
        if phone.name not in self._first:
            state = phone.engine.state
            doors = {state.doors[one].kind: state.doors[one] for one in state.visits[0].door_ids}
            self._first[phone.name] = (doors[DoorKind.GATE], doors[DoorKind.APARTMENT])
        return self._first[phone.name]

    def lock_at(self, door: DoorView) -> FarLock:
        """The lock on a door."""
        return self.bench.street.lock_at(int(door.id))


def _note(shown: list[str], state: AppState, door_id: str) -> None:
    opening = state.openings.get(door_id)
    if opening is not None and (not shown or shown[-1] != opening.state.value):
        shown.append(opening.state.value)


def named(door: DoorView) -> str:
    """Name a door as its sign does."""
    parts = (door.address, door.entrance, door.floor, door.number)
    return f"{door.kind.value} {' '.join(part for part in parts if part)}"


def expect(holds: bool, otherwise: str) -> None:
    """End the story with ``otherwise`` unless it ``holds``."""
    if not holds:
        raise StoryError(otherwise)


async def until(holds: Callable[[], bool], otherwise: str) -> None:
    """Wait until it holds; end the story with ``otherwise`` when it takes too long."""

    async def check() -> bool:
        return holds()

    await until_async(check, otherwise)


async def until_async(holds: Callable[[], Awaitable[bool]], otherwise: str) -> None:
    """As ``until``, for a question that takes time itself."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await holds():  # noqa: ASYNC110 - what it waits for is another process
                await asyncio.sleep(0.5)
    except TimeoutError:
        raise StoryError(otherwise) from None

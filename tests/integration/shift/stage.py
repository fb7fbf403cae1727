"""The stage of a shift: the pilot on a server process, twenty locks in a street, Anna's phone and Björn's."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from mobile.engine.state import OpeningState
from simulation.demo import authenticator
from simulation.demo.attacks import read_out
from simulation.demo.clock import BenchClock
from simulation.demo.installer import Installer
from simulation.demo.livepage import LivePage
from simulation.demo.locks import BenchLock, LockPark
from simulation.demo.phones import StaffPhone
from simulation.demo.server_process import ServerProcess, free_port
from simulation.pilot import layout
from simulation.pilot.signin import SignIn
from simulation.radio import Ether
from simulation.radio.aerial import Aerial
from simulation.radio.conditions import Conditions
from tests.integration.shift.mast import Mast
from tests.integration.shift.phone import PhoneProcess
from tests.integration.shift.plan import VISITS
from tests.plugins.migrated import FILE, copy_migrated

ALARM = "4101"
"""Another provider's client, behind a gate that Anna's first visit leads through."""
APART_M = 100.0
"""From house to house; further than a lock is heard."""
TRAVEL_SECONDS = 0.1
PATIENCE_SECONDS = 40.0


def house_of(code: str) -> int:
    """How far down the street a client lives."""
    homes = enumerate(layout.houses())
    return next(at for at, house in homes if code in {one.alarm_code for one in house.apartments})


def address_of(code: str) -> str:
    """The address of a client's house."""
    return layout.houses()[house_of(code)].address


def number_of(code: str) -> str:
    """The number on a client's door."""
    homes = layout.houses()[house_of(code)].apartments
    return next(one.number for one in homes if one.alarm_code == code)


@dataclass
class Stage:
    """Everything that is not the phone under test, and the phone as a process."""

    folder: Path
    clock: BenchClock
    server: ServerProcess
    pilot: dict[str, Any]
    alarm_token: str
    ether: Ether
    park: LockPark
    mast: Mast
    aerial: Aerial
    anna: PhoneProcess
    bjorn: StaffPhone

    @property
    def sign_in(self) -> SignIn:
        """Anna's envelope."""
        return SignIn(**self.pilot["sign_ins"]["anna"])

    def code(self) -> str:
        """What Anna's authenticator shows now."""
        return authenticator.code(self.sign_in.totp_secret, self.clock.now())

    def lock_of(self, code: str) -> BenchLock:
        """The lock on a client's door."""
        return self.park.locks[self.pilot["apartments"][code]]

    def walk_to(self, code: str) -> None:
        """Anna goes to a client's house."""
        self.aerial.move((house_of(code) * APART_M, 0.0))

    async def mount_locks(self) -> None:
        """Gates first, then the apartments behind them."""
        codes = [*VISITS, ALARM]
        sign_in = SignIn(**self.pilot["sign_ins"]["montor"])
        async with Installer(self.server.url, sign_in, self.clock) as installer:
            for at in sorted({house_of(code) for code in codes}):
                gate = self.pilot["gates"][layout.houses()[at].address]
                await installer.mount(self.park, f"port-{at}", gate, (at * APART_M, 2.0))
            for code in codes:
                place = (house_of(code) * APART_M, 3.0)
                await installer.mount(self.park, f"dorr-{code}", self.pilot["apartments"][code], place)

    async def call(self, path: str, **body: str) -> dict[str, Any]:
        """What the alarm system says over HTTP."""
        headers = {"Authorization": f"AlarmSystem {self.alarm_token}"}
        async with httpx.AsyncClient(base_url=self.server.url, timeout=30) as http:
            answer = await http.post(f"/api/v1/alarms{path}", json=body, headers=headers)
        assert answer.is_success, answer.text
        said: dict[str, Any] = answer.json()
        return said

    async def revoke(self, username: str, code: str) -> None:
        """The patrol revokes one right, on the page for it."""
        door = self.pilot["apartments"][code]
        with sqlite3.connect(self.server.var_dir / FILE) as database:
            ((token,),) = database.execute(
                "SELECT t.id FROM access_token t JOIN locks_binding b ON b.id = t.binding_id "
                "JOIN people_bearer p ON p.id = t.bearer_id JOIN people_staffmember s ON s.id = p.staff_id "
                "JOIN people_user u ON u.id = s.user_id "
                "WHERE b.door_id = ? AND u.username = ? AND t.revoked_at IS NULL AND t.replaced_at IS NULL",
                (door, username),
            ).fetchall()
        patrol = SignIn(**self.pilot["sign_ins"]["jouren"])
        async with LivePage(self.server.url, patrol, self.clock) as desk:
            await desk.submit(f"/admin/revoke/token/{token}/", {"reason": "lost", "sure": "on"})

    async def bjorn_has_news(self, code: str) -> None:
        """Björn, who has coverage, syncs until he carries a newer bulletin for a client's lock."""
        binding = read_out(self.bjorn).doors[str(self.pilot["apartments"][code])].binding
        held = read_out(self.bjorn).locks[binding].bulletin_seq
        async with asyncio.timeout(PATIENCE_SECONDS):
            while read_out(self.bjorn).locks[binding].bulletin_seq <= held:
                await asyncio.sleep(0.2)
                await self.bjorn.engine.sync()

    async def bjorn_opens(self, code: str) -> None:
        """Björn opens a client's door and locks it again; what the lock told is handed in at once."""
        door = self.pilot["apartments"][code]
        self.bjorn.radio.move((house_of(code) * APART_M, 0.0))
        opening = await self.bjorn.engine.open_door(str(door))
        assert opening.state is OpeningState.OPEN, opening
        assert (await self.bjorn.engine.lock_door(str(door))).state is OpeningState.LOCKED
        await self.bjorn.engine.settled()

    def asked(self, sql: str) -> list[tuple[Any, ...]]:
        """What the server's database holds."""
        with sqlite3.connect(self.server.var_dir / FILE) as database:
            return database.execute(sql).fetchall()

    async def clear(self) -> None:
        """Everybody goes home."""
        await self.anna.stop()
        await self.bjorn.put_away()
        await self.aerial.close()
        await self.park.close()
        await self.mast.close()
        self.server.stop()


async def set_up(folder: Path) -> Stage:
    """A server with the pilot and Anna's twelve visits; the locks are not mounted yet."""
    clock = BenchClock(0.0)
    server = ServerProcess(folder / "server", free_port())
    copy_migrated(server.var_dir / FILE)
    roots = str(folder / "roots")
    told = server.run(0.0, "tests.integration.shift.plan", "--roots-out", roots)
    pilot, token = (json.loads(line) for line in told.splitlines())
    server.start(0.0)
    ether = Ether(seed=12, conditions=Conditions(connection_interval=0.015))
    mast, aerial = Mast(server.port), Aerial(ether, "phone-anna")
    await mast.open()
    await aerial.open()
    shutil.rmtree(folder / "locks", ignore_errors=True)
    bjorn = SignIn(**pilot["sign_ins"]["bjorn"])
    return Stage(
        folder,
        clock,
        server,
        pilot,
        token,
        ether,
        LockPark(ether, clock, folder / "locks", travel_seconds=TRAVEL_SECONDS),
        mast,
        aerial,
        PhoneProcess(folder / "phones" / "anna", aerial),
        StaffPhone(ether, clock, folder / "phones" / "bjorn", bjorn),
    )

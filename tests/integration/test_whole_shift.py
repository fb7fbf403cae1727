"""A whole shift, from enrolment to the last door, on the app's own screens, and counted afterwards.

Twelve visits behind seven gates; two dead zones; an alarm; a jam; a right revoked while nobody can tell the
phone, and told to the lock by a colleague's; the app killed in the middle of an opening. The server is a
process, the app is a process with real screens and touches, the locks are real agents on a simulated radio.
The checker that counts at the end sees only the locks' stores and the server's database.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

from lockagent.bolt import Bolt, Order
from tests.integration.shift.phone import PhoneProcess
from tests.integration.shift.plan import VISITS
from tests.integration.shift.stage import ALARM, Stage, address_of, house_of, number_of, set_up

PIN = "739146"
UNDERSTOOD = 0.8
"""Seconds that a card which has just come up takes no touches."""
LATER = 30.0
"""Seconds that something may take which nobody taps for."""
JAMMED, REVOKED, KILLED = "4106", "4110", "4111"


class Anna:
    """What Anna does at doors; her eyes and fingers are the phone process's."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.phone = stage, stage.anna

    async def begins(self) -> None:
        """Enrol with the code of the morning, compare the fingerprint, sign in with both factors."""
        phone, sign_in = self.phone, self.stage.sign_in
        await phone.do("type", words=[self.stage.mast.url, self.stage.pilot["codes"]["anna"]])
        await phone.tap("Fortsätt")
        await phone.sees("Lindviks kommun", LATER)
        await phone.tap("Ja, det stämmer")
        await phone.do("type", words=[PIN, PIN])
        await phone.tap("Registrera")
        await phone.sees("Lösenord", LATER)
        await phone.do("type", words=[sign_in.username, sign_in.password])
        await phone.tap("Logga in")
        await phone.sees("Bekräfta", LATER)
        await phone.do("type", words=[self.stage.code()])
        await phone.tap("Bekräfta")
        await phone.sees(f"Larmkod {VISITS[0]}", LATER)

    async def visits(self, code: str, *, gate: bool = True) -> None:
        """Gate, apartment, and lock on leaving."""
        self.stage.walk_to(code)
        if gate:
            await self.goes_in(code)
        await self.taps_open(code)
        await self.phone.sees("Öppen")
        await self.leaves(code)

    async def goes_in(self, code: str) -> None:
        """The gate is near, and so it stands on top, with its button."""
        await self.phone.tap("Öppna", f"port-{house_of(code)}")
        await self.phone.sees("Öppen")
        await self.phone.tap("Klar")
        await self.phone.sees("I dag")

    async def taps_open(self, code: str) -> None:
        """The apartment, from the day's list by way of the door's own screen."""
        await self.phone.tap(f"dorr-{code}")
        await self.phone.tap("Öppna")

    async def leaves(self, code: str) -> None:
        """Lock; the bolt is where the screen says."""
        await self.phone.tap("Lås när du går")
        await self.phone.sees("Låst")
        assert self.stage.lock_of(code).motor.bolt is Bolt.LOCKED
        await self.phone.tap("Klar")
        await self.back_to_today()

    async def back_to_today(self) -> None:
        """With the phone's back key."""
        while (await self.phone.do("see"))["screen"] != "today":
            await self.phone.do("back")


async def until(true: object, seconds: float = LATER) -> None:
    """Wait for what happens outside the phone."""
    async with asyncio.timeout(seconds):
        while not true():  # type: ignore[operator]
            await asyncio.sleep(0.002)


async def a_jam(anna: Anna) -> None:
    """The bolt is held: amber, what to do, and the same button once more."""
    lock = anna.stage.lock_of(JAMMED)
    lock.motor.faults.jammed = True
    anna.stage.walk_to(JAMMED)
    await anna.goes_in(JAMMED)
    await anna.taps_open(JAMMED)
    seen = await anna.phone.sees("Kärvar")
    assert "Öppen" not in seen
    assert lock.motor.bolt is Bolt.LOCKED
    lock.motor.faults.jammed = False
    await anna.phone.tap("Försök igen")
    await anna.phone.sees("Öppen")
    await anna.leaves(JAMMED)


async def an_alarm(anna: Anna) -> None:
    """It comes up by itself; one tap takes it; its doors open; the patrol ends it and the right is gone."""
    stage, phone = anna.stage, anna.phone
    said = await stage.call("", alarm_code=ALARM, external_id="larm-1")
    await phone.sees("Ta larmet", LATER)
    await asyncio.sleep(UNDERSTOOD)
    await phone.tap("Ta larmet")
    await phone.sees("Du har larmet", LATER)
    stage.walk_to(ALARM)
    for door in (f"port-{house_of(ALARM)}", f"dorr-{ALARM}"):
        await asyncio.sleep(UNDERSTOOD)
        await phone.tap("Öppna", door)
        await phone.sees("Öppen")
        await phone.tap("Klar")
        await phone.sees("Du har larmet")
    await stage.call(f"/{said['id']}/end", why="handled")
    await phone.do("gone", words="Du har larmet", seconds=LATER)
    await asyncio.sleep(UNDERSTOOD)
    await phone.tap("Klar")
    await anna.back_to_today()


async def a_revoked_right(anna: Anna) -> None:
    """Nobody can reach the phone, but a colleague has told the lock: rule 4."""
    stage, phone = anna.stage, anna.phone
    await stage.revoke("anna", REVOKED)
    await stage.bjorn_has_news(REVOKED)
    await stage.bjorn_opens(REVOKED)
    runs = list(stage.lock_of(REVOKED).motor.runs)
    stage.walk_to(REVOKED)
    await anna.goes_in(REVOKED)
    await anna.taps_open(REVOKED)
    seen = await phone.sees("Nekad")
    assert any("återkallad" in line for line in seen), seen
    await phone.tap("Kommer du inte in?")
    await phone.sees("Reservnyckel")
    assert stage.lock_of(REVOKED).motor.runs == runs
    await anna.back_to_today()


async def a_killed_app(anna: Anna, phone: PhoneProcess) -> None:
    """Killed while the bolt was on its way; afterwards the vault opens, and nothing acts twice."""
    motor = anna.stage.lock_of(KILLED).motor
    anna.stage.walk_to(KILLED)
    await anna.taps_open(KILLED)
    await until(lambda: Order.UNLOCK in motor.runs)
    await phone.kill()
    await phone.start()
    await phone.do("pin", digits=PIN)
    await phone.tap("Lås upp")
    await phone.sees(f"Larmkod {KILLED}", LATER)
    await anna.taps_open(KILLED)
    await phone.sees("Redan öppen")
    assert motor.runs == [Order.UNLOCK]
    await anna.leaves(KILLED)


async def play(stage: Stage) -> None:
    """The day, in its order."""
    anna, phone = Anna(stage), stage.anna
    await asyncio.gather(stage.mount_locks(), phone.start())
    bjorn = stage.bjorn.begin_shift(stage.server.url, stage.pilot["codes"]["bjorn"])
    await asyncio.gather(anna.begins(), bjorn)
    await anna.visits("4100")
    await anna.visits("4102")

    stage.mast.lose()
    await anna.visits("4104")
    await anna.visits("4105", gate=False)
    await a_jam(anna)
    stage.mast.regain()
    await anna.visits("4107", gate=False)
    await an_alarm(anna)

    stage.mast.lose(silently=True)
    await anna.visits("4108")
    await anna.visits("4109", gate=False)
    await a_revoked_right(anna)
    await a_killed_app(anna, phone)
    assert stage.mast.refused > 0, "the phone has tried, and been without coverage"
    stage.mast.regain()

    await anna.visits("4112")
    await anna.visits("4113", gate=False)
    await homewards(anna)


async def homewards(anna: Anna) -> None:
    """What waits is handed in; the person's own log tells of what failed too."""
    stage, phone = anna.stage, anna.phone
    await phone.tap("Historik")
    await phone.tap("Gick inte (2)")
    seen = await phone.sees("Nekad")
    assert any("Kärvar" in line for line in seen), seen
    await phone.tap("I dag")
    await phone.do("sync")
    await phone.sees("Synkad nyss")
    await stage.bjorn_opens(REVOKED)
    await stage.bjorn.engine.sync()


def count(folder: Path, stage: Stage) -> dict[str, object]:
    """Have it counted by a process that has seen nothing of it."""
    report = folder / "report.json"
    command = [sys.executable, "-m", "simulation.demo.checker"]
    command += ["--locks", str(folder / "locks"), "--report", str(report)]
    done = subprocess.run(  # noqa: S603
        command, env=stage.server.environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    counted: dict[str, object] = json.loads(report.read_text(encoding="utf-8"))
    return counted


async def test_rule_05_a_whole_shift_loses_doubles_and_invents_nothing(tmp_path: Path) -> None:
    stage = await set_up(tmp_path)
    try:
        await play(stage)
    finally:
        await stage.clear()
    report = count(tmp_path, stage)
    opened = Counter(str(door) for door in report["opened"])  # type: ignore[attr-defined]
    assert (report["lost"], report["doubled"], report["invented"]) == (0, 0, 0)
    assert [one["reason"] for one in report["refused"]] == ["revoked"]  # type: ignore[attr-defined]
    assert sum(opened.values()) == 8 + 12 + 2, "gates, Anna's apartments with the alarm's, and Björn's two"
    assert report["locks"] == 7 + 13
    for code in {*VISITS, ALARM} - {REVOKED}:
        assert any(address_of(code) in door and number_of(code) in door for door in opened), code
    ((state, arrived_at),) = stage.asked("SELECT state, arrived_at FROM alarms_alarm")
    assert state == "ended"
    assert arrived_at, "when the alarm's door was opened is known from the lock's own log"

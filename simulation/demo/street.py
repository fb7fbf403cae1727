"""The street as a process of its own: the radio space, and every lock in it.

``python -m simulation.demo.street --folder FOLDER --shift SECONDS`` reads one JSON command a line from
standard input and answers each with one line; it ends when its input ends. The commands are what hands do at
the bench (mount, turn a knob, disturb the air); phones come in over HCI, and see nothing but the air.
"""

import argparse
import asyncio
import json
import logging
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lockagent.bolt import Bolt
from lockagent.commands import from_text, to_text
from simulation.demo.airtime import measure
from simulation.demo.clock import BenchClock
from simulation.demo.locks import LockPark
from simulation.faults import NOTIFICATIONS, CutLink, matches
from simulation.radio import Ether, Recording, Side
from simulation.radio.aerial import Aerial
from simulation.radio.conditions import Conditions
from simulation.radio.hub import Hub

CONNECTION_INTERVAL_SECONDS = 0.03
"""What phones commonly settle on; the bench's radio waits for it like a real one."""
M2_NOTIFICATION = 2
"""The lock's first notification on a link is m0, the second m2 (at MTU 247 each fits one frame)."""


class Street:
    """Obeys one command at a time."""

    def __init__(self, folder: Path, shift: float) -> None:
        self._clock = BenchClock(shift)
        self._ether = Ether(seed=1, conditions=Conditions(connection_interval=CONNECTION_INTERVAL_SECONDS))
        self._park = LockPark(self._ether, self._clock, folder)
        self._hub = Hub(self._ether)
        self._aerials: list[Aerial] = []
        self._recording: Recording | None = None
        self._cut: tuple[CutLink, Callable[[], None]] | None = None

    async def obey(self, command: dict[str, Any]) -> Any:
        """Carry out ``{"do": verb, …}``."""
        return await getattr(self, f"do_{command.pop('do')}")(**command)

    async def close(self) -> None:
        """Everybody goes home; what the locks know is in their folders."""
        for aerial in self._aerials:
            await aerial.close()
        await self._hub.close()
        await self._park.close()

    # -- places in the ether --------------------------------------------------------------------------------

    async def do_seat(self, name: str) -> str:
        """A place for one phone; returns the transport string to it."""
        aerial = Aerial(self._ether, name)
        await aerial.open()
        self._aerials.append(aerial)
        return f"tcp-client:127.0.0.1:{aerial.port}"

    async def do_let_in(self) -> str:
        """Open the door for guests; returns the transport string they join with."""
        return await self._hub.listen_tcp()

    # -- locks ----------------------------------------------------------------------------------------------

    async def do_make(self, name: str) -> str:
        """As ``LockPark.make``."""
        return to_text(await self._park.make(name))

    async def do_mount(self, name: str, door: int, package: str) -> None:
        """As ``LockPark.mount``."""
        await self._park.mount(name, door, from_text(package))

    async def do_scrap(self, name: str) -> None:
        """As ``LockPark.scrap``."""
        await self._park.scrap(name)

    async def do_power_on(self) -> int:
        """As ``LockPark.power_on``."""
        return await self._park.power_on()

    async def do_look(self, door: int) -> dict[str, Any]:
        """What somebody with the lock open in front of them sees."""
        lock = self._park.locks[door]
        runs = [order.value for order in lock.motor.runs]
        return {"runs": runs, "bolt": lock.motor.bolt.value, "receipted": lock.receipted}

    async def do_turn_knob(self, door: int, bolt: str) -> None:
        """Turn the knob on the inside, as the resident does."""
        self._park.locks[door].turn_knob(Bolt(bolt), self._clock.monotonic())

    # -- air and time ---------------------------------------------------------------------------------------

    async def do_advance(self, seconds: float) -> None:
        """Set every lock's clock ahead."""
        self._clock.advance(seconds)
        self._park.time_has_passed()

    async def do_record(self, name: str) -> None:
        """Record what is on the air from and to one phone."""
        self._recording = self._ether.record(name)

    async def do_measure(self) -> dict[str, Any]:
        """End the recording; what the opening in it cost."""
        if self._recording is None:
            raise ValueError("nothing is being recorded")
        self._recording.stop()
        return asdict(measure(self._recording.packets))

    async def do_cut_answer(self, door: int) -> None:
        """Cut the next link to a lock in the moment it says what it decided."""
        name = self._park.locks[door].name
        cut = CutLink(matches(sender=Side.PERIPHERAL, opcodes=NOTIFICATIONS, name=name), nth=M2_NOTIFICATION)
        self._cut = cut, self._ether.add_rule(cut)

    async def do_lift_cut(self) -> int:
        """Disturb no more; returns how many links were cut."""
        if self._cut is None:
            raise ValueError("nothing is being cut")
        (cut, lift), self._cut = self._cut, None
        lift()
        return len(cut.struck)


async def live(folder: Path, shift: float) -> None:
    """Obey until standard input ends."""
    street = Street(folder, shift)
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    try:
        while line := await lines.readline():
            try:
                answer = {"said": await street.obey(json.loads(line))}
            except Exception as error:
                logging.exception("a command failed")
                answer = {"error": f"{type(error).__name__}: {error}"}
            print(json.dumps(answer), flush=True)
    finally:
        await street.close()


def main() -> None:
    """Parse and live."""
    parser = argparse.ArgumentParser(prog="python -m simulation.demo.street", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where each lock has its folder")
    parser.add_argument("--shift", type=float, required=True, help="seconds ahead of real time")
    options = parser.parse_args()
    logging.basicConfig(level=logging.ERROR)
    options.folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(live(options.folder, options.shift))


if __name__ == "__main__":
    main()

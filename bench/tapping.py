"""How long a door takes to be recognised, and a tap to be decided.

Recognising is computing (the thread's own time, so that a busy machine does not count). From tap to decision
is time on the air: the real engine with its scan running, the real lock agent, genuine bleak and bumble,
virtual clock. It holds everything: waiting for a connectable advert (every 250 ms), connecting, agreeing on
the MTU, discovery, subscribing, m0, m1 and m2. The loss goes for every link-layer packet, advert, scan
response and connection request alike.
"""

import asyncio
import os
import statistics
import tempfile
from pathlib import Path
from random import Random
from time import thread_time

from bench.output import emit
from bench.results import Figure
from mobile.engine.recogniser import SLICE
from mobile.engine.state import AppState, OpeningState, Operation
from protocol import advert
from protocol.settings import DoorKind, LockSettings
from simulation import virtualtime
from simulation.radio import Conditions, Ether
from simulation.taps import baggage
from simulation.taps.count import percentile
from simulation.taps.doorlock import DoorLock
from simulation.taps.house import BEGINS
from simulation.taps.phone import StairPhone
from simulation.taps.townhall import Place, TownHall, secret
from simulation.virtualtime import WallClock

INTERVALS_MS = (15, 30, 50)
LOSSES_PERCENT = (0, 5, 20)
TAPS = 40
ADVERTS = 60
RIGHTS = (40, 4_000)


def resolving(rights: int) -> list[Figure]:
    """An advert of a stranger's lock, which no key matches: the longest there is to do."""
    resolver = advert.Resolver([(os.urandom(8), os.urandom(32)) for _ in range(rights)])
    whole, turns = [], []
    for _ in range(ADVERTS):
        stranger = advert.make(os.urandom(32), os.urandom(8))
        begun = last = thread_time()
        for _match in resolver.attempts(stranger, SLICE):
            turns.append(thread_time() - last)
            last = thread_time()
        whole.append(thread_time() - begun)
    name = f"advert.resolve_{rights}_ms"
    turn = 1000 * statistics.median(turns)
    detail = f"median of {ADVERTS} strangers' adverts; one turn of the loop {turn:.2f} ms (CPU time)"
    return [Figure(name, 1000 * statistics.median(whole), "ms", "≤ 8", detail)]


async def deciding(interval_ms: int, loss_percent: int, folder: Path) -> list[float]:
    """Seconds from each tap to the lock's decision on the screen."""
    loss, name = loss_percent / 100, f"bench/{interval_ms}/{loss_percent}"
    air = Conditions(
        connection_interval=None, packet_loss=loss, advert_loss=loss, connect_loss=loss, fading_db=6.0
    )
    ether, wall, hall = Ether(name, air), WallClock(BEGINS), TownHall(name, shift=1)
    place = Place.make(f"{name}/gate", LockSettings(DoorKind.GATE))
    lock = DoorLock(ether, place, wall, Random(name))  # noqa: S311 - repeatable
    chance = Random(f"{name}/anna")  # noqa: S311 - repeatable
    phone = StairPhone(ether, "anna", folder, wall, chance, interval_ms=interval_ms)
    news, key = {place.name: hall.bulletin(place, wall())}, secret(name)
    await lock.mount(hall.commission(place, news[place.name]))
    tokens = baggage.rightful(hall, [place], key, wall())
    await phone.begin_shift(baggage.pack(hall, [place], news, tokens, key=key, now=wall()))
    await phone.take_out()
    seconds = [await _to_decision(phone, place.name, chance) for _ in range(TAPS)]
    await phone.end_shift()
    await lock.stop()
    return seconds


async def _to_decision(phone: StairPhone, door_id: str, chance: Random) -> float:
    await asyncio.sleep(8 + chance.random())  # the strike has fallen back, the lock is heard
    loop, granted = asyncio.get_running_loop(), list[float]()

    def look(state: AppState) -> None:
        opening = state.openings.get(door_id)
        if opening is not None and opening.state is OpeningState.GRANTED_UNLOCKING:
            granted.append(loop.time())

    begun = loop.time()
    leave = phone.engine.subscribe(look)
    opening, _ = await phone.tap(door_id, Operation.OPEN)
    leave()
    assert opening.state is OpeningState.OPEN, opening
    await phone.engine.settled()
    await phone.engine.dismiss_opening(door_id)
    return granted[0] - begun


def measure() -> list[Figure]:
    """Recognise, then tap at every interval and loss."""
    figures = [figure for rights in RIGHTS for figure in resolving(rights)]
    for interval in INTERVALS_MS:
        for loss in LOSSES_PERCENT:
            with tempfile.TemporaryDirectory() as folder:
                seconds = virtualtime.run(deciding(interval, loss, Path(folder)))
            name = f"tap.decision_{interval}ms_{loss}pct_s"
            detail = (
                f"median of {TAPS} taps; 95 of 100 within {percentile(seconds, 95):.2f} s (virtual clock)"
            )
            figures.append(Figure(name, statistics.median(seconds), "s", "≤ 2", detail))
    return figures


if __name__ == "__main__":
    emit(measure())

"""How a lock wears its flash: pages written in a year, counted, on a quiet door and under attack.

The real core and store on a disk that counts each page it flushes (4 KiB), for a month of virtual time with
ten openings a day, each bringing a bulletin with the receipt for what the one before carried home; and for a
day of a phone that has a token for another hour and asks all the time, with somebody at the cover switch.
"""

from collections import Counter
from typing import cast

from bench.output import emit
from bench.results import Figure
from lockagent.bolt import Tampered, Tampering
from lockagent.storage.ring import CAPACITY
from protocol.messages import Command
from protocol.reasons import Reason
from tests.lockagent.bench import SECRETS, Bench, Phone
from tests.lockagent.blockdisk import BlockDisk
from tests.lockagent.crashdisk import CrashDisk
from tests.lockagent.world import HOUR, Issuer, Place

DAYS = 30
OPENINGS = 10
A_YEAR = 365 / DAYS
PAGES_OF_LOG = CAPACITY // 16
RAW_FLASH_CYCLES = 3000
"""What a page of plain MLC flash without wear levelling takes (data sheets say 3 000 to 10 000)."""


def door() -> tuple[Bench, BlockDisk]:
    """A commissioned lock on a disk that counts."""
    disk = BlockDisk()
    place = Place(Issuer(), SECRETS.identity)
    bench = Bench(place, capacity=CAPACITY, disk=cast(CrashDisk, disk))
    assert bench.commission(place.commission(time=int(bench.wall))) is Reason.GRANTED
    disk.page_writes.clear()
    return bench, disk


def quiet_month(bench: Bench) -> None:
    """Ten openings a day; each courier brings the receipt for the last one's batch."""
    receipt = None
    for number in range(DAYS * OPENINGS):
        bench.advance(24 * HOUR / OPENINGS)
        anna = Phone(f"anna {number}")
        news = bench.place.bulletin(time=int(bench.wall), with_receipt=receipt)
        command = Command.OPEN if number % 2 == 0 else Command.LOCK
        attempt = anna.attempt(bench, anna.right(bench), command, news=news).run(2.0)
        receipt = bench.place.receipt(bench.place.opened(attempt.batches[0]))


def hostile(bench: Bench, hours: int) -> None:
    """Every half a minute a request that is refused for good reasons, and the cover open and shut."""
    phones = [Phone(f"mallory {number}") for number in range(40)]
    early = [phone.right(bench, not_before=int(bench.wall) + 40 * HOUR) for phone in phones]
    for number in range(hours * 120):
        bench.advance(30)
        phones[number % 40].attempt(bench, early[number % 40]).run()
        bench.feed(Tampered(Tampering.COVER_OPENED if number % 2 else Tampering.COVER_CLOSED))


def worst(writes: Counter[tuple[str, int]], name: str) -> int:
    """The most writes of one page of a file."""
    return max((count for (file, _), count in writes.items() if file == name), default=0)


def quiet() -> list[Figure]:
    """The figures of a quiet door."""
    bench, disk = door()
    quiet_month(bench)
    total = sum(disk.page_writes.values()) * A_YEAR
    log = bench.core._context.journal.head * A_YEAR / PAGES_OF_LOG
    state = worst(disk.page_writes, "state") * A_YEAR
    detail = f"state {state:.0f}, log {log:.0f}"
    return [
        Figure(
            "lock flash, pages written a year", round(total), "pages", detail=f"{OPENINGS} openings a day"
        ),
        Figure(
            "lock flash, the busiest page a year",
            round(max(state, log)),
            "writes",
            f"< {RAW_FLASH_CYCLES}",
            detail,
        ),
    ]


def attacked() -> list[Figure]:
    """The figures of a door under attack."""
    bench, disk = door()
    hostile(bench, 24)
    total = sum(disk.page_writes.values())
    log = sum(count for (file, _), count in disk.page_writes.items() if file == "log")
    detail = f"log {log}, state {total - log}; one state page {worst(disk.page_writes, 'state')}"
    return [Figure("lock flash, pages written in a day of attack", total, "pages", "bounded", detail)]


if __name__ == "__main__":
    emit([*quiet(), *attacked()])

"""What the counted year costs: joules from the battery, by what they went to."""

from __future__ import annotations

import dataclasses
from collections import Counter
from dataclasses import dataclass

from lockagent.core.pace import Pace
from simulation.energy.airtime import Airtime
from simulation.energy.figures import US, Battery, Build
from simulation.energy.year import Counts

BYTE = 8 * US
"""At 1 Mb/s."""
GAP = 150 * US
"""Between two packets (Core 5.4 vol 6 part B 4.1)."""
OVERHEAD = 16
"""Preamble, access address, header, address or L2CAP header, CRC: bytes beside an advert's data."""
ADVERT, SCAN_RESPONSE, SCAN_REQUEST = 21, 21, 6
EMPTY = 80 * US
"""An empty packet of a connection: 10 bytes."""
DRIFT = 100 * US
"""How much earlier a lock listens, for clocks that differ."""
JITTER = 0.005
"""The mean random delay of an advert."""
PROCESSING = 0.3e-3
"""CPU for each radio event (assumed)."""
SESSION_CPU = 20e-3
"""CPU for the rest of a session: frames, CBOR, the log (assumed; the Python core takes 1 ms on a PC)."""
WORD, PAGE = 4, 4096


@dataclass(frozen=True)
class Prices:
    """Joules at 3 V."""

    build: Build

    @property
    def volts(self) -> float:
        """Of the chip."""
        return self.build.chip.volts

    def event(self) -> float:
        """Waking for the radio."""
        chip = self.build.chip
        return self.volts * (chip.wake * chip.wake_current + PROCESSING * chip.cpu)

    def advert(self) -> float:
        """One advert on three channels, now and then answered by a scan request."""
        chip = self.build.chip
        send = (ADVERT + OVERHEAD) * BYTE * chip.transmit
        listen = (2 * chip.ramp + GAP + DRIFT / 2) * chip.receive
        asked = (SCAN_REQUEST + OVERHEAD) * BYTE * chip.receive + (
            SCAN_RESPONSE + OVERHEAD
        ) * BYTE * chip.transmit
        return self.event() + self.volts * (3 * (send + listen) + self.build.answered * asked)

    def link(self, visit: Airtime) -> float:
        """A whole connection."""
        chip = self.build.chip
        empty = (chip.ramp + DRIFT + EMPTY + GAP) * chip.receive + EMPTY * chip.transmit
        events = visit.seconds / self.build.interval_seconds
        sent = sum(size * BYTE for size in visit.sent) + len(visit.sent) * GAP
        heard = sum(size * BYTE for size in visit.heard) + len(visit.heard) * GAP
        packets = sent * chip.transmit + heard * chip.receive
        return events * (self.event() + self.volts * empty) + self.volts * packets

    def work(self, operations: Counter[str]) -> float:
        """Cryptography in software."""
        each = dataclasses.asdict(self.build.cycles)
        cycles: float = sum(each[name] * count for name, count in operations.items())
        return self.volts * self.build.chip.cpu * cycles / self.build.chip.hertz

    def flash(self, written: int) -> float:
        """Writing so many bytes, and erasing a page for each page's worth."""
        chip = self.build.chip
        seconds = written / WORD * chip.word + written / PAGE * chip.erase
        return self.volts * chip.flash * seconds


@dataclass(frozen=True)
class Budget:
    """Joules a year from the battery."""

    items: dict[str, float]

    @property
    def yearly(self) -> float:
        """All of it."""
        return sum(self.items.values())

    def years(self, battery: Battery) -> float:
        """How long the battery lasts, what it loses by itself included."""
        return battery.joules / (self.yearly + battery.yearly_loss * battery.joules)


def adverts(counts: Counts, build: Build) -> dict[Pace, float]:
    """How many adverts were sent at each pace."""
    gaps = {Pace.SLOW: build.slow_seconds + JITTER, Pace.FAST: build.fast_seconds + JITTER}
    return {pace: seconds / gaps[pace] for pace, seconds in counts.seconds.items()}


def of_year(counts: Counts, air: dict[str, Airtime], build: Build) -> Budget:
    """Multiply. `air`: what a visit of each kind is on the air; a guess is on the air as long as a look."""
    prices, share = Prices(build), 365 / counts.days
    sent = adverts(counts, build)
    strange = ("look", "sit", "guess")
    electronics = {
        "sleep": prices.volts * build.chip.sleep * counts.days * 86400,
        "sensors": prices.volts * build.sensors * counts.days * 86400,
        "adverts, at rest": sent.get(Pace.SLOW, 0.0) * prices.advert(),
        "adverts, after a touch or knock": sent.get(Pace.FAST, 0.0) * prices.advert(),
        "links of staff": counts.visits["opening"] * prices.link(air["opening"]),
        "links of strangers": sum(counts.visits[kind] * prices.link(_air(air, kind)) for kind in strange),
        "cryptography for staff": prices.work(counts.work.get("opening", Counter())),
        "cryptography for strangers": sum(prices.work(counts.work.get(kind, Counter())) for kind in strange),
        "computing beside it": counts.visits["opening"] * SESSION_CPU * build.chip.cpu * prices.volts,
        "flash": prices.flash(counts.written),
    }
    items = {name: share * joules / build.converter for name, joules in electronics.items()}
    items["motor"] = share * counts.runs * build.motor.joules
    return Budget(dict(sorted(items.items(), key=lambda item: -item[1])))


def opening(counts: Counts, air: dict[str, Airtime], build: Build) -> tuple[float, float]:
    """(Joules of one opening's electronics, joules of its motor runs, relocking included)."""
    prices, visits = Prices(build), counts.visits["opening"]
    work = prices.work(counts.work["opening"]) / visits
    computing = SESSION_CPU * build.chip.cpu * prices.volts
    electronics = prices.link(air["opening"]) + work + computing + prices.flash(counts.written) / visits
    return electronics / build.converter, counts.runs * build.motor.joules / visits


def stranger(counts: Counts, air: dict[str, Airtime], build: Build, kind: str) -> float:
    """Joules of one stranger's visit, its share of m0 included."""
    prices = Prices(build)
    work = prices.work(counts.work[kind]) / counts.visits[kind]
    return (prices.link(_air(air, kind)) + work) / build.converter


def _air(air: dict[str, Airtime], kind: str) -> Airtime:
    return air.get(kind, air["look"])

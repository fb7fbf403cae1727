"""Whether anything that was heard tells locks apart better than chance.

For each feature two sightings of one lock in different stints are compared with two of different locks. If
nothing links them, which sighting is whose could be dealt out anew in each stint; a score is how many
standard deviations the truth lies from such deals.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from simulation.privacy.ear import Sighting, grams, lengths

DEALS = 300
LIMIT = 4.5
"""Scores within this are chance: with 20 features both ways, one run in some 7 000 is beyond."""
Distance = Callable[[Sighting, Sighting], float]
Stint = Sequence[Sighting]


def _bits(one: bytes, other: bytes) -> float:
    if not one or not other:
        return 0.0
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_count()


def _unequal(one: bytes, other: bytes) -> float:
    return float(sum(a != b for a, b in zip(one, other, strict=False)))


def _circle(one: Sighting, other: Sighting, period: float) -> float:
    """How far the changes of address are from one beat."""
    if not one.changes or not other.changes:
        return period / 4
    apart = (one.changes[0] - other.changes[0]) % period
    return min(apart, period - apart)


def _of_probe(read: Callable[[Sighting], bytes], compare: Callable[[bytes, bytes], float]) -> Distance:
    return lambda one, other: compare(read(one), read(other)) if one.probe and other.probe else 0.0


def _number(read: Callable[[Sighting], float]) -> Distance:
    return lambda one, other: abs(read(one) - read(other))


def _salt(sighting: Sighting) -> bytes:
    return sighting.track.response[5:13]


def _rid(sighting: Sighting) -> bytes:
    return sighting.track.response[13:21]


def _m0(sighting: Sighting) -> bytes:
    return sighting.probe.m0 if sighting.probe else b""


def _table(sighting: Sighting) -> bytes:
    return sighting.probe.table if sighting.probe else b""


def _delay(sighting: Sighting) -> float:
    return sighting.probe.delay if sighting.probe else 0.0


def _visit_lengths(one: Sighting, other: Sighting) -> float:
    if one.visit is None or other.visit is None:
        return 0.0
    return float(abs(sum(lengths(one.visit)) - sum(lengths(other.visit))))


def _visit_bytes(one: Sighting, other: Sighting) -> float:
    if one.visit is None or other.visit is None:
        return 0.0
    return -float(len(grams(one.visit) & grams(other.visit)))


FEATURES: dict[str, Distance] = {
    "address, bits": lambda a, b: _bits(a.track.address, b.track.address),
    "address, bytes": lambda a, b: _unequal(a.track.address, b.track.address),
    "salt, bits": lambda a, b: _bits(_salt(a), _salt(b)),
    "salt, bytes": lambda a, b: _unequal(_salt(a), _salt(b)),
    "rid, bits": lambda a, b: _bits(_rid(a), _rid(b)),
    "rid, bytes": lambda a, b: _unequal(_rid(a), _rid(b)),
    "salt and rid together": lambda a, b: _bits(
        bytes(x ^ y for x, y in zip(_salt(a), _rid(a), strict=False)),
        bytes(x ^ y for x, y in zip(_salt(b), _rid(b), strict=False)),
    ),
    "advert data": lambda a, b: float(a.track.data != b.track.data),
    "scan response, length": _number(lambda one: len(one.track.response)),
    "interval": _number(lambda one: one.track.gap),
    "interval, spread": _number(lambda one: one.track.spread),
    "changes, beat of 900 s": lambda a, b: _circle(a, b, 900.0),
    "changes, beat of 60 s": lambda a, b: _circle(a, b, 60.0),
    "GATT table": _of_probe(_table, lambda a, b: float(a != b)),
    "MTU": _number(lambda one: float(one.probe.mtu) if one.probe else 0.0),
    "m0, bits": _of_probe(_m0, _bits),
    "m0, bytes": _of_probe(_m0, _unequal),
    "m0, delay": _number(_delay),
    "an opening, bytes in common": _visit_bytes,
    "an opening, length": _visit_lengths,
}


@dataclass(frozen=True)
class Verdict:
    """What an observer could tell."""

    scores: dict[str, float]
    right: int
    guesses: int
    chance: float
    """Guesses that would be right by luck."""
    spread: float
    """Their standard deviation over deals."""

    @property
    def guessing(self) -> float:
        """The score of guessing by everything at once."""
        return (self.right - self.chance) / self.spread if self.spread else 0.0

    @property
    def links(self) -> list[str]:
        """What tells locks apart; nothing, if all is well."""
        found = [name for name, score in self.scores.items() if abs(score) > LIMIT]
        return [*found, *(["everything at once"] if self.guessing > LIMIT else [])]


Table = dict[tuple[int, int], list[list[float]]]


def judge(stints: Sequence[Stint], *, deals: int = DEALS, seed: int = 1) -> Verdict:
    """Compare every two stints. All have the same locks in the same order."""
    chance = random.Random(seed)  # noqa: S311 - deals, not keys
    size = len(stints[0])
    dealt = [[chance.sample(range(size), size) for _ in stints] for _ in range(deals)]
    tables = {name: _table_of(stints, distance) for name, distance in FEATURES.items()}
    scores = {name: _score(table, dealt, size) for name, table in tables.items()}
    whole = _together(list(tables.values()), size)
    best = {
        (s, t, i): min(range(size), key=lambda j: row[j])
        for (s, t), rows in whole.items()
        for i, row in enumerate(rows)
    }
    truth = [list(range(size)) for _ in stints]
    by_luck = [_right(best, deal) for deal in dealt]
    spread = statistics.pstdev(by_luck)
    return Verdict(scores, _right(best, truth), len(best), statistics.mean(by_luck), spread)


def _table_of(stints: Sequence[Stint], distance: Distance) -> Table:
    return {
        (s, t): [[distance(one, other) for other in stints[t]] for one in stints[s]]
        for s in range(len(stints))
        for t in range(s + 1, len(stints))
    }


def _mean(table: Table, deal: Sequence[Sequence[int]], size: int) -> float:
    total = sum(rows[deal[s][i]][deal[t][i]] for (s, t), rows in table.items() for i in range(size))
    return total / (len(table) * size)


def _score(table: Table, deals: Sequence[Sequence[Sequence[int]]], size: int) -> float:
    means = [_mean(table, deal, size) for deal in deals]
    spread = statistics.pstdev(means)
    truth = _mean(table, [range(size)] * (1 + max(t for _, t in table)), size)
    return (truth - statistics.mean(means)) / spread if spread > 1e-12 else 0.0


def _together(tables: Sequence[Table], size: int) -> Table:
    """All distances, each in its own standard deviations, added."""
    whole: Table = {pair: [[0.0] * size for _ in range(size)] for pair in tables[0]}
    for table in tables:
        spread = statistics.pstdev([value for rows in table.values() for row in rows for value in row])
        if spread > 1e-12:
            for pair, rows in table.items():
                for i in range(size):
                    for j in range(size):
                        whole[pair][i][j] += rows[i][j] / spread
    return whole


def _right(best: dict[tuple[int, int, int], int], deal: Sequence[Sequence[int]]) -> int:
    """How many guesses are right if the locks are dealt out like this."""
    return sum(deal[s].index(i) == deal[t].index(j) for (s, t, i), j in best.items())

"""Is a door's log complete for a period? What is proven, what is not, and why not.

A stretch is what one lock's log of one epoch holds of the period, reaching to the neighbours on both sides:
that an entry before and one after stand outside the period is what proves that none inside is missing at the
edges. Numbers that are missing are named with the reason; entries that no signature of the lock reaches rest
on the issuer's word, and are named as such. What has not come home cannot be known by anybody: it is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from protocol.batchhead import Head
from protocol.statement import Missing, OnlyIssuer, Range
from server.locks.models import Binding, LogPosition
from server.passages import proof_queries as queries
from server.passages.domain.sweeping import kept_from
from server.passages.models import BatchHead
from server.passages.proof_queries import Span
from server.places.models import Door
from server.tenancy.scoping import whole_municipality

LONGEST = timedelta(days=366)
MOST_NUMBERS = 200_000
"""Of one stretch; a longer one is proven in several periods."""


class TooLongError(ValueError):
    """The period is too long, or holds too many entries, for one statement."""


@dataclass(frozen=True)
class Stretch:
    """What one epoch of a lock's log holds of the period."""

    binding: Binding
    span: Span
    first: int
    last: int
    """Numbers that the statement speaks of: the period's, and a neighbour on either side if there is one."""
    stored: tuple[int, ...]
    """Numbers in the database, those of whole batches beside `first` and `last` included."""
    heads: tuple[Head, ...]
    """Signed heads whose entries are all stored."""
    missing: tuple[Range, ...]
    only_issuer: tuple[Range, ...]
    position: LogPosition | None
    ended: bool
    """Whether the lock has begun a newer epoch: the rest of this one will never come."""
    awaited: tuple[int, int] | None
    """Numbers between the receipted and what came home ahead."""
    followed: bool
    """Whether an entry after the period is there, so that nothing of the period is still in the lock."""
    last_moment: datetime | None

    @property
    def received(self) -> int:
        """The newest receipted number."""
        return self.position.acked_seq if self.position else 0

    @property
    def tight(self) -> bool:
        """Whether everything the stretch speaks of is there and under the lock's signature."""
        return not self.missing and not self.only_issuer


@dataclass(frozen=True)
class Examination:
    """A door, a period, and what its logs hold of it."""

    door: Door
    start: datetime
    end: datetime
    at: datetime
    kept_from: datetime
    bindings: tuple[Binding, ...]
    stretches: tuple[Stretch, ...] = field(default_factory=tuple)

    @property
    def count(self) -> int:
        """Entries of the door in the period."""
        return sum(one.span.count for one in self.stretches)

    @property
    def complete(self) -> bool:
        """Whether nothing is missing of the period, and nothing of it can still be on its way."""
        inside = bool(self.stretches) and self.start >= self.kept_from
        return inside and all(one.tight and one.followed for one in self.stretches)


@whole_municipality()
def examine(*, door: Door, start: datetime, end: datetime, at: datetime) -> Examination:
    """Look at what the logs of a door hold of [start, end); raises `TooLongError`.

    Only for those who may see everything of the door: numbers tell of everybody who came.
    """
    if not start < end or end - start > LONGEST:
        raise TooLongError
    bindings = queries.bindings_at(door, start, end)
    positions = queries.positions({binding.lock_id for binding in bindings})
    stretches = []
    for binding in bindings:
        began, ended = max(start, binding.starts_at), min(end, binding.ends_at or end)
        found = queries.spans(binding, start, end)
        beside = [] if found else [queries.around(binding, began, ended)]
        stretches += [_stretch(binding, span, positions) for span in (*found, *beside) if span is not None]
    return Examination(
        door, start, end, at, kept_from(door.municipality, at=at), tuple(bindings), tuple(stretches)
    )


def _stretch(binding: Binding, span: Span, positions: dict[tuple[int, int], LogPosition]) -> Stretch:
    lock, epoch = binding.lock_id, span.epoch
    before = queries.neighbour_before(lock, epoch, span.first) if span.count else span.first
    after = queries.neighbour_after(lock, epoch, span.last) if span.count else span.last
    first, last = before or span.first, after or span.last
    gaps = queries.gaps(lock, epoch, 1, first)
    if before is None and gaps:
        first = gaps[0].first_seq  # the beginning itself is missing: it belongs to what is said
    if last - first > MOST_NUMBERS:
        raise TooLongError
    kept = queries.heads(lock, epoch, first, last)
    reach = (min([first, *(one.first_seq for one in kept)]), max([last, *(one.last_seq for one in kept)]))
    stored = queries.numbers(lock, epoch, *reach)
    there = set(stored)
    heads = _whole(kept, there, last)
    position = positions.get((lock, epoch))
    stored = [number for number in stored if number <= max([last, *(head.last for head in heads)])]
    return Stretch(
        binding=binding,
        span=span,
        first=first,
        last=last,
        stored=tuple(stored),
        heads=tuple(heads),
        missing=tuple(_missing(range(first, last + 1), there, heads)),
        only_issuer=tuple(_only_issuer([n for n in stored if first <= n], heads, kept)),
        position=position,
        ended=any(one == lock and other > epoch for one, other in positions),
        awaited=_awaited(lock, epoch, position),
        followed=after is not None and (span.count > 0 or span.last > span.first),
        last_moment=queries.last_moment(lock, epoch),
    )


def _whole(kept: Sequence[BatchHead], there: set[int], last: int) -> list[Head]:
    """Return the heads whose entries are all there; the one beyond `last` only where it is needed."""
    found = [
        Head.decode(bytes(one.document))
        for one in kept
        if all(number in there for number in range(one.first_seq, one.last_seq + 1))
    ]
    within = [head for head in found if head.first <= last]
    return within if any(head.last >= last for head in within) else found


def _awaited(lock: int, epoch: int, position: LogPosition | None) -> tuple[int, int] | None:
    ahead = queries.waiting(lock, epoch)
    received = position.acked_seq if position else 0
    return (received + 1, ahead[0] - 1) if ahead is not None and ahead[0] > received + 1 else None


def _missing(wanted: range, there: set[int], heads: Sequence[Head]) -> list[Range]:
    stated = [one for head in heads if head.gap is not None for one in head.gap.lost()]

    def why(first: int, last: int) -> Missing:
        signed = any(one <= first and last <= other for one, other in stated)
        return Missing.OVERWRITTEN if signed else Missing.LOST

    return [Range(*run, why(*run)) for run in runs(number for number in wanted if number not in there)]


def _only_issuer(stored: Sequence[int], heads: Sequence[Head], kept: Sequence[BatchHead]) -> list[Range]:
    """Return what no whole signed batch reaches, directly or through the chain behind it."""
    found = []
    ends = [number for head in heads for number in (head.last, *kept_numbers(head))]
    for first, last in runs(stored):
        reached = max((end for end in ends if first <= end <= last), default=first - 1)
        if reached < last:
            begun = any(one.first_seq <= last and one.last_seq > reached for one in kept)
            why = OnlyIssuer.ERASED_BESIDE if begun else OnlyIssuer.NOT_KEPT
            found.append(Range(reached + 1, last, why))
    return found


def kept_numbers(head: Head) -> list[int]:
    """Return the numbers that a batch brought home out of its gap."""
    return [one.entry.seq for one in head.gap.kept] if head.gap is not None else []


def runs(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Return unbroken runs of ascending numbers as (first, last)."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found

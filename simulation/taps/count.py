"""What was counted: one record a tap, and the sums that are reported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mobile.engine.state import DONE_WELL, OpeningState

PERCENTILES = (50, 95, 99)
UNDATED = frozenset({"early", "expired"})
"""What is wrong with a right that only a clock can tell."""


@dataclass(frozen=True)
class Tap:
    """One tap and what came of it. `kind`: rightful, hindered or wrongful."""

    house: int
    number: int
    kind: str
    detail: str
    """The hindrance, or what was wrong with the right; '' for a rightful tap."""
    door: str
    operation: str
    phone: str
    air: str
    mishaps: tuple[str, ...]
    state: OpeningState
    reason: str
    seconds: float
    moved: bool
    """Whether the door stands as asked: bolt drawn or thrown, or the strike released once for this tap."""
    acts: int
    """How often the lock acted in the whole scene (a colleague's tap is a second act at a gate)."""
    acts_allowed: int
    clockless: bool
    """The lock had lost its clock: then rule 7 lets it accept, marked and bounded, what it cannot date."""
    told: bool
    """Whether what the phone said may be said of what happened."""

    @property
    def well(self) -> bool:
        """The phone says that it is done, and it is."""
        return self.state in DONE_WELL and self.moved

    @property
    def false_green(self) -> bool:
        """The phone says that it is done, and it is not: must never be."""
        return self.state in DONE_WELL and not self.moved

    @property
    def acted_twice(self) -> bool:
        """More acts than taps: must never be."""
        return self.acts > self.acts_allowed

    @property
    def excused(self) -> bool:
        """A wrongful tap that a lock without a clock could not know to be wrongful."""
        return self.clockless and self.detail in UNDATED

    @property
    def opened_wrongfully(self) -> bool:
        """Somebody without a right was let in: must never be."""
        opened = self.state in DONE_WELL or self.acts > self.acts_allowed
        return self.kind == "wrongful" and opened and not self.excused

    def line(self) -> str:
        """One line for a reader who looks for the cause."""
        mishaps = ", ".join(self.mishaps) or "nothing else"
        return (
            f"house {self.house} tap {self.number} {self.operation} {self.door} ({self.phone}; {self.air}; "
            f"{mishaps}) {self.detail}: {self.state} {self.reason} after {self.seconds:.1f} s"
        )


def summary(taps: Sequence[Tap]) -> dict[str, float]:
    """The sums, by name."""
    rightful = [tap for tap in taps if tap.kind == "rightful"]
    wrongful = [tap for tap in taps if tap.kind == "wrongful"]
    hindered = [tap for tap in taps if tap.kind == "hindered"]
    well = [tap for tap in rightful if tap.well]
    sums: dict[str, float] = {
        "taps": len(taps),
        "rightful": len(rightful),
        "rightful_well": len(well),
        "rightful_share": len(well) / len(rightful) if rightful else 0.0,
        "wrongful": len(wrongful),
        "wrongful_opened": sum(tap.opened_wrongfully for tap in wrongful),
        "undated_opened_by_a_lock_without_clock": sum(
            tap.excused and tap.state in DONE_WELL for tap in wrongful
        ),
        "wrongful_told_the_reason": sum(tap.reason not in ("", "no_answer", "not_found") for tap in wrongful),
        "hindered": len(hindered),
        "hindered_told_truly": sum(tap.told for tap in hindered),
        "false_green": sum(tap.false_green for tap in taps),
        "acted_twice": sum(tap.acted_twice and not tap.excused for tap in taps),
        "told_untruly": sum(not tap.told and not tap.excused for tap in taps),
    }
    for share in PERCENTILES:
        sums[f"seconds_p{share}"] = round(percentile([tap.seconds for tap in well], share), 2)
    return sums


def holds(sums: dict[str, float], *, least: float) -> bool:
    """Whether what must be true is true."""
    never = ("wrongful_opened", "false_green", "acted_twice", "told_untruly")
    return sums["rightful_share"] >= least and not any(sums[name] for name in never)


def percentile(values: Sequence[float], share: int) -> float:
    """The nearest-rank percentile; 0 of nothing."""
    ranked = sorted(values)
    return ranked[max(0, -(-len(ranked) * share // 100) - 1)] if ranked else 0.0


def by(taps: Iterable[Tap], names: tuple[str, ...]) -> list[tuple[str, int]]:
    """How many taps for each combination of these fields, most first."""
    return Counter(" / ".join(str(getattr(tap, name)) for name in names) for tap in taps).most_common()

"""The picture that a preview paints: keys that die and are born, door by door and client by client."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from server.locks.models import Binding
from server.people.models import Team
from server.places.models import Door
from server.switches.models import ProviderSwitch
from server.switches.rules import ClientPlan, Notice, Stand, Tone


class Fate(StrEnum):
    """What becomes of one of the old provider's keys."""

    EXPIRES = "expires"
    """Ends by itself at the instant or before."""
    CUT = "cut"
    """Reaches beyond: a shorter one takes its place and the lock is told to refuse it."""
    REVOKED = "revoked"
    """Nothing is left of the right: the lock is told to refuse it."""
    KEPT = "kept"
    """Rests on something else too, such as another client behind the same gate."""


@dataclass(frozen=True)
class Born:
    """Somebody of the new provider who gets a right at a door."""

    who: str
    has_phone: bool
    shift_from: datetime
    opens_from: datetime


@dataclass
class DoorLine:
    """What the switch means at one door; a gate's line is the same for everybody behind it."""

    door: Door
    binding: Binding | None
    on_the_way: bool
    fates: Counter[Fate] = field(default_factory=Counter)
    bearers: set[int] = field(default_factory=set)
    alive_until: datetime | None = None
    """When the last dying key ends by itself, should no phone bring the lock the news."""
    never: int = 0
    """Shifts of the old provider that would have opened it and now get no key."""
    kept_for: list[str] = field(default_factory=list)
    born: list[Born] = field(default_factory=list)
    had_already: int = 0
    """Shifts of the new provider that open it anyway."""
    learns_at: datetime | None = None
    """When somebody with fresh news is next expected there."""

    @property
    def must_learn(self) -> bool:
        """Whether the lock has something to hear of at all."""
        return bool(self.fates[Fate.CUT] or self.fates[Fate.REVOKED])

    @property
    def dying(self) -> int:
        """How many keys die."""
        return sum(self.fates.values()) - self.fates[Fate.KEPT]


@dataclass
class ClientPreview:
    """One client's line."""

    plan: ClientPlan
    team: Team
    doors: list[DoorLine]
    warnings: list[Notice]

    @property
    def tone(self) -> str:
        """The worst of the warnings, for the mark in the list."""
        return next((tone for tone in Tone if any(one.tone == tone for one in self.warnings)), "ok")


@dataclass
class Preview:
    """The whole picture."""

    at: datetime
    clients: list[ClientPreview]
    doors: list[DoorLine]
    fates: Counter[Fate]
    """Each key counted once."""
    stands: dict[int, Stand]
    planned: dict[int, ProviderSwitch]
    """Clients who are in another switch to come: this one would be refused."""

    def warning_counts(self) -> list[tuple[Notice, int, list[str]]]:
        """Return each kind of warning with how many clients it concerns and their codes, the worst first."""
        kinds: dict[str, tuple[Notice, list[str]]] = {}
        for client in self.clients:
            for one in {one.key: one for one in client.warnings}.values():
                kinds.setdefault(one.key, (one, []))[1].append(client.plan.client.alarm_code)
        order = {tone: place for place, tone in enumerate(Tone)}
        rows = [(one, len(codes), codes) for one, codes in kinds.values()]
        return sorted(rows, key=lambda row: (order[row[0].tone], -row[1]))

    @property
    def must_learn(self) -> list[DoorLine]:
        """Doors whose locks have something to hear of."""
        return [line for line in self.doors if line.must_learn]

    @property
    def born(self) -> int:
        """How many rights are born in the time looked at, doors times shifts."""
        return sum(len(line.born) for line in self.doors)

    @property
    def never(self) -> int:
        """How many rights are never issued, doors times shifts."""
        return sum(line.never for line in self.doors)

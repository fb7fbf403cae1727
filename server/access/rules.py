"""What the decision is made from and what it says: facts, rights with their grounds, refusals. Pure values.

`server.access.judge` weighs; `server.access.decision` is what everybody calls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from server.access.intervals import Interval, merge, period
from server.access.models import StandingRight
from server.access.reasons import WhyNot
from server.care.models import CareAssignment, Client, Consent
from server.locks.models import Binding
from server.places.models import Door


@dataclass(frozen=True)
class Ground:
    """Why a right exists: this client's door itself, or a door on the way to it."""

    client: Client
    on_the_way: bool
    standing: StandingRight | None = None
    """The standing right it rests on; None where it rests on an assignment, or on an alarm."""


@dataclass(frozen=True)
class Right:
    """One binding may be opened in [not_before, expires)."""

    binding: Binding
    door: Door
    not_before: datetime
    expires: datetime
    grounds: tuple[Ground, ...]
    """Empty at a practice place, where nobody lives."""


@dataclass(frozen=True)
class Refusal:
    """Why something is not opened: the whole duty (no door), or one door, perhaps for one client."""

    reason: WhyNot
    door: Door | None = None
    client: Client | None = None


@dataclass(frozen=True)
class Decision:
    """The answer for one duty (and bearer)."""

    rights: tuple[Right, ...] = ()
    refusals: tuple[Refusal, ...] = ()

    @cached_property
    def _rights_by_door(self) -> dict[int, Right]:
        return {right.door.pk: right for right in reversed(self.rights)}

    @cached_property
    def _reasons_by_door(self) -> dict[int | None, WhyNot]:
        """The first reason named for each door; under None the one that closes everything."""
        return {
            refusal.door.pk if refusal.door else None: refusal.reason
            for refusal in reversed(self.refusals)
            if refusal.door is not None or refusal.client is None
        }

    def right_at(self, door_id: int) -> Right | None:
        """Return the right at a door, if there is one."""
        return self._rights_by_door.get(door_id)

    def only_at(self, binding_ids: set[int]) -> Decision:
        """Return the same answer with the rights at some bindings only."""
        rights = tuple(right for right in self.rights if right.binding.pk in binding_ids)
        return Decision(rights=rights, refusals=self.refusals)

    def why_not(self, door_id: int) -> WhyNot | None:
        """Return why the door is not opened, or None when it is."""
        if door_id in self._rights_by_door:
            return None
        reasons = self._reasons_by_door
        return reasons.get(None) or reasons.get(door_id, WhyNot.NO_ASSIGNMENT)


@dataclass(frozen=True)
class Facts:
    """What the database says about the duties concerned; loaded by `server.access.queries.load_facts`."""

    assignments: dict[int, list[CareAssignment]] = field(default_factory=dict)
    """By team id; client and its door and property are fetched along."""
    assignments_of_client: dict[int, list[CareAssignment]] = field(default_factory=dict)
    """By client id, for rights that are for one client."""
    standing: dict[int, list[StandingRight]] = field(default_factory=dict)
    """By team id."""
    residents: dict[str, list[Client]] = field(default_factory=dict)
    """Everybody with a door behind which a lock sits, by the area of the property; for standing rights."""
    ways: dict[int, list[Door]] = field(default_factory=dict)
    """Doors on the way, by apartment door id, in order."""
    bindings: dict[int, list[Binding]] = field(default_factory=dict)
    """By door id."""
    client_consents: dict[int, list[Consent]] = field(default_factory=dict)
    property_consents: dict[int, list[Consent]] = field(default_factory=dict)
    owner_consents: dict[int, list[Consent]] = field(default_factory=dict)
    practice: list[Door] = field(default_factory=list)
    """Every practice place, when somebody's duty is to practise."""
    periods: dict[tuple[int, int], list[Interval]] = field(default_factory=dict)
    """When consents hold, by door id and client id (0 where the owner signs); filled as it is asked for."""


def consent_periods(consents: list[Consent], signatory: str) -> list[Interval]:
    """Return when consents signed by `signatory` hold; a withdrawal ends one early."""
    return merge(
        period(consent.valid_from, consent.valid_to, consent.withdrawn_at)
        for consent in consents
        if consent.signed_by == signatory
    )


@dataclass(frozen=True)
class FactChanges:
    """Assignments as they would be: a preview decides on these instead of what the database says."""

    ends: Mapping[int, datetime] = field(default_factory=dict)
    """When assignments would end, by their id."""
    added: Sequence[CareAssignment] = ()
    """Assignments that would be there, not saved; with client (and its door), provider, team and start."""

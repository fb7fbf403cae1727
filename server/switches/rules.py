"""What a switch does to one client's assignments, and what to know before: pure, facts come in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from server.access.reasons import WhyNot
from server.care.models import CareAssignment, Client


class Tone(StrEnum):
    """How much a warning matters."""

    BAD = "bad"
    """Somebody may stand outside, or care has a gap."""
    WARN = "warn"
    INFO = "info"


class Concern(StrEnum):
    """What a preview warns of. What the decision function refuses comes with its own reasons."""

    GAP = "gap"
    SEAMLESS = "seamless"
    RETURNS = "returns"
    ALREADY_THERE = "already_there"
    OVERLAP = "overlap"
    LATER_THERE = "later_there"
    OLD_VISITS = "old_visits"
    NO_SHIFT = "no_shift"
    NO_PHONE = "no_phone"
    NEW_AREA = "new_area"

    @property
    def tone(self) -> Tone:
        """How much it matters."""
        return _TONES.get(self, Tone.WARN)

    @property
    def words(self) -> str | Promise:
        """What it says, in one line."""
        return _TITLES[self]


_TONES = {
    Concern.GAP: Tone.BAD,
    Concern.NO_SHIFT: Tone.BAD,
    Concern.NO_PHONE: Tone.BAD,
    Concern.SEAMLESS: Tone.INFO,
    Concern.ALREADY_THERE: Tone.INFO,
    Concern.NEW_AREA: Tone.INFO,
}
_TITLES: dict[Concern, str | Promise] = {
    Concern.GAP: _("Gap in care: the old provider's assignment ends before the instant"),
    Concern.SEAMLESS: _("The old provider's assignment ends at the instant already"),
    Concern.RETURNS: _("The old provider has another assignment that begins later; it stays"),
    Concern.ALREADY_THERE: _("The new team cares for the client already; no second assignment is made"),
    Concern.OVERLAP: _(
        "Overlap: the new provider cares for the client already, in another team or for a while"
    ),
    Concern.LATER_THERE: _("The new provider has an assignment that begins later; two will hold at once"),
    Concern.OLD_VISITS: _("The old provider still plans visits after the instant"),
    Concern.NO_SHIFT: _("The new team has no shift in the first 24 hours"),
    Concern.NO_PHONE: _("Nobody on the new team's first shifts has an enrolled phone"),
    Concern.NEW_AREA: _("The new team cares for nobody in the area yet"),
}


@dataclass(frozen=True)
class Notice:
    """One warning about one client (or about no one client in particular)."""

    tone: Tone
    title: str | Promise
    key: str
    """What warnings are counted by: a `Concern` or a `WhyNot`."""
    at: datetime | None = None
    number: int | None = None


def warning(concern: Concern, *, at: datetime | None = None, number: int | None = None) -> Notice:
    """Return a warning of our own."""
    return Notice(concern.tone, concern.words, concern.value, at, number)


def refusal(reason: WhyNot, text: str) -> Notice:
    """Return a warning that the decision function gave the reason for."""
    return Notice(Tone.BAD, text, reason.value)


@dataclass
class ClientPlan:
    """What the switch does to one client."""

    client: Client
    area: str
    team: int
    """The new provider's team."""
    ending: list[CareAssignment] = field(default_factory=list)
    """The old provider's assignments that hold at the instant: they end then."""
    adds: bool = True
    """Whether the new provider gets an assignment; not when its team has one that goes on."""
    warnings: list[Notice] = field(default_factory=list)


Stand = list[tuple[int, int, str, str]]
"""Assignments as they stood: (id, team, start, end), so that what changed since can be said."""


def stand_of(assignments: Iterable[CareAssignment]) -> Stand:
    """Return assignments as plain values, for comparing later."""
    return sorted(
        (row.pk, row.team_id, row.starts_at.isoformat(), row.ends_at.isoformat() if row.ends_at else "")
        for row in assignments
    )


def area_of(client: Client) -> str:
    """Return the area where the client lives; empty when it is not known."""
    return client.door.property.area if client.door is not None else ""


def team_for(area: str, teams: Mapping[str, int]) -> int:
    """Return the team for an area; under "" stands the one for all others."""
    return teams.get(area, teams[""])


def plan_client(
    client: Client,
    assignments: Iterable[CareAssignment],
    *,
    from_provider: int,
    team: int,
    at: datetime,
) -> ClientPlan:
    """Return what a switch at `at` does to one client; `assignments` are those of both providers."""
    plan = ClientPlan(client, area_of(client), team)
    own: list[CareAssignment] = []
    others: list[CareAssignment] = []
    for row in assignments:
        (own if row.provider_id == from_provider else others).append(row)
    plan.ending = [row for row in own if row.starts_at < at and (row.ends_at is None or row.ends_at > at)]
    plan.warnings += _about_the_old(plan, own, at)
    for row in others:
        if row.ends_at is not None and row.ends_at <= at:
            continue
        if row.starts_at > at:
            plan.warnings.append(warning(Concern.LATER_THERE, at=row.starts_at))
        elif row.ends_at is None and row.team_id == team:
            plan.adds = False
            plan.warnings.append(warning(Concern.ALREADY_THERE))
        else:
            plan.warnings.append(warning(Concern.OVERLAP, at=row.ends_at))
    return plan


def _about_the_old(plan: ClientPlan, own: list[CareAssignment], at: datetime) -> Iterable[Notice]:
    for row in own:
        if row.starts_at >= at:
            yield warning(Concern.RETURNS, at=row.starts_at)
    if not plan.ending:
        ends = [row.ends_at for row in own if row.ends_at is not None and row.ends_at <= at]
        if ends:
            last = max(ends)
            yield warning(Concern.SEAMLESS if last == at else Concern.GAP, at=last)

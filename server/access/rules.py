"""The decision: which bindings one shift opens, from when to when, why, and why not. Pure; facts come in.

A right follows shift → team → assignment → the client's apartment door → the doors on the way to it. An
apartment door needs the consent of whoever must sign for it, every other door the property owner's; a gate's
missing consent never takes the apartment right away, nor the other way round. The window is
[shift start − lead, shift end + grace), clipped to employment, assignment, client, consent and binding as
known now. `server.access.decision.decide` is what everybody calls.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from functools import cached_property

from django.utils import timezone

from server.access.intervals import Interval, clip, first_useful, merge, period
from server.access.reasons import WhyNot
from server.care.models import CareAssignment, Client, Consent, Shift
from server.locks.models import Binding
from server.people.models import Bearer, StaffMember
from server.places.models import Door
from server.tenancy.policy import Policy


@dataclass(frozen=True)
class Ground:
    """Why a right exists: this client's door itself, or a door on the way to it."""

    client: Client
    on_the_way: bool


@dataclass(frozen=True)
class Right:
    """One binding may be opened in [not_before, expires)."""

    binding: Binding
    door: Door
    not_before: datetime
    expires: datetime
    grounds: tuple[Ground, ...]


@dataclass(frozen=True)
class Refusal:
    """Why something is not opened: the whole shift (no door), or one door, perhaps for one client."""

    reason: WhyNot
    door: Door | None = None
    client: Client | None = None


@dataclass(frozen=True)
class Decision:
    """The answer for one shift (and bearer)."""

    rights: tuple[Right, ...] = ()
    refusals: tuple[Refusal, ...] = ()

    def right_at(self, door_id: int) -> Right | None:
        """Return the right at a door, if there is one."""
        return next((right for right in self.rights if right.door.pk == door_id), None)

    def why_not(self, door_id: int) -> WhyNot | None:
        """Return why the door is not opened, or None when it is."""
        if self.right_at(door_id) is not None:
            return None
        for refusal in self.refusals:
            if refusal.door is None and refusal.client is None:
                return refusal.reason
            if refusal.door is not None and refusal.door.pk == door_id:
                return refusal.reason
        return WhyNot.NO_ASSIGNMENT


@dataclass(frozen=True)
class Facts:
    """What the database says about the teams concerned; loaded by `server.access.queries.load_facts`."""

    assignments: dict[int, list[CareAssignment]] = field(default_factory=dict)
    """By team id; client and its door and property are fetched along."""
    ways: dict[int, list[Door]] = field(default_factory=dict)
    """Doors on the way, by apartment door id, in order."""
    bindings: dict[int, list[Binding]] = field(default_factory=dict)
    """By door id."""
    client_consents: dict[int, list[Consent]] = field(default_factory=dict)
    property_consents: dict[int, list[Consent]] = field(default_factory=dict)
    owner_consents: dict[int, list[Consent]] = field(default_factory=dict)
    periods: dict[tuple[int, int], list[Interval]] = field(default_factory=dict)
    """When consents hold, by door id and client id (0 where the owner signs); filled as it is asked for."""


def employment(staff: StaffMember) -> Interval:
    """Return when the person is employed: whole days, the last one included, in local time."""

    def midnight(day: datetime) -> datetime:
        return timezone.make_aware(day)

    start = midnight(datetime.combine(staff.employed_from, time.min))
    if staff.employed_to is None:
        return period(start)
    return period(start, midnight(datetime.combine(staff.employed_to + timedelta(days=1), time.min)))


def consent_periods(consents: list[Consent], signatory: str) -> list[Interval]:
    """Return when consents signed by `signatory` hold; a withdrawal ends one early."""
    return merge(
        period(consent.valid_from, consent.valid_to, consent.withdrawn_at)
        for consent in consents
        if consent.signed_by == signatory
    )


def bearer_refusal(bearer: Bearer, shift: Shift) -> WhyNot | None:
    """Return why this bearer gets nothing at all in the shift, or None."""
    if bearer.staff_id != shift.staff_id:
        return WhyNot.OTHER_PERSONS_SHIFT
    if bearer.phone.revoked_at is not None:
        return WhyNot.PHONE_REVOKED
    if bearer.revoked_at is not None:
        return WhyNot.BEARER_REVOKED
    return None


def shift_refusal(shift: Shift, window: Interval, policy: Policy, at: datetime) -> WhyNot | None:
    """Return why the shift opens nothing at all, or None."""
    checks = (
        (
            WhyNot.PROVIDER_MISMATCH,
            not shift.provider_id == shift.team.provider_id == shift.staff.provider_id,
        ),
        (WhyNot.PROVIDER_INACTIVE, not shift.provider.active),
        (WhyNot.SHIFT_CANCELLED, shift.cancelled_at is not None),
        (WhyNot.SHIFT_TOO_LONG, shift.ends_at - shift.starts_at > policy.longest_shift),
        (WhyNot.SHIFT_OVER, window.end <= at),
        (WhyNot.NOT_EMPLOYED, first_useful([window.clipped_to(employment(shift.staff))], at) is None),
    )
    return next((reason for reason, holds in checks if holds), None)


class Judge:
    """Weighs one shift against the facts; made for one use."""

    def __init__(self, *, shift: Shift, facts: Facts, policy: Policy, at: datetime) -> None:
        self.shift = shift
        self.facts = facts
        self.policy = policy
        self.at = at
        self.found: dict[int, tuple[Binding, Door, list[Interval], list[Ground]]] = {}
        self.refusals: list[Refusal] = []

    @cached_property
    def window(self) -> Interval:
        """The shift's window before anything narrows it."""
        return Interval(self.shift.starts_at - self.policy.shift_lead, self.shift.ends_at + self.policy.grace)

    def decide(self) -> Decision:
        """Return rights and refusals of the shift."""
        whole = shift_refusal(self.shift, self.window, self.policy, self.at)
        if whole is not None:
            return Decision(refusals=(Refusal(whole),))
        window = self.window.clipped_to(employment(self.shift.staff))
        for assignment in self.facts.assignments.get(self.shift.team_id, []):
            self._weigh(assignment, window)
        return Decision(rights=tuple(self._rights()), refusals=tuple(self._open_refusals()))

    def _weigh(self, assignment: CareAssignment, window: Interval) -> None:
        client = assignment.client
        reason = self._client_refusal(assignment, window)
        if reason is not None:
            self.refusals.append(Refusal(reason, client.door, client))
            return
        assert client.door is not None  # noqa: S101  _client_refusal has looked
        narrowed = window.clipped_to(period(assignment.starts_at, assignment.ends_at))
        narrowed = narrowed.clipped_to(period(narrowed.start, client.ended_at, client.paused_at))
        self._add(client.door, Ground(client, on_the_way=False), narrowed)
        for door in self.facts.ways.get(client.door.pk, []):
            self._add(door, Ground(client, on_the_way=True), narrowed)

    def _client_refusal(self, assignment: CareAssignment, window: Interval) -> WhyNot | None:
        client = assignment.client
        now = max(self.at, window.start)
        held = window.clipped_to(period(assignment.starts_at, assignment.ends_at))
        if assignment.provider_id != self.shift.provider_id:
            return WhyNot.PROVIDER_MISMATCH
        if held.is_empty or held.end <= self.at:
            return WhyNot.ASSIGNMENT_ENDED
        if client.ended_at is not None and client.ended_at <= now:
            return WhyNot.CLIENT_ENDED
        if client.paused_at is not None and client.paused_at <= now:
            return WhyNot.CLIENT_PAUSED
        return WhyNot.CLIENT_WITHOUT_DOOR if client.door is None else None

    def _add(self, door: Door, ground: Ground, window: Interval) -> None:
        consented = clip(self._consents(door, ground), window)
        if first_useful(consented, self.at) is None:
            owner = door.must_sign == Door.Signatory.OWNER
            self._refuse(WhyNot.NO_OWNER_CONSENT if owner else WhyNot.NO_CLIENT_CONSENT, door, ground)
            return
        usable = False
        for binding in self.facts.bindings.get(door.pk, []):
            held = clip(consented, period(binding.starts_at, binding.ends_at))
            if binding.commissioned_at is None or first_useful(held, self.at) is None:
                continue
            usable = True
            _, _, intervals, grounds = self.found.setdefault(binding.pk, (binding, door, [], []))
            intervals.extend(held)
            grounds.append(ground)
        if not usable:
            self._refuse(self._lock_refusal(door), door, ground)

    def _consents(self, door: Door, ground: Ground) -> list[Interval]:
        by_owner = door.must_sign == Door.Signatory.OWNER
        key = (door.pk, 0 if by_owner else ground.client.pk)
        known = self.facts.periods.get(key)
        if known is None:
            known = self.facts.periods[key] = self._consent_periods(door, ground)
        return known

    def _consent_periods(self, door: Door, ground: Ground) -> list[Interval]:
        if door.must_sign != Door.Signatory.OWNER:
            return consent_periods(self.facts.client_consents.get(ground.client.pk, []), door.must_sign)
        consents = [
            *self.facts.property_consents.get(door.property_id, []),
            *self.facts.owner_consents.get(door.property.owner_id, []),
        ]
        return consent_periods(consents, Door.Signatory.OWNER)

    def _lock_refusal(self, door: Door) -> WhyNot:
        waiting = any(
            binding.commissioned_at is None and binding.ends_at is None
            for binding in self.facts.bindings.get(door.pk, [])
        )
        return WhyNot.LOCK_NOT_COMMISSIONED if waiting else WhyNot.NO_LOCK

    def _refuse(self, reason: WhyNot, door: Door, ground: Ground) -> None:
        self.refusals.append(Refusal(reason, door, ground.client))

    def _rights(self) -> Iterator[Right]:
        for binding, door, intervals, grounds in self.found.values():
            # A token has one window. Where grounds leave a hole between two, the earliest that still matters
            # is given now and the next when its time comes: never a window that covers the hole.
            window = first_useful(intervals, self.at)
            if window is not None:
                yield Right(binding, door, window.start, window.end, tuple(grounds))

    def _open_refusals(self) -> Iterator[Refusal]:
        opened = {door.pk for _, door, _, _ in self.found.values()}
        return (refusal for refusal in self.refusals if refusal.door is None or refusal.door.pk not in opened)

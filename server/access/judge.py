"""The decision: which bindings one duty opens, from when to when, why, and why not. Pure; facts come in.

What a duty rests on:

- a shift: its team's assignments, and the team's standing rights (the night patrol): every client with a door
  in the right's areas, whoever cares for them, also those with an alarm and no care;
- a right given at once: the assignments of the team it names, or the own provider's with the client it names;
  never a standing right, which only a shift in that team opens;
- a right taken in an emergency: the own provider's assignments with that client;
- an alarm: the client itself. There need be no assignment, for many have an alarm and no care;
- practice: the practice places of the own provider and those of everybody, and nothing else, ever. There is
  no client, no door and so no consent; both the place and the lock on it must be marked as for practice.

Whose care is paused, for instance by a hospital stay, has an empty home: nobody's plan, standing right or
emergency opens it. Only an alarm does, for raising one is the patrol's own decision about that client, just
then. Whose care has ended is opened by nothing.

From a client it goes on to the apartment door and the doors on the way to it. An apartment door needs the
consent of whoever must sign for it, every other door the property owner's; a gate's missing consent never
takes the apartment right away, nor the other way round. The window (`duties.window_of`) is clipped to
employment, assignment or standing right, client, consent and binding as known now.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from server.access.duties import Duty, duty_refusal, employment, window_of
from server.access.intervals import Interval, clip, first_useful, period
from server.access.models import ExtraRight, StandingRight
from server.access.reasons import WhyNot
from server.access.rules import Decision, Facts, Ground, Refusal, Right, consent_periods
from server.care.models import CareAssignment, Client, Shift
from server.care.rules import covers
from server.locks.models import Binding
from server.places.models import Door
from server.tenancy.policy import Policy


class Warrant(NamedTuple):
    """What entitles the duty to one client's doors, and for how long."""

    client: Client
    held: Interval
    provider_id: int
    standing: StandingRight | None = None
    in_need: bool = False
    """An alarm: whether care is paused is not asked."""


class Judge:
    """Weighs one duty against the facts; made for one use."""

    def __init__(self, *, duty: Duty, facts: Facts, policy: Policy, at: datetime) -> None:
        self.duty = duty
        self.facts = facts
        self.policy = policy
        self.at = at
        self.found: dict[int, tuple[Binding, Door, list[Interval], list[Ground]]] = {}
        self.refusals: list[Refusal] = []

    def decide(self) -> Decision:
        """Return rights and refusals of the duty."""
        whole_window = window_of(self.duty, self.policy)
        whole = duty_refusal(self.duty, whole_window, self.policy, self.at)
        if whole is not None:
            return Decision(refusals=(Refusal(whole),))
        window = whole_window.clipped_to(employment(self.duty.staff))
        if isinstance(self.duty, ExtraRight) and self.duty.kind == ExtraRight.Kind.PRACTICE:
            self._practise(window)
        for warrant in self._warrants(window):
            self._weigh(warrant, window)
        return Decision(rights=tuple(self._rights()), refusals=tuple(self._open_refusals()))

    def _warrants(self, window: Interval) -> Iterator[Warrant]:
        """Return what the duty rests on: assignments, a standing right, or an alarm."""
        duty = self.duty
        if duty.team_id is not None:
            yield from map(_by_assignment, self.facts.assignments.get(duty.team_id, ()))
        if isinstance(duty, Shift):
            yield from self._standing_warrants(duty, window)
        elif duty.client is not None:
            yield from self._warrants_in_need(duty, duty.client, window)

    def _standing_warrants(self, shift: Shift, window: Interval) -> Iterator[Warrant]:
        residents = self.facts.residents
        for standing in self.facts.standing.get(shift.team_id, ()):
            held = period(standing.starts_at, standing.ends_at)
            if first_useful([held.clipped_to(window)], self.at) is None:
                continue  # thousands of doors: a right that is not in force is not told door by door
            for area in sorted(residents) if standing.everywhere else standing.areas:
                for client in residents.get(area, ()):
                    yield Warrant(client, held, shift.provider_id, standing)

    def _warrants_in_need(self, duty: ExtraRight, client: Client, window: Interval) -> Iterator[Warrant]:
        if duty.kind == ExtraRight.Kind.ALARM:
            yield Warrant(client, window, duty.provider_id, in_need=True)
            return
        own = [
            assignment
            for assignment in self.facts.assignments_of_client.get(client.pk, ())
            if assignment.provider_id == duty.provider_id
        ]
        if not own:
            self.refusals.append(Refusal(WhyNot.NO_ASSIGNMENT, client.door, client))
        yield from map(_by_assignment, own)

    def _weigh(self, warrant: Warrant, window: Interval) -> None:
        client = warrant.client
        reason = self._client_refusal(warrant, window)
        if reason is not None:
            self.refusals.append(Refusal(reason, client.door, client))
            return
        assert client.door is not None  # noqa: S101  _client_refusal has looked
        narrowed = window.clipped_to(warrant.held)
        paused_at = None if warrant.in_need else client.paused_at
        narrowed = narrowed.clipped_to(period(narrowed.start, client.ended_at, paused_at))
        self._add(client.door, Ground(client, on_the_way=False, standing=warrant.standing), narrowed)
        for door in self.facts.ways.get(client.door.pk, []):
            self._add(door, Ground(client, on_the_way=True, standing=warrant.standing), narrowed)

    def _client_refusal(self, warrant: Warrant, window: Interval) -> WhyNot | None:
        client = warrant.client
        now = max(self.at, window.start)
        held = window.clipped_to(warrant.held)
        if warrant.provider_id != self.duty.provider_id:
            return WhyNot.PROVIDER_MISMATCH
        if held.is_empty or held.end <= self.at:
            return WhyNot.ASSIGNMENT_ENDED
        if client.ended_at is not None and client.ended_at <= now:
            return WhyNot.CLIENT_ENDED
        if not warrant.in_need and client.paused_at is not None and client.paused_at <= now:
            return WhyNot.CLIENT_PAUSED
        return WhyNot.CLIENT_WITHOUT_DOOR if client.door is None else None

    def _practise(self, window: Interval) -> None:
        """Add the practice places; a lock that is not marked as for practice is never one of them."""
        for door in self.facts.practice:
            if door.practice_for_id in (None, self.duty.provider_id) and not self._found_at(
                door, [window], None, practice=True
            ):
                self.refusals.append(Refusal(self._lock_refusal(door), door))

    def _add(self, door: Door, ground: Ground, window: Interval) -> None:
        consented = clip(self._consents(door, ground), window)
        if first_useful(consented, self.at) is None:
            owner = door.must_sign == Door.Signatory.OWNER
            self._refuse(WhyNot.NO_OWNER_CONSENT if owner else WhyNot.NO_CLIENT_CONSENT, door, ground)
            return
        if not self._found_at(door, consented, ground):
            self._refuse(self._lock_refusal(door), door, ground)

    def _found_at(
        self, door: Door, windows: list[Interval], ground: Ground | None, *, practice: bool = False
    ) -> bool:
        """Note what may be opened at a door in these windows; False when no lock there can be."""
        usable = False
        for binding in self.facts.bindings.get(door.pk, []):
            held = clip(windows, period(binding.starts_at, binding.ends_at))
            if binding.commissioned_at is None or first_useful(held, self.at) is None:
                continue
            if binding.lock.is_practice != practice:
                continue
            usable = True
            _, _, intervals, grounds = self.found.setdefault(binding.pk, (binding, door, [], []))
            intervals.extend(held)
            grounds += [ground] if ground is not None else []
        return usable

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
        portfolio = self.facts.owner_consents.get(door.property.owner_id, [])
        consents = [
            *self.facts.property_consents.get(door.property_id, []),
            *(consent for consent in portfolio if covers(consent, door.property)),
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


def _by_assignment(assignment: CareAssignment) -> Warrant:
    held = period(assignment.starts_at, assignment.ends_at)
    return Warrant(assignment.client, held, assignment.provider_id)

"""What a switch would do, before anything is changed.

Every right is asked of the one decision function, with the assignments as they would be. A probe, a shift of
the new team in the first hour that nobody works, tells what would keep the new provider out even where the
plan has no shift yet. The number of queries does not grow with the clients.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, timedelta

from django.utils.translation import get_language

from server.access.decision import decide_all
from server.access.duties import Duty
from server.access.models import Token
from server.access.queries import extras_with_people, shifts_with_people
from server.access.reasons import WhyNot
from server.access.rules import FactChanges
from server.care.models import CareAssignment, Shift
from server.people.models import StaffMember, Team
from server.switches import queries
from server.switches.domain.drafts import Draft, facts_of, plans_of, stands_of
from server.switches.domain.picture import Born, ClientPreview, DoorLine, Fate, Preview
from server.switches.queries import DoorFacts
from server.switches.rules import ClientPlan, Concern, Notice, Tone, refusal, warning
from server.tenancy.scoping import whole_municipality

FIRST_DAY = timedelta(hours=24)
AHEAD = timedelta(hours=48)
"""How far beyond the instant shifts are looked at."""
BEFORE = timedelta(hours=24)
MILD = frozenset({WhyNot.NO_LOCK, WhyNot.LOCK_NOT_COMMISSIONED, WhyNot.CLIENT_PAUSED})
"""Known before and no fault of the switch: they stand outside today as well."""


@whole_municipality()
def preview(draft: Draft, *, now: datetime) -> Preview:
    """Return what confirming the draft at `now` would do; must run in the municipality's scope."""
    at = draft.instant(now)
    facts = facts_of(draft, now=now)
    plans = plans_of(draft, facts, at=at)
    doors = queries.door_facts(facts.clients.values())
    teams = {
        team.pk: team
        for team in queries.teams_to_choose(draft.to_provider).select_related("provider", "municipality")
    }
    weighed = _Weighing(draft, plans, doors, teams, now=now, at=at)
    lines = weighed.lines()
    visits = queries.old_visits(draft.clients, draft.from_provider, after=at)
    clients = [
        ClientPreview(
            plan,
            teams[plan.team],
            [lines[door.pk] for door, _way in doors.doors_of(plan.client)],
            [*plan.warnings, *weighed.warnings(plan, visits.get(plan.client.pk, 0))],
        )
        for plan in plans
    ]
    return Preview(at, clients, list(lines.values()), weighed.fates, stands_of(facts), facts.planned)


class _Weighing:
    """One preview's duties, decided as things are and as they would be."""

    def __init__(
        self,
        draft: Draft,
        plans: list[ClientPlan],
        doors: DoorFacts,
        teams: Mapping[int, Team],
        *,
        now: datetime,
        at: datetime,
    ) -> None:
        self.draft, self.plans, self.doors, self.teams, self.now, self.at = (
            draft,
            plans,
            doors,
            teams,
            now,
            at,
        )
        self.fates: Counter[Fate] = Counter()
        bindings = {binding.pk for binding in doors.bindings.values()}
        usable = queries.tokens_at(bindings, expires_after=now).filter(
            provider=draft.from_provider, revoked_at__isnull=True
        )
        self.tokens: list[Token] = list(usable)
        self.duties = _duties(self.tokens)
        self.old_shifts = self._shifts({row.team_id for plan in plans for row in plan.ending}, at - BEFORE)
        self.new_shifts = self._shifts({plan.team for plan in plans}, at)
        self.probes = {pk: _probe(teams[pk], at) for pk in {plan.team for plan in plans}}
        self._decide()
        self.phones = queries.staff_with_phones({shift.staff_id for shift in self.new_shifts})
        self.areas = queries.teams_in_areas(self.probes, at=now)

    def _shifts(self, team_ids: Collection[int], since: datetime) -> list[Shift]:
        rows = queries.shifts_of_teams(team_ids, since=max(since, self.now), until=self.at + AHEAD)
        return list(rows)

    def _decide(self) -> None:
        duties: list[Duty] = list({*self.duties.values(), *self.old_shifts, *self.new_shifts})
        self.before = decide_all(duties, at=self.now)
        changes = FactChanges(
            ends={row.pk: self.at for plan in self.plans for row in plan.ending},
            added=[self._added(plan) for plan in self.plans if plan.adds],
        )
        self.after = decide_all([*duties, *self.probes.values()], at=self.now, changes=changes)

    def _added(self, plan: ClientPlan) -> CareAssignment:
        team = self.teams[plan.team]
        return CareAssignment(
            municipality_id=team.municipality_id,
            client=plan.client,
            provider=team.provider,
            team=team,
            starts_at=self.at,
        )

    def lines(self) -> dict[int, DoorLine]:
        """Return the lines by door id, gates before apartments."""
        lines: dict[int, DoorLine] = {}
        for plan in self.plans:
            for door, on_the_way in self.doors.doors_of(plan.client):
                if door.pk not in lines:
                    lines[door.pk] = DoorLine(door, self.doors.bindings.get(door.pk), on_the_way)
        self._weigh_tokens(lines)
        self._weigh_old_shifts(lines)
        self._weigh_new_shifts(lines)
        kept = queries.kept_by_care(set(lines), self.draft.from_provider, at=self.at)
        leaving = {plan.client.alarm_code for plan in self.plans}
        for pk, codes in kept.items():
            lines[pk].kept_for = [code for code in codes if code not in leaving]
        self._expect_contacts(lines)
        return lines

    def _weigh_tokens(self, lines: Mapping[int, DoorLine]) -> None:
        by_binding = {line.binding.pk: line for line in lines.values() if line.binding is not None}
        for token in self.tokens:
            line = by_binding[token.binding_id]
            fate = self._fate(token, line.door.pk)
            self.fates[fate] += 1
            line.fates[fate] += 1
            if fate is not Fate.KEPT:
                line.bearers.add(token.bearer_id)
                line.alive_until = max(line.alive_until or token.expires, token.expires)

    def _fate(self, token: Token, door_id: int) -> Fate:
        duty = self.duties.get((token.shift_id, token.extra_id))
        after = self.after[duty].right_at(door_id) if duty is not None else None
        if after is None:
            return Fate.REVOKED
        if after.expires < token.expires:
            return Fate.CUT
        return Fate.EXPIRES if token.expires <= self.at else Fate.KEPT

    def _weigh_old_shifts(self, lines: Mapping[int, DoorLine]) -> None:
        issued = {(token.shift_id, token.binding_id) for token in self.tokens}
        for shift in self.old_shifts:
            after = self.after[shift]
            for right in self.before[shift].rights:
                line = lines.get(right.door.pk)
                if line is None or (shift.pk, right.binding.pk) in issued:
                    continue
                if after.right_at(right.door.pk) is None:
                    line.never += 1

    def _weigh_new_shifts(self, lines: Mapping[int, DoorLine]) -> None:
        for shift in self.new_shifts:
            before = self.before[shift]
            for right in self.after[shift].rights:
                line = lines.get(right.door.pk)
                if line is None:
                    continue
                if before.right_at(right.door.pk) is not None:
                    line.had_already += 1
                    continue
                has_phone = shift.staff_id in self.phones
                line.born.append(Born(shift.staff.name, has_phone, shift.starts_at, right.not_before))

    def _expect_contacts(self, lines: Mapping[int, DoorLine]) -> None:
        """Say when somebody is next expected at each lock: a planned visit, else a shift that opens it."""
        waiting = {pk for pk, line in lines.items() if line.must_learn}
        soonest = queries.next_visits(waiting, since=self.now) if waiting else {}
        shifts: dict[int, datetime] = {}
        for duty in {*self.old_shifts, *self.new_shifts, *self.duties.values()}:
            for right in self.after[duty].rights:
                first = max(self.now, right.not_before)
                shifts[right.door.pk] = min(first, shifts.get(right.door.pk, first))
        for pk in waiting:
            lines[pk].learns_at = soonest.get(pk) or shifts.get(pk)

    def warnings(self, plan: ClientPlan, old_visits: int) -> Iterable[Notice]:
        """Return what the plan of the new team and the decision function have to say of one client."""
        for one in self.after[self.probes[plan.team]].refusals:
            if one.client is not None and one.client.pk == plan.client.pk:
                yield _told(one.reason)
        first = [
            shift
            for shift in self.new_shifts
            if shift.team_id == plan.team and shift.starts_at < self.at + FIRST_DAY
        ]
        if not first:
            yield warning(Concern.NO_SHIFT)
        elif not any(shift.staff_id in self.phones for shift in first):
            yield warning(Concern.NO_PHONE)
        if (plan.team, plan.area) not in self.areas:
            yield warning(Concern.NEW_AREA)
        if old_visits:
            yield warning(Concern.OLD_VISITS, number=old_visits)


def _told(reason: WhyNot) -> Notice:
    text = reason.en if get_language() == "en" else reason.sv
    said = refusal(reason, text)
    return Notice(Tone.WARN, said.title, said.key) if reason in MILD else said


def _duties(tokens: Iterable[Token]) -> dict[tuple[int | None, int | None], Duty]:
    """Return what the tokens were issued for, as tokens name it."""
    tokens = list(tokens)
    shifts = {token.shift_id for token in tokens if token.shift_id is not None}
    extras = {token.extra_id for token in tokens if token.extra_id is not None}
    found: dict[tuple[int | None, int | None], Duty] = {}
    for shift in shifts_with_people(shifts):
        found[shift.pk, None] = shift
    if extras:
        for extra in extras_with_people().filter(pk__in=extras):
            found[None, extra.pk] = extra
    return found


def _probe(team: Team, at: datetime) -> Shift:
    """Return a shift that nobody works, never saved: what the new team could open in the first hour."""
    nobody = StaffMember(
        municipality_id=team.municipality_id, provider=team.provider, employed_from=date(2000, 1, 1)
    )
    return Shift(
        pk=-team.pk,
        municipality=team.municipality,
        staff=nobody,
        team=team,
        provider=team.provider,
        starts_at=at,
        ends_at=at + timedelta(hours=1),
    )

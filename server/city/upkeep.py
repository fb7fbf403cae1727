"""What has gone wrong and been put right: deviations, gaps in logs, lost phones, and who changed what."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta

from server.access.models import Revocation
from server.alarms.models import AlarmTeam
from server.audit import actions
from server.audit.models import AuditEntry
from server.city.world import World
from server.locks.models import Binding, WorkOrder
from server.passages.models import Deviation, LogGap
from server.people.models import User

OPEN_SHARE, CLOSED_SHARE, GAP_SHARE = 0.006, 0.02, 0.002
KINDS = (
    Deviation.Kind.LOW_BATTERY,
    Deviation.Kind.JAM,
    Deviation.Kind.DEAD_LOCK,
    Deviation.Kind.CLOCK_UNCERTAIN,
)
GAP_BEGINS = 100_000
"""Beyond every number the generated logs use: a gap is of a later stretch that nobody brought home."""
ENTRIES_A_CLIENT = 2


def make_upkeep(world: World, actor: User) -> None:
    """Make deviations open and closed, gaps, revocations of lost phones, and an audit trail."""
    luck = world.luck.stream("upkeep")
    bindings = list(world.bindings.values())
    deviations = world.store.add(_deviations(world, luck, bindings, actor))
    world.store.add(_work_orders(world, luck, deviations, actor))
    world.store.add(_alarm_teams(world))
    world.store.add(_gaps(world, luck, bindings))
    world.store.add(_lost_phones(world, actor))
    world.store.add(_trail(world, luck, actor))


def _deviations(
    world: World, luck: random.Random, bindings: Sequence[Binding], actor: User
) -> list[Deviation]:
    found = []
    for binding in bindings:
        chance = luck.random()
        if chance >= OPEN_SHARE + CLOSED_SHARE:
            continue
        opened = world.at - timedelta(hours=luck.randint(1, 500))
        closed = chance >= OPEN_SHARE
        found.append(
            Deviation(
                kind=luck.choice(KINDS),
                door=binding.door,
                lock=binding.lock,
                opened_at=opened,
                closed_at=min(world.at, opened + timedelta(hours=30)) if closed else None,
                closed_by=actor if closed else None,
                resolution=Deviation.Resolution.REPAIRED if closed else "",
            )
        )
    return found


def _work_orders(
    world: World, luck: random.Random, deviations: Sequence[Deviation], actor: User
) -> list[WorkOrder]:
    """Return the work that open deviations wait for, and the locks still to be mounted this week."""
    kinds = {Deviation.Kind.LOW_BATTERY: WorkOrder.Kind.BATTERY}
    repairs = [
        WorkOrder(
            kind=kinds.get(Deviation.Kind(one.kind), WorkOrder.Kind.REPAIR),
            door=one.door,
            lock=one.lock,
            deviation=one,
            planned_for=(world.at + timedelta(days=luck.randint(0, 4))).date(),
            created_at=one.opened_at,
        )
        for one in deviations
        if one.closed_at is None
    ]
    bare = [door for door in world.apartments if door.pk not in world.bindings]
    mounts = [
        WorkOrder(
            kind=WorkOrder.Kind.MOUNT,
            door=door,
            planned_for=(world.at + timedelta(days=luck.randint(0, 6))).date(),
            created_at=world.at - timedelta(days=3),
            created_by=actor,
        )
        for door in luck.sample(bare, len(bare) // 4)
        if door.pk not in world.unconsented
    ]
    return [*repairs, *mounts]


def _alarm_teams(world: World) -> list[AlarmTeam]:
    """Return who answers alarms: the night patrol for everybody, a provider's first team for its own."""
    firsts = {team.provider_id: team for teams in world.teams_by_area.values() for team in reversed(teams)}
    own = [AlarmTeam(team=team, reach=AlarmTeam.Reach.OWN) for team in firsts.values()]
    if world.night_team is None:
        return own
    return [AlarmTeam(team=world.night_team, reach=AlarmTeam.Reach.ALL), *own]


def _gaps(world: World, luck: random.Random, bindings: Sequence[Binding]) -> list[LogGap]:
    return [
        LogGap(
            lock=binding.lock,
            epoch=1,
            first_seq=GAP_BEGINS,
            last_seq=GAP_BEGINS + luck.randint(0, 40),
            signed=luck.random() < 0.5,
            noticed_at=world.at - timedelta(hours=luck.randint(1, 300)),
        )
        for binding in bindings
        if luck.random() < GAP_SHARE
    ]


def _lost_phones(world: World, actor: User) -> list[Revocation]:
    lost = {one.phone_id: one.phone for one in world.bearers.values()}
    return [
        Revocation(
            target=Revocation.Target.PHONE,
            phone=phone,
            at=phone.revoked_at,
            by=actor,
            reason=Revocation.Reason.LOST,
            matters_until=phone.revoked_at + timedelta(hours=20),
        )
        for phone in lost.values()
        if phone.revoked_at is not None
    ]


def _trail(world: World, luck: random.Random, actor: User) -> list[AuditEntry]:
    """Return entries as the administration writes them, spread over the months."""
    return [
        AuditEntry(
            at=world.at - timedelta(minutes=luck.randint(5, 180 * 24 * 60)),
            actor=actor,
            acting_as="administrator",
            action=luck.choice((actions.ADDED, actions.CHANGED)),
            object_type="care.client",
            object_id=str(luck.choice(world.clients).pk),
            after={"paused_at": None},
        )
        for _entry in range(ENTRIES_A_CLIENT * len(world.clients))
    ]

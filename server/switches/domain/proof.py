"""The proof of a switch: per client and door when the old provider's last right died and by what."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from server.access.models import Token
from server.switches import queries
from server.switches.domain.deaths import Death, deaths
from server.switches.models import GateNeighbour, ProviderSwitch, SwitchedClient, SwitchedDoor
from server.tenancy.scoping import whole_municipality

Cause = SwitchedDoor.Cause
LIVE_FOR = timedelta(days=3)


@dataclass(frozen=True)
class DoorProof:
    """One door of one client."""

    door: SwitchedDoor
    death: Death


@dataclass
class ClientProof:
    """One client with the doors."""

    client: SwitchedClient
    doors: list[DoorProof]

    @property
    def alive(self) -> int:
        """Keys that would still open and that nothing justifies."""
        return sum(one.death.alive for one in self.doors if one.death.cause == Cause.ALIVE)


@dataclass(frozen=True)
class Neighbours:
    """What providers other than the two held at the same locks, before and right after."""

    locks: int
    providers: int
    before: int
    after: int
    lost: int
    """Rights that were there before and not after, and had not ended by themselves: must be none."""
    is_counted: bool
    """Whether "right after" has come yet."""


@dataclass
class Proof:
    """The whole switch."""

    clients: list[ClientProof]
    latest: DoorProof | None
    """Where the last right died that has died so far."""
    alive: int
    alive_until: datetime | None
    causes: Counter[str]
    """Doors by cause, each door once."""
    is_over: bool
    """Whether nothing lives any more that should not."""


@whole_municipality()
def proof_of(switch: ProviderSwitch, *, at: datetime) -> Proof:
    """Return how the switch stands as of `at`: those with keys alive first. Constant queries."""
    doors = list(queries.doors_of_switch(switch))
    found = deaths(switch, doors, at=at)
    clients: dict[int, ClientProof] = {}
    for door in doors:
        one = clients.setdefault(door.switched_id, ClientProof(door.switched, []))
        one.doors.append(DoorProof(door, found[door.pk]))
    for row in SwitchedClient.objects.filter(switch=switch, doors__isnull=True).select_related("client"):
        clients[row.pk] = ClientProof(row, [])
    each = {one.door.door_id: one for client in clients.values() for one in client.doors}
    alive = [one.death for one in each.values() if one.death.cause == Cause.ALIVE]
    dead = [one for one in each.values() if one.death.at is not None and one.death.at <= at]
    return Proof(
        clients=sorted(clients.values(), key=lambda one: (-one.alive, one.client.client.alarm_code)),
        latest=max(dead, key=lambda one: one.death.at or at, default=None),
        alive=sum(death.alive for death in alive),
        alive_until=max((death.alive_until for death in alive if death.alive_until), default=None),
        causes=Counter(one.death.cause for one in each.values()),
        is_over=not alive and switch.at <= at,
    )


def neighbours_of(switch: ProviderSwitch) -> Neighbours | None:
    """Return what the others held; None for whoever may not know who else is at the gates."""
    rows = list(GateNeighbour.objects.filter(switch=switch).exclude(provider=switch.to_provider_id))
    if not rows:
        return None
    lost = before = after = 0
    for row in rows:
        earlier, later = _rights(row.before), _rights(row.after or [])
        before, after = before + len(earlier), after + len(later)
        for key, until in earlier.items():
            ended = switch.issued_at is not None and datetime.fromisoformat(until) <= switch.issued_at
            lost += key not in later and not ended
    counted = all(row.after is not None for row in rows)
    return Neighbours(
        locks=len({row.binding_id for row in rows}),
        providers=len({row.provider_id for row in rows}),
        before=before,
        after=after if counted else 0,
        lost=lost if counted else 0,
        is_counted=counted,
    )


def _rights(rows: list[list[int | str]]) -> dict[tuple[int | str, ...], str]:
    """Return rights by person's key and duty, with their end."""
    return {tuple(row[:3]): str(row[3]) for row in rows}


def still_alive(switch: ProviderSwitch, proof: Proof, *, at: datetime, most: int = 50) -> list[Token]:
    """Return keys that still open and should not, the longest first; only those the viewer may see."""
    bindings = {
        one.door.binding_id
        for client in proof.clients
        for one in client.doors
        if one.death.cause == Cause.ALIVE and one.door.binding_id is not None
    }
    rows = queries.tokens_at(bindings, expires_after=max(at, switch.at)).filter(
        provider=switch.from_provider_id
    )
    return list(
        rows.select_related("bearer__staff", "bearer__phone", "binding__door").order_by("-expires")[:most]
    )


def is_watched(switch: ProviderSwitch, *, at: datetime) -> bool:
    """Return whether the page should look again by itself: something can still change soon."""
    if switch.cancelled_at is not None:
        return switch.issued_at is None
    return switch.issued_at is None or switch.at - timedelta(hours=24) <= at <= switch.at + LIVE_FOR

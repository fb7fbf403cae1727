"""Today's visits in order, gate above apartment; doors nearby on top, never jumping under a finger."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from mobile.engine.state import AppState, DoorKind, DoorView, LoginState, Nearby, Visit
from mobile.viewmodels import doors
from mobile.viewmodels.doors import DoorRow
from mobile.viewmodels.session import Session

MAX_NEARBY = 4


@dataclass(frozen=True, slots=True)
class VisitCard:
    """One visit: when, whose alarm code, where, and its doors in walking order."""

    id: str
    time: str
    code: str
    address: str
    current: bool
    past: bool
    rows: tuple[DoorRow, ...]


@dataclass(frozen=True, slots=True)
class TodayView:
    """The whole screen."""

    date: str = ""
    shift: str = ""
    nearby: tuple[DoorRow, ...] = ()
    visits: tuple[VisitCard, ...] = ()
    near_hint: str = ""
    """Said where nearby doors would stand when none is heard."""
    trouble: str = ""
    """Why no door can be heard at all, and what to do about it."""
    can_find: bool = False
    empty: str = "none"
    """How an empty day is explained: none (ask for a sync) or doors (rights, but no visits)."""
    signed_out: bool = False
    left_unlocked: str = ""
    left_unlocked_id: str = ""


class StableOrder:
    """An order that improves only while no finger is down, and never for a mere flicker of the signal.

    Doors at hand before those further off, gates above apartments, the nearest first; the engine lets doors
    change places only where one is clearly nearer (`mobile.engine.nearby`). While `holding`, nothing moves
    and nothing disappears: what a person is about to touch is still there when the finger lands.
    """

    def __init__(self) -> None:
        self.holding = False
        self._order: list[str] = []

    def update(self, heard: Iterable[DoorView]) -> list[str]:
        """Door ids in the order to show, from the doors heard now."""
        rank = {
            door.id: (door.nearby is not Nearby.HERE, doors.KIND_ORDER[door.kind], door.near_place)
            for door in heard
        }
        if self.holding:
            self._order += [door_id for door_id in rank if door_id not in self._order]
        else:
            old = {door_id: place for place, door_id in enumerate(self._order)}
            self._order = sorted(rank, key=lambda door_id: (rank[door_id], old.get(door_id, len(old))))
        return list(self._order)


class TodayModel:
    """The day's screen."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._order = StableOrder()

    def touch(self, down: bool) -> None:
        """A finger is on the list, or was lifted from it."""
        self._order.holding = down
        if not down:
            self._session.changed()

    def sync(self) -> None:
        """Fetch and hand in now."""
        self._session.call(self._session.engine.sync())

    def view(self) -> TodayView:
        """What to show now."""
        state, texts, now = self._session.state, self._session.texts, self._session.now()
        unlocked = next((door for door in state.doors.values() if door.left_unlocked), None)
        trouble, nearby = self._trouble(state), self._nearby(state, now)
        waiting = bool(state.doors) and not nearby and not trouble
        return TodayView(
            date=texts.day(now),
            shift=self._shift(state),
            nearby=nearby,
            near_hint=texts.tr("today.none_near") if waiting else "",
            trouble=trouble,
            can_find=bool(state.doors),
            empty="doors" if state.doors else "none",
            visits=tuple(self._card(visit, state, now) for visit in sorted(state.visits, key=_start)),
            signed_out=state.login is not LoginState.SIGNED_IN,
            left_unlocked=texts.tr("today.left_unlocked", door=_full_name(unlocked, self._session))
            if unlocked
            else "",
            left_unlocked_id=unlocked.id if unlocked else "",
        )

    def _trouble(self, state: AppState) -> str:
        slug = doors.BLUETOOTH_SLUGS.get(state.bluetooth)
        words = self._session.texts.reason(slug) if slug else None
        return f"{words.title}. {words.next}" if words else ""

    def _shift(self, state: AppState) -> str:
        texts, shift = self._session.texts, state.shift
        if shift is None:
            return texts.tr("today.no_shift")
        start, end = texts.clock(shift.starts_at), texts.clock(shift.ends_at)
        return texts.tr("today.shift", team=shift.team, start=start, end=end)

    def _nearby(self, state: AppState, now: int) -> tuple[DoorRow, ...]:
        heard = [
            door
            for door in state.doors.values()
            if door.nearby is not Nearby.NO
            and doors.allowed(door, now)
            and door.kind is not DoorKind.PRACTICE
        ]
        order = [door_id for door_id in self._order.update(heard) if door_id in state.doors]
        return tuple(self._near_row(state.doors[door_id], now) for door_id in order[:MAX_NEARBY])

    def _near_row(self, door: DoorView, now: int) -> DoorRow:
        texts = self._session.texts
        return replace(doors.row(door, texts, now), detail=door.address)

    def _card(self, visit: Visit, state: AppState, now: int) -> VisitCard:
        texts = self._session.texts
        found = [state.doors[door_id] for door_id in visit.door_ids if door_id in state.doors]
        found.sort(key=lambda door: doors.KIND_ORDER[door.kind])
        return VisitCard(
            id=visit.id,
            time=f"{texts.clock(visit.starts_at)}–{texts.clock(visit.ends_at)}",
            code=texts.tr("today.code", code=visit.alarm_code),
            address=found[-1].address if found else "",
            current=visit.starts_at <= now < visit.ends_at,
            past=visit.ends_at <= now,
            rows=tuple(doors.row(door, texts, now) for door in found),
        )


def _start(visit: Visit) -> tuple[int, str]:
    return visit.starts_at, visit.id


def _full_name(door: DoorView, session: Session) -> str:
    return f"{door.address}, {doors.title(door, session.texts)}"

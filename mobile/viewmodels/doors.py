"""A door in words: title, place, right and signal, for rows and for the door's own screen."""

from __future__ import annotations

from dataclasses import dataclass

from mobile.engine.state import AppState, Bluetooth, DoorKind, DoorView, Nearby, Operation
from mobile.viewmodels.navigation import Navigation
from mobile.viewmodels.session import Session
from mobile.viewmodels.taps import Taps
from mobile.viewmodels.texts import Texts

# Walking order: what one meets first stands above.
KIND_ORDER = {
    DoorKind.GATE: 0,
    DoorKind.COMMON: 1,
    DoorKind.LAUNDRY: 2,
    DoorKind.APARTMENT: 3,
    DoorKind.PRACTICE: 4,
}
BLUETOOTH_SLUGS = {
    Bluetooth.OFF: "bluetooth_off",
    Bluetooth.NO_ADAPTER: "bluetooth_no_adapter",
    Bluetooth.NO_PERMISSION: "bluetooth_no_permission",
    Bluetooth.LOCATION_OFF: "bluetooth_location_off",
    Bluetooth.FAILED: "bluetooth_failed",
}


@dataclass(frozen=True, slots=True)
class DoorRow:
    """One door in a list."""

    door_id: str
    kind: str
    title: str
    detail: str
    nearby: bool
    here: bool
    allowed: bool
    left_unlocked: bool
    action: str


@dataclass(frozen=True, slots=True)
class DoorScreenView:
    """The door's own screen."""

    door_id: str = ""
    kind: str = "apartment"
    title: str = ""
    address: str = ""
    place: str = ""
    right: str = ""
    can_open: bool = False
    can_lock: bool = False
    left_unlocked: bool = False
    signal: str = ""
    here: bool = False
    notice: str = ""
    notice_next: str = ""
    hint: str = ""


def title(door: DoorView, texts: Texts) -> str:
    """What to call the door when its address is written elsewhere: its label, number or kind."""
    if door.label:
        return door.label
    kind = texts.tr(f"door.{door.kind.value}")
    if door.kind is DoorKind.APARTMENT and door.number:
        return texts.tr("door.number", value=door.number)
    return f"{kind} {door.entrance}".strip()


def place(door: DoorView, texts: Texts) -> str:
    """Entrance, floor and number, as far as they are recorded and not the title already."""
    number = door.number if door.label or door.kind is not DoorKind.APARTMENT else ""
    parts = (("entrance", door.entrance), ("floor", door.floor), ("number", number))
    return " · ".join(texts.tr(f"door.{name}", value=value) for name, value in parts if value)


def allowed(door: DoorView, now: int) -> bool:
    """True when the phone holds a right that should count now. The lock decides, not this."""
    begun = door.rights_from is None or door.rights_from <= now
    return begun and door.rights_until is not None and now < door.rights_until


def right_text(door: DoorView, texts: Texts, now: int) -> str:
    """Until when, or from when, or not."""
    if door.rights_until is None or now >= door.rights_until:
        return texts.tr("door.no_right")
    if door.rights_from is not None and now < door.rights_from:
        return texts.tr("door.from", time=texts.clock(door.rights_from))
    return texts.tr("door.until", time=texts.clock(door.rights_until))


def signal_text(door: DoorView, texts: Texts) -> str:
    """How near the lock is heard."""
    return texts.tr({Nearby.HERE: "door.here", Nearby.NEAR: "door.near", Nearby.NO: "door.away"}[door.nearby])


def row(door: DoorView, texts: Texts, now: int, *, address: bool = False) -> DoorRow:
    """A door as one row of a list; with its address where none stands above."""
    kind = texts.tr(f"door.{door.kind.value}")
    name = title(door, texts)
    parts = [door.address] if address else []
    numbered = door.kind is DoorKind.APARTMENT and bool(door.number) and not door.label
    parts += [] if numbered or name.startswith(kind) else [kind]
    parts += [texts.tr("door.floor", value=door.floor)] if door.floor else []
    parts += [] if allowed(door, now) else [right_text(door, texts, now)]
    return DoorRow(
        door_id=door.id,
        kind=door.kind.value,
        title=name,
        detail=" · ".join(parts),
        nearby=door.nearby is not Nearby.NO,
        here=door.nearby is Nearby.HERE,
        allowed=allowed(door, now),
        left_unlocked=door.left_unlocked,
        action=texts.tr("today.open", door=name),
    )


class DoorModel:
    """The door screen: what it shows, and its two verbs."""

    def __init__(self, session: Session, navigation: Navigation, taps: Taps) -> None:
        self._session, self._navigation, self._taps = session, navigation, taps

    def view(self) -> DoorScreenView:
        """The door that navigation points at."""
        state, texts, now = self._session.state, self._session.texts, self._session.now()
        door = state.doors.get(self._navigation.door_id)
        if door is None:
            return DoorScreenView()
        slug = _trouble(state, door, now)
        words = texts.reason(slug) if slug else None
        return DoorScreenView(
            door_id=door.id,
            kind=door.kind.value,
            title=title(door, texts),
            address=door.address,
            place=place(door, texts),
            right=right_text(door, texts, now),
            can_open=door.rights_until is not None,
            can_lock=door.rights_until is not None and door.may_lock,
            left_unlocked=door.left_unlocked,
            signal=signal_text(door, texts),
            here=door.nearby is Nearby.HERE,
            notice=words.title if words else texts.tr("door.unlocked") if door.left_unlocked else "",
            notice_next=words.next if words else "",
            hint=texts.tr("door.tap"),
        )

    def open(self, door_id: str) -> None:
        """The deliberate tap: the result screen comes at once, a second tap joins the first."""
        self._navigation.go("result", door_id)
        self._taps.act(door_id, Operation.OPEN)

    def lock(self, door_id: str) -> None:
        """Lock on leaving."""
        self._navigation.go("result", door_id)
        self._taps.act(door_id, Operation.LOCK)


def _trouble(state: AppState, door: DoorView, now: int) -> str:
    """The slug of what stands in the way before anything is tried, else ''."""
    if state.bluetooth in BLUETOOTH_SLUGS:
        return BLUETOOTH_SLUGS[state.bluetooth]
    if door.rights_until is None:
        return "no_right"
    if now >= door.rights_until:
        return "expired"
    return "" if allowed(door, now) else "not_yet_valid"

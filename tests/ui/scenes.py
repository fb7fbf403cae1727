"""Every screen and state worth a picture: a name, a snapshot, and how to get there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import MappingProxyType
from zoneinfo import ZoneInfo

from mobile.engine.state import (
    AppState,
    BearerCard,
    Bluetooth,
    DoorKind,
    DoorView,
    Fallback,
    HistoryEntry,
    LoginState,
    Nearby,
    Opening,
    OpeningState,
    Operation,
    Shift,
    Stage,
    Support,
    SyncStatus,
    Visit,
)
from mobile.ui.app import NyckelfriApp
from tests.ui.bench import BenchEngine

ZONE = ZoneInfo("Europe/Stockholm")
MORNING = int(datetime(2026, 11, 20, 9, 12, tzinfo=UTC).timestamp())


def at(hour: int, minute: int = 0) -> int:
    """That local time on the day of the scenes."""
    return int(datetime(2026, 11, 20, hour, minute, tzinfo=ZONE).timestamp())


RESERVE = Fallback("reserve_key", "Trygghetsjourens nyckelskåp, Torggatan 2", "010-555 01 12", "Dygnet runt")


def _door(
    door_id: str, kind: DoorKind, address: str, nearby: Nearby = Nearby.NO, **more: object
) -> tuple[str, DoorView]:
    door = DoorView(
        id=door_id, kind=kind, address=address, nearby=nearby, rights_from=at(6, 30), rights_until=at(16, 30)
    )
    return door_id, replace(door, **more)  # type: ignore[arg-type]


DOORS = dict(
    [
        _door("g1", DoorKind.GATE, "Björkallén 14", Nearby.HERE, entrance="B", fallback=RESERVE),
        _door("a1", DoorKind.APARTMENT, "Björkallén 14", Nearby.NEAR, entrance="B", floor="3", number="1302"),
        _door("g2", DoorKind.GATE, "Södra Kvarnbacksvägen 108", entrance="A"),
        _door("l2", DoorKind.LAUNDRY, "Södra Kvarnbacksvägen 108"),
        _door("a2", DoorKind.APARTMENT, "Södra Kvarnbacksvägen 108", entrance="A", floor="1", number="1101"),
        _door("a3", DoorKind.APARTMENT, "Åsgatan 7", floor="2", number="1204", rights_until=None),
    ]
)
VISITS = (
    Visit("v0", at(8), at(8, 40), "4417", ("a2",)),
    Visit("v1", at(10), at(10, 30), "2093", ("g1", "a1")),
    Visit("v2", at(10, 50), at(11, 20), "4417", ("g2", "l2", "a2")),
    Visit("v3", at(11, 45), at(12, 15), "3120", ("a3",)),
)
SUPPORT = Support(
    "010-555 01 00",
    "Ring på och vänta.\nRing brukaren via jouren.\nAnvänd reservvägen ovan.\n"
    "Skriv en avvikelse när besöket är klart.",
    "Ring the bell and wait.\nReach the client through the patrol.\nUse the other way in above.\n"
    "Report a deviation after the visit.",
)
UNLOCKED = AppState(
    stage=Stage.UNLOCKED,
    login=LoginState.SIGNED_IN,
    bearers=(BearerCard("b1", "Anna"),),
    active_bearer="b1",
    staff_name="Anna Lindqvist",
    username="anna.lindqvist",
    provider_name="Hemtjänst Söder",
    municipality_name="Exempelby kommun",
    server_url="https://nyckel.exempel.se",
    bluetooth=Bluetooth.ON,
    sync=SyncStatus(last_synced_at=MORNING - 240, waiting_logs=2, online=True),
    shift=Shift("s1", "Grupp Söder", at(7), at(16)),
    visits=VISITS,
    doors=MappingProxyType(DOORS),
    support=SUPPORT,
)
LOCKED = AppState(
    stage=Stage.LOCKED,
    bearers=UNLOCKED.bearers,
    active_bearer="b1",
    sync=UNLOCKED.sync,
    server_url=UNLOCKED.server_url,
)
HISTORY = [
    HistoryEntry(at(10, 9), "g1", "Björkallén 14 · Port B", Operation.OPEN, OpeningState.OPEN),
    HistoryEntry(
        at(8, 41), "a2", "Södra Kvarnbacksvägen 108 · Lgh 1101", Operation.LOCK, OpeningState.LOCKED
    ),
    HistoryEntry(
        at(8, 3), "a2", "Södra Kvarnbacksvägen 108 · Lgh 1101", Operation.OPEN, OpeningState.JAMMED, "jammed"
    ),
    HistoryEntry(at(7, 58), "a3", "Åsgatan 7 · Lgh 1204", Operation.OPEN, OpeningState.REFUSED, "revoked"),
    HistoryEntry(
        at(7) - 54_000, "g2", "Södra Kvarnbacksvägen 108 · Port A", Operation.OPEN, OpeningState.OPEN
    ),
]

Way = Callable[[NyckelfriApp, BenchEngine], None]


def stay(app: NyckelfriApp, engine: BenchEngine) -> None:
    """The way to where one is already."""


@dataclass(frozen=True)
class Scene:
    """A picture to take."""

    name: str
    state: AppState
    go: Way = stay
    then: Way = stay


def _to(screen: str, door_id: str = "") -> Way:
    return lambda app, engine: app.navigation.go(screen, door_id)


def _pin(app: NyckelfriApp, engine: BenchEngine) -> None:
    for digit in "4938":
        app.root.ids.screens.current_screen.model.press(digit)


def _phrase(app: NyckelfriApp, engine: BenchEngine) -> None:
    app.root.ids.screens.current_screen.model.toggle_phrase()


def _look_up(app: NyckelfriApp, engine: BenchEngine) -> None:
    app.root.ids.screens.current_screen.model.look_up("nyckel.exempel.se", "K7QF-2M9X")


LINK = (
    "nyckelfri://enrol?server=https%3A%2F%2Fnyckel.exempel.se&code=K7QF-2M9X-4TRB&root="
    + "9f3a61c4e07b25d8" * 4
)


def _scanned(app: NyckelfriApp, engine: BenchEngine) -> None:
    app.root.ids.screens.current_screen.model.arrive(LINK)


def _bad_link(app: NyckelfriApp, engine: BenchEngine) -> None:
    app.root.ids.screens.current_screen.model.arrive(LINK + "&pin=1")


def _weak_pin(app: NyckelfriApp, engine: BenchEngine) -> None:
    model = app.root.ids.screens.current_screen.model
    model.accept()
    model.complain("weak_pin_sequence")


def _expired(app: NyckelfriApp, engine: BenchEngine) -> None:
    app.root.ids.screens.current_screen.model.complain("code_expired")


def _sign_out(app: NyckelfriApp, engine: BenchEngine) -> None:
    app.navigation.go("settings")
    app.settings_model.ask_sign_out(True)


def _result(state: OpeningState, reason: str = "", operation: Operation = Operation.OPEN) -> Scene:
    door_id = "a1" if operation is Operation.OPEN else "g1"
    opening = Opening(door_id, operation, state, reason, 1)
    name = f"result-{state.value}" + (f"-{reason}" if reason else "")
    changed = replace(UNLOCKED, openings=MappingProxyType({door_id: opening}))
    return Scene(name, changed, lambda app, engine: app.navigation.go("result", door_id))


def _offline(app: NyckelfriApp, engine: BenchEngine) -> None:
    app.navigation.work_offline()


def _licences(app: NyckelfriApp, engine: BenchEngine) -> None:
    app.root.ids.screens.current_screen.model.toggle_licences()


def _no_history(app: NyckelfriApp, engine: BenchEngine) -> None:
    engine.entries = []


def _failed(app: NyckelfriApp, engine: BenchEngine) -> None:
    app.root.ids.screens.current_screen.model.choose("failed")


def _find(text: str) -> Way:
    def way(app: NyckelfriApp, engine: BenchEngine) -> None:
        app.root.ids.screens.current_screen.ids.typed.ids.entry.text = text

    return way


def many_doors(count: int) -> dict[str, DoorView]:
    """So many doors of one town: gates and flats along its streets."""
    streets = ("Björkallén", "Åsgatan", "Södra Kvarnbacksvägen", "Torggatan", "Ängsstigen")
    found = {}
    for place in range(count):
        street, house = streets[place % 5], place // 5 % 60 + 1
        kind = DoorKind.GATE if place % 9 == 0 else DoorKind.APARTMENT
        door_id, door = _door(f"m{place}", kind, f"{street} {house}", number=f"{1001 + place % 900}")
        found[door_id] = replace(door, entrance="A" if kind is DoorKind.GATE else "", floor=str(place % 7))
    return found


QUIET = {door_id: replace(door, nearby=Nearby.NO) for door_id, door in DOORS.items()}
NO_RADIO = replace(UNLOCKED, doors=MappingProxyType(QUIET), bluetooth=Bluetooth.OFF)
CITY = replace(UNLOCKED, doors=MappingProxyType({**DOORS, **many_doors(300)}))
HERE = replace(UNLOCKED, doors=MappingProxyType({**DOORS, "a1": replace(DOORS["a1"], nearby=Nearby.HERE)}))
STALE = SyncStatus(
    last_synced_at=MORNING - 5 * 3600 - 100, waiting_logs=14, stale_reason="server_unreachable"
)
POOL = (BearerCard("b1", "AL"), BearerCard("b2", "MK"), BearerCard("b3", "SÖ"))
LEFT = MappingProxyType({**DOORS, "g2": replace(DOORS["g2"], left_unlocked=True)})
SESSION_OVER = replace(
    UNLOCKED,
    login=LoginState.SIGNED_OUT,
    sync=replace(UNLOCKED.sync, stale_reason="session_expired", waiting_logs=0),
)
STALE_DAY = replace(UNLOCKED, sync=STALE, doors=LEFT)
SCENES = (
    Scene("pin", LOCKED, _pin),
    Scene("pin-wrong", replace(LOCKED, pin_attempts_left=6, pin_wait_until=MORNING + 15), _pin),
    Scene("pin-phrase", LOCKED, _phrase),
    Scene("pin-pool", replace(LOCKED, bearers=POOL), _pin),
    Scene("enrol-address", AppState()),
    Scene("enrol-address-error", AppState(), _expired),
    Scene("enrol-check", AppState(), _look_up),
    Scene("enrol-check-link", AppState(), _scanned),
    Scene("enrol-bad-link", AppState(), _bad_link),
    Scene("enrol-pin", AppState(), _look_up, _weak_pin),
    Scene("signin", replace(UNLOCKED, login=LoginState.SIGNED_OUT)),
    Scene("signin-code", replace(UNLOCKED, login=LoginState.NEEDS_CODE)),
    Scene("today", UNLOCKED),
    Scene("today-stale", STALE_DAY),
    Scene("today-clock-off", replace(UNLOCKED, sync=replace(UNLOCKED.sync, clock_off_seconds=-5400))),
    Scene("today-session-over", SESSION_OVER, lambda app, engine: app.navigation.work_offline()),
    Scene("today-empty", replace(UNLOCKED, visits=(), doors=MappingProxyType({}), shift=None)),
    Scene("door", UNLOCKED, _to("door", "a1")),
    Scene("door-bluetooth-off", replace(UNLOCKED, bluetooth=Bluetooth.OFF), _to("door", "g2")),
    Scene("door-no-right", UNLOCKED, _to("door", "a3")),
    Scene("help", UNLOCKED, _to("help", "g1")),
    Scene("help-nothing", replace(UNLOCKED, support=Support()), _to("help", "a2")),
    Scene("history", UNLOCKED, _to("history")),
    Scene("settings", UNLOCKED, _to("settings")),
    Scene("settings-signed-out", replace(UNLOCKED, login=LoginState.SIGNED_OUT), _offline, _to("settings")),
    Scene("about", UNLOCKED, _to("about")),
    Scene("about-licences", replace(UNLOCKED, support=Support()), _to("about"), _licences),
    Scene("today-bluetooth-off", NO_RADIO),
    Scene("today-quiet", replace(UNLOCKED, doors=MappingProxyType(QUIET))),
    Scene("today-no-visits", replace(UNLOCKED, visits=(), doors=MappingProxyType(QUIET), shift=None)),
    Scene("today-signed-out", replace(STALE_DAY, login=LoginState.SIGNED_OUT), _offline),
    Scene("finder", CITY, _to("finder")),
    Scene("finder-typed", CITY, _to("finder"), _find("bjork 1")),
    Scene("finder-nothing", CITY, _to("finder"), _find("Kungsgatan")),
    Scene("history-empty", UNLOCKED, _no_history, _to("history")),
    Scene("history-failed", UNLOCKED, _to("history"), _failed),
    Scene("door-here", HERE, _to("door", "a1")),
    Scene("door-left-unlocked", STALE_DAY, _to("door", "g2")),
    Scene("settings-sign-out", UNLOCKED, _sign_out),
    _result(OpeningState.SEARCHING),
    _result(OpeningState.CONNECTING),
    _result(OpeningState.GRANTED_UNLOCKING),
    _result(OpeningState.GRANTED_LOCKING, operation=Operation.LOCK),
    _result(OpeningState.OPEN),
    _result(OpeningState.ALREADY_OPEN),
    _result(OpeningState.LOCKED, operation=Operation.LOCK),
    _result(OpeningState.ALREADY_LOCKED, operation=Operation.LOCK),
    _result(OpeningState.JAMMED, "jammed"),
    _result(OpeningState.MOTOR_TIMEOUT, "motor_timeout"),
    _result(OpeningState.BY_HAND, "by_hand"),
    _result(OpeningState.AJAR, "ajar", operation=Operation.LOCK),
    _result(OpeningState.REFUSED, "expired"),
    _result(OpeningState.REFUSED, "battery_empty"),
    _result(OpeningState.NOT_FOUND, "not_found"),
    _result(OpeningState.NO_ANSWER, "no_answer"),
    _result(OpeningState.OUTCOME_UNKNOWN, "outcome_unknown"),
    _result(OpeningState.BLUETOOTH_OFF, "bluetooth_off"),
    _result(OpeningState.FAILED, "lock_fault"),
)  # fmt: skip

"""What the screens may know: frozen snapshots that the engine publishes and nobody changes.

A snapshot holds no secret: no PIN, key, token or session. All times are int Unix seconds UTC; identifiers
are the strings of the HTTP API. Reasons are slugs (of the protocol's registry, or of `mobile.engine.errors`)
that `mobile.viewmodels.texts` turns into plain words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType


class Stage(StrEnum):
    """How far into the app the person is: the first of the two logins."""

    NOT_ENROLLED = "not_enrolled"
    LOCKED = "locked"
    UNLOCKED = "unlocked"


class LoginState(StrEnum):
    """The second login, against the server."""

    SIGNED_OUT = "signed_out"
    NEEDS_CODE = "needs_code"
    SIGNED_IN = "signed_in"


class Bluetooth(StrEnum):
    """Why doors can or cannot be found right now."""

    ON = "on"
    OFF = "off"
    NO_ADAPTER = "no_adapter"
    NO_PERMISSION = "no_permission"
    LOCATION_OFF = "location_off"
    FAILED = "failed"
    """It was asked to scan and could not, for a reason that no person can see."""
    UNKNOWN = "unknown"
    """Nobody has asked yet."""


class DoorKind(StrEnum):
    """The kinds of product.md's glossary."""

    APARTMENT = "apartment"
    GATE = "gate"
    LAUNDRY = "laundry"
    COMMON = "common"
    PRACTICE = "practice"


class Nearby(StrEnum):
    """Coarse signal class: enough to sort by, too coarse to jump about."""

    HERE = "here"
    NEAR = "near"
    NO = "no"


class Operation(StrEnum):
    """What a person can ask of a door."""

    OPEN = "open"
    LOCK = "lock"


class OpeningState(StrEnum):
    """The truth about one tap, as it unfolds. Only the states of `DONE_WELL` may look like success."""

    IDLE = "idle"
    SEARCHING = "searching"
    CONNECTING = "connecting"
    GRANTED_UNLOCKING = "granted_unlocking"
    GRANTED_LOCKING = "granted_locking"
    OPEN = "open"
    ALREADY_OPEN = "already_open"
    LOCKED = "locked"
    ALREADY_LOCKED = "already_locked"
    JAMMED = "jammed"
    MOTOR_TIMEOUT = "motor_timeout"
    BY_HAND = "by_hand"
    AJAR = "ajar"
    REFUSED = "refused"
    NOT_FOUND = "not_found"
    NO_ANSWER = "no_answer"
    OUTCOME_UNKNOWN = "outcome_unknown"
    BLUETOOTH_OFF = "bluetooth_off"
    FAILED = "failed"

    @property
    def running(self) -> bool:
        """True while the engine still works on the tap; a second tap then joins the first."""
        return self in RUNNING

    @property
    def done_well(self) -> bool:
        """True only when the lock itself said that the bolt is where the person wanted it."""
        return self in DONE_WELL


RUNNING = frozenset(
    {
        OpeningState.SEARCHING,
        OpeningState.CONNECTING,
        OpeningState.GRANTED_UNLOCKING,
        OpeningState.GRANTED_LOCKING,
    }
)
DONE_WELL = frozenset(
    {OpeningState.OPEN, OpeningState.ALREADY_OPEN, OpeningState.LOCKED, OpeningState.ALREADY_LOCKED}
)


@dataclass(frozen=True, slots=True)
class Opening:
    """One tap at one door. `reason` is a protocol or engine slug when the state needs one, else ''."""

    door_id: str
    operation: Operation = Operation.OPEN
    state: OpeningState = OpeningState.IDLE
    reason: str = ""
    changed_at: int = 0
    early: bool = False
    """Asked on purpose with a right that does not hold yet, at a practice lock, to meet a refusal."""


@dataclass(frozen=True, slots=True)
class Fallback:
    """The recorded way in without the phone (product.md, reservväg)."""

    kind: str = ""
    place: str = ""
    phone: str = ""
    hours: str = ""

    @property
    def known(self) -> bool:
        """True when there is anything to tell the person."""
        return bool(self.kind or self.place or self.phone)


@dataclass(frozen=True, slots=True)
class DoorView:
    """One door as the screens show it. `rights_until` is None when the phone holds no right to it."""

    id: str
    kind: DoorKind
    address: str
    entrance: str = ""
    floor: str = ""
    number: str = ""
    label: str = ""
    nearby: Nearby = Nearby.NO
    fallback: Fallback = Fallback()
    rights_from: int | None = None
    rights_until: int | None = None
    may_lock: bool = True
    left_unlocked: bool = False
    unlocked_at: int = 0
    """When the person unlocked it, while it is `left_unlocked`; else 0."""
    near_place: int = 0
    """1 for the nearest of the doors that are heard, 2 for the next; 0 for one that is not heard."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A planned stop; doors come in walking order, gate first, apartment last. Never a client's name."""

    id: str
    starts_at: int
    ends_at: int
    alarm_code: str
    door_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shift:
    """The shift that the visits belong to."""

    id: str
    team: str
    starts_at: int
    ends_at: int


class AlarmStage(StrEnum):
    """How far an alarm has come for the person who holds this phone."""

    OFFERED = "offered"
    TAKEN = "taken"


class AlarmAnswer(StrEnum):
    """What a person can answer to an alarm."""

    TAKE = "take"
    DECLINE = "decline"
    HAND_OVER = "hand-over"


@dataclass(frozen=True, slots=True)
class Alarm:
    """An acute call; doors in walking order. `expires`: when the right ends, once it is taken."""

    id: str
    alarm_code: str
    door_ids: tuple[str, ...]
    stage: AlarmStage
    raised_at: int
    respond_by: int
    expires: int


@dataclass(frozen=True, slots=True)
class Support:
    """Whom to call when a door stays shut, and the routine for a deviation in both languages."""

    phone: str = ""
    routine_sv: str = ""
    routine_en: str = ""


@dataclass(frozen=True, slots=True)
class SyncStatus:
    """What the permanent sync bar tells: how old, how much waits, and why when it is stale."""

    last_synced_at: int | None = None
    waiting_logs: int = 0
    online: bool = False
    syncing: bool = False
    stale_reason: str = ""
    clock_off_seconds: int = 0


@dataclass(frozen=True, slots=True)
class BearerCard:
    """One person's vault on this phone, as much as may be known while it is shut."""

    id: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One finished tap, failed ones too: the person's own log, kept in the vault."""

    at: int
    door_id: str
    door_label: str
    operation: Operation
    state: OpeningState
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AppState:
    """Everything the screens show, in one snapshot. A locked phone's snapshot holds no doors or visits."""

    stage: Stage = Stage.NOT_ENROLLED
    login: LoginState = LoginState.SIGNED_OUT
    bearers: tuple[BearerCard, ...] = ()
    active_bearer: str = ""
    pin_attempts_left: int = 10
    pin_wait_until: int = 0
    vault_warning: str = ""
    """The slug of what was wrong with the vault when it was opened, as vault_older; '' when nothing was."""
    hardware_key: str = ""
    """Where the phone's hardware holds a key of the open vault (strongbox, tee); '' = nowhere."""
    staff_name: str = ""
    username: str = ""
    provider_name: str = ""
    municipality_name: str = ""
    server_url: str = ""
    bluetooth: Bluetooth = Bluetooth.UNKNOWN
    sync: SyncStatus = SyncStatus()
    shift: Shift | None = None
    visits: tuple[Visit, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    doors: Mapping[str, DoorView] = field(default_factory=lambda: MappingProxyType({}))
    openings: Mapping[str, Opening] = field(default_factory=lambda: MappingProxyType({}))
    support: Support = Support()
    practised: frozenset[str] = frozenset()
    """Steps of the guided first opening (`mobile.viewmodels.practice`) that this person has done."""

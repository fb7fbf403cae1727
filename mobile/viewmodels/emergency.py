"""Break-glass on the screen: whose door, why, what happens then, and at last the doors that it opens.

Three deliberate taps from a shut door: the button, the reason, the confirmation. Nothing is sent before the
last one, and the person has then read that the right is reviewed the next day.
"""

from __future__ import annotations

from dataclasses import dataclass

from mobile.engine.emergencies import EmergencyReason, EmergencyRight
from mobile.engine.errors import EngineError
from mobile.engine.state import DoorKind, DoorView, LoginState, Operation, Stage
from mobile.viewmodels import doors
from mobile.viewmodels.doors import DoorRow
from mobile.viewmodels.forms import Form, slug_of
from mobile.viewmodels.navigation import Navigation
from mobile.viewmodels.session import Session
from mobile.viewmodels.taps import Taps

CODE_LENGTH = 20
WAITS = "right_waits"


@dataclass(frozen=True, slots=True)
class EmergencyView:
    """`step` is why, confirm, waits or given. `asks_code`: no door is named, so an alarm code must be."""

    step: str = "why"
    door: str = ""
    asks_code: bool = False
    code: str = ""
    reasons: tuple[tuple[str, str], ...] = ()
    reason: str = ""
    message: str = ""
    message_next: str = ""
    signed_in: bool = True
    working: bool = False
    until: str = ""
    rows: tuple[DoorRow, ...] = ()
    steps: tuple[str, ...] = ()
    phone: str = ""
    phone_call: str = ""


class EmergencyModel(Form):
    """One emergency right at a time; leaving the screen begins anew, a right that was taken stays a right."""

    def __init__(self, session: Session, navigation: Navigation, taps: Taps) -> None:
        super().__init__(session)
        self._navigation, self._taps = navigation, taps
        self._about: str | None = None
        self._reason: EmergencyReason | None = None
        self._code = ""
        self._right: EmergencyRight | None = None
        self._waits = False

    # -- what to show ---------------------------------------------------------------------------------------

    def view(self) -> EmergencyView:
        """What to show now."""
        self._follow()
        state, texts = self._session.state, self._session.texts
        door, phone = self._door(), state.support.phone
        words = texts.reason(self._slug) if self._slug else None
        return EmergencyView(
            step=self._step(),
            door=f"{door.address} · {doors.title(door, texts)}" if door else "",
            asks_code=door is None,
            code=self._code,
            reasons=tuple((one.value, texts.tr(f"emergency.{one.value}")) for one in EmergencyReason),
            reason=texts.tr(f"emergency.{self._reason.value}") if self._reason else "",
            message=words.title if words else "",
            message_next=f"{words.happened} {words.next}" if words else "",
            signed_in=state.login is LoginState.SIGNED_IN,
            working=self.working,
            until=texts.tr("emergency.until", time=texts.clock(self._right.expires)) if self._right else "",
            rows=self._rows(),
            steps=tuple(texts.tr(f"emergency.step_{name}") for name in ("look", "help", "review")),
            phone=phone,
            phone_call=texts.tr("help.call", phone=phone.replace(" ", "\u00a0")) if phone else "",
        )

    def helps(self) -> bool:
        """Whether "Kommer du inte in?" should offer this: a right is what is missing, not a working lock."""
        door = self._session.state.doors.get(self._navigation.door_id)
        return door is not None and not doors.allowed(door, self._session.now())

    # -- the person's verbs ---------------------------------------------------------------------------------

    def choose(self, reason: str, code: str = "") -> None:
        """Why; with no door named also whose alarm code."""
        self._follow()
        self._code = code.strip()[:CODE_LENGTH]
        if self._door() is None and not self._code:
            self.complain("alarm_code_missing")
            return
        self._reason = EmergencyReason(reason)
        self.clear()
        self._session.changed()

    def change(self) -> None:
        """Another reason, or another code."""
        if not self.working:
            self._reason = None
            self.clear()
            self._session.changed()

    def take(self) -> None:
        """Confirmed: now it is asked for."""
        if self._reason is None or self._step() != "confirm":
            return
        door, reason = self._door(), self._reason
        engine = self._session.engine
        named = {"door_id": door.id} if door else {"alarm_code": self._code}
        self.submit(lambda: engine.break_glass(reason, **named), self._given)

    def fetch(self) -> None:
        """The right waits at the server: taken again it is the same one, and it is fetched."""
        self._waits = False
        self.take()

    def open(self, door_id: str) -> None:
        """Open one of its doors; afterwards this screen is there again."""
        self._navigation.go("result", door_id)
        self._taps.act(door_id, Operation.OPEN)

    def forget(self) -> bool:
        """The screen was left, for good unless something has only come up over it: then begin anew."""
        left = not self._navigation.holds("emergency")
        if left:
            self._begin(None)
        return left

    # -- within ---------------------------------------------------------------------------------------------

    def _given(self, right: EmergencyRight) -> None:
        self._right = right

    def _failed(self, error: EngineError) -> None:
        super()._failed(error)
        why = f"{error.code}_{error.details.get('why', '')}"
        self._slug = why if self._session.texts.explains(why) else slug_of(error)
        self._waits = error.code == WAITS

    def _step(self) -> str:
        if self._right is not None:
            return "given"
        if self._waits:
            return "waits"
        return "confirm" if self._reason is not None else "why"

    def _door(self) -> DoorView | None:
        """The apartment this is about. A gate leads to many: there the alarm code says whose it is."""
        door = self._session.state.doors.get(self._about or "")
        return door if door is not None and door.kind is DoorKind.APARTMENT else None

    def _rows(self) -> tuple[DoorRow, ...]:
        if self._right is None:
            return ()
        known = self._session.state.doors
        found = [known[door_id] for door_id in self._right.door_ids if door_id in known]
        found.sort(key=lambda door: doors.KIND_ORDER[door.kind])
        return tuple(doors.row(door, self._session.texts, self._session.now()) for door in found)

    def _follow(self) -> None:
        """Another door, or an app that was locked, begins anew."""
        if self._session.state.stage is not Stage.UNLOCKED:
            self._begin(None)
        elif self._navigation.under == "emergency" and self._navigation.door_id != self._about:
            self._begin(self._navigation.door_id)

    def _begin(self, door_id: str | None) -> None:
        self._about, self._reason, self._code = door_id, None, ""
        self._right, self._waits = None, False
        self.start_anew()

"""The alarm card and the strip in words: where, since when, how long there is to answer, and the doors."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mobile.engine.state import Alarm, AlarmAnswer, AlarmStage, DoorKind, DoorView, Stage
from mobile.viewmodels import doors
from mobile.viewmodels.alarms import AlarmModel, Notice
from mobile.viewmodels.doors import DoorRow
from mobile.viewmodels.texts import Texts

SOON_OVER_S = 5 * 60
"""A right that ends sooner than this must be renewed in time."""


@dataclass(frozen=True, slots=True)
class AlarmView:
    """The card. `part` is offered, taken or over; `share` is what is left of the time to answer, 1 to 0."""

    part: str = ""
    alarm_id: str = ""
    title: str = ""
    code: str = ""
    address: str = ""
    place: str = ""
    raised: str = ""
    countdown: str = ""
    share: float = 0.0
    working: bool = False
    take: str = ""
    message: str = ""
    message_next: str = ""
    can_sign_in: bool = False
    can_fetch: bool = False
    until: str = ""
    urgent: bool = False
    rows: tuple[DoorRow, ...] = ()
    help_door: str = ""
    phone: str = ""
    phone_call: str = ""
    confirming: bool = False
    more: str = ""


@dataclass(frozen=True, slots=True)
class StripView:
    """The line that stands on every screen while there is an alarm."""

    text: str
    detail: str
    act: str = "alarm"
    icon: str = "alarm"


class AlarmCard:
    """Puts the model into words; what fingers do goes straight to the model."""

    def __init__(self, model: AlarmModel) -> None:
        self.model = model
        self._session = model.session
        self._first_left: dict[tuple[str, int], int] = {}
        self._last = AlarmView()
        self._strip: StripView | None = None

    def view(self) -> AlarmView:
        """What to show now. While a finger is on the glass the card stands still under it."""
        alarm, notice = self.model.current(), self.model.notice
        if self._session.state.stage is not Stage.UNLOCKED:
            self._last = AlarmView()
        elif self.model.navigation.touched and self._last.part:
            return self._last
        elif notice is not None:
            self._last = self._over(notice)
        elif alarm is not None:
            self._last = self._offered(alarm) if alarm.stage is AlarmStage.OFFERED else self._taken(alarm)
        return self._last

    def strip(self) -> StripView | None:
        """The line above every screen of the work but the card itself.

        It pushes down what is below it, so it neither comes nor goes while a finger is on the glass.
        """
        if self._session.state.stage is not Stage.UNLOCKED:
            self._strip, self._last = None, AlarmView()
            self._first_left.clear()
        elif not self.model.navigation.touched:
            self._strip = self._line()
        return self._strip

    def _line(self) -> StripView | None:
        texts, alarm = self._session.texts, self.model.on_strip()
        at_work = self.model.navigation.screen not in {"enrol", "pin", "signin", "alarm"}
        if alarm is None or not at_work:
            return None
        door = self._apartment(alarm)
        where = door.address if door is not None else texts.tr("alarm.no_door")
        if alarm.stage is AlarmStage.OFFERED:
            return StripView(texts.tr("alarm.strip_offered", code=alarm.alarm_code), where)
        until = texts.tr("alarm.strip_until", place=where, time=texts.clock(alarm.expires))
        return StripView(texts.tr("alarm.strip_taken", code=alarm.alarm_code), until)

    # -- the three parts ------------------------------------------------------------------------------------

    def _offered(self, alarm: Alarm) -> AlarmView:
        texts, model = self._session.texts, self.model
        left = max(0, alarm.respond_by - model.now())
        whole = self._first_left.setdefault((alarm.id, alarm.respond_by), max(1, left))
        doing = model.under_way[1] if model.under_way else None
        shown = replace(
            self._about(alarm),
            part="offered",
            title=texts.tr("alarm.title"),
            countdown=texts.tr("alarm.respond", time=texts.duration(left))
            if left
            else texts.tr("alarm.wider"),
            share=min(1.0, left / whole),
            working=doing is not None,
            take=texts.tr("alarm.taking") if doing is AlarmAnswer.TAKE else texts.tr("alarm.take"),
        )
        return self._saying(shown, model.trouble)

    def _taken(self, alarm: Alarm) -> AlarmView:
        texts, model, now = self._session.texts, self.model, self.model.now()
        found = [door for door_id in alarm.door_ids if (door := self._session.state.doors.get(door_id))]
        rows = tuple(doors.row(door, texts, now) for door in found)
        apartment = self._apartment(alarm)
        missing = any(not row.allowed for row in rows) or not rows
        coming = missing and model.under_way is not None
        slug = model.trouble or ("alarm_right_over" if alarm.expires <= now else "")
        slug = slug or ("alarm_right_coming" if coming else "alarm_right_missing" if missing else "")
        shown = replace(
            self._about(alarm),
            part="taken",
            title=texts.tr("alarm.yours"),
            until=self._until(alarm),
            urgent=alarm.expires - now < SOON_OVER_S,
            rows=rows,
            help_door=apartment.id if apartment else "",
            working=model.under_way is not None,
            can_fetch=missing and not coming,
            confirming=model.confirming,
        )
        return self._saying(shown, slug)

    def _over(self, notice: Notice) -> AlarmView:
        words = self._session.texts.reason(notice.slug or f"alarm_{notice.kind}")
        return replace(
            self._about(notice.alarm),
            part="over",
            raised="",
            more="",
            title=words.title,
            message=words.happened,
            message_next=words.next,
        )

    # -- what they share ------------------------------------------------------------------------------------

    def _about(self, alarm: Alarm) -> AlarmView:
        texts, phone = self._session.texts, self._session.state.support.phone
        door, more = self._apartment(alarm), self.model.others()
        age = max(0, self.model.now() - alarm.raised_at)
        return AlarmView(
            alarm_id=alarm.id,
            code=texts.tr("alarm.code", code=alarm.alarm_code),
            address=door.address if door else texts.tr("alarm.no_door"),
            place=_place(door, texts) if door else "",
            raised=texts.tr("alarm.raised", time=texts.clock(alarm.raised_at), ago=texts.duration(age)),
            phone=phone,
            phone_call=texts.tr("help.call", phone=phone.replace(" ", "\u00a0")) if phone else "",
            more=texts.count("alarm.more", more) if more else "",
        )

    def _saying(self, shown: AlarmView, slug: str) -> AlarmView:
        if not slug:
            return shown
        words = self._session.texts.reason(slug)
        return replace(
            shown, message=words.title, message_next=words.next, can_sign_in=slug == "session_expired"
        )

    def _until(self, alarm: Alarm) -> str:
        texts, left = self._session.texts, alarm.expires - self.model.now()
        if left <= 0:
            return texts.tr("alarm.until_over", time=texts.clock(alarm.expires))
        return texts.tr("alarm.until", time=texts.clock(alarm.expires), left=texts.duration(left))

    def _apartment(self, alarm: Alarm) -> DoorView | None:
        """The door the alarm is about: the last on the way."""
        known = self._session.state.doors
        found = [known[door_id] for door_id in alarm.door_ids if door_id in known]
        homes = [door for door in found if door.kind is DoorKind.APARTMENT]
        return next(iter([*homes[-1:], *found[-1:]]), None)


def _place(door: DoorView, texts: Texts) -> str:
    parts = (("entrance", door.entrance), ("floor", door.floor), ("number", door.number))
    return " · ".join(texts.tr(f"door.{name}", value=value) for name, value in parts if value)

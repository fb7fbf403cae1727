"""Which alarms there are for the person, which of them is on the card, and what has to be heard.

An alarm that asks for an answer comes up by itself (`Navigation.call_up`), as does one that the patrol has
handed to the person, and the news that one is over. What the person has taken stays within one tap's reach:
as a strip on every screen until the alarm ends. An answer is never given by a way out: going back only puts
the alarm aside.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from mobile.engine.errors import EngineError
from mobile.engine.state import Alarm, AlarmAnswer, AlarmStage, LoginState, Operation, Stage
from mobile.viewmodels.forms import slug_of
from mobile.viewmodels.navigation import Navigation
from mobile.viewmodels.session import Session
from mobile.viewmodels.taps import Taps

RING_EVERY_S = 4.0
"""An unanswered alarm is heard again and again until others are asked as well."""
READ_S = 2.5
"""So long the result of a tap stays before an alarm may cover it."""
HOLD_MOST_S = 5.0
"""A finger that rests longer than this is believed to have left without anybody being told (a system's own
dialog can swallow that): nothing that has just come up takes its touch anyway."""
TOO_LATE = frozenset({"alarm_taken", "alarm_ended"})
WAITS = "right_waits"

Round = tuple[str, int]
"""An alarm and the round in which it was offered: offered anew, it asks anew."""


@dataclass(frozen=True, slots=True)
class Notice:
    """News that an alarm is over for the person. `kind`: too_late, passed, ended or handed_over."""

    kind: str
    alarm: Alarm
    slug: str = ""


class AlarmModel:
    """What `mobile.viewmodels.alarmcard` puts into words, and the verbs of the card."""

    def __init__(
        self,
        session: Session,
        navigation: Navigation,
        taps: Taps,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.session, self.navigation, self._taps, self._monotonic = session, navigation, taps, monotonic
        self.notice: Notice | None = None
        self.trouble = ""
        """The slug of what the last answer failed with."""
        self.confirming = False
        """Whether the person was asked if the alarm is really to be handed over."""
        self.under_way: tuple[str, AlarmAnswer] | None = None
        self._seen: tuple[Alarm, ...] = ()
        self._aside: set[Round] = set()
        self._known: set[str] = set()
        """Taken alarms that the person knows of."""
        self._chosen = ""
        self._rung: dict[Round, float] = {}
        self._read_from: float | None = None
        self._held_from: float | None = None
        navigation.call_up("alarm", self.wants, self.put_aside)
        navigation.wait_while(self._reading)

    # -- what there is --------------------------------------------------------------------------------------

    def now(self) -> int:
        """The server's time, as far as the phone knows: countdowns must be right on a phone that is not."""
        return self.session.now()

    def waiting(self) -> list[Alarm]:
        """Offered, not answered and not put aside; who waited longest comes first."""
        return [one for one in self._offered() if _round(one) not in self._aside]

    def unknown(self) -> list[Alarm]:
        """Taken, but unknown to the person: sent by the patrol, or taken before the app was unlocked."""
        return [one for one in self._taken() if one.id not in self._known]

    def current(self) -> Alarm | None:
        """The alarm on the card."""
        if self.under_way is not None:
            return self._find(self.under_way[0])
        chosen = self._find(self._chosen)
        if chosen is not None and (chosen.stage is AlarmStage.TAKEN or chosen in self.waiting()):
            return chosen
        return next(iter([*self.waiting(), *self.unknown(), *self._taken()]), None)

    def on_strip(self) -> Alarm | None:
        """The alarm that the strip tells of: first what asks for an answer."""
        return next(iter([*self._offered(), *self._taken()]), None)

    def others(self) -> int:
        """How many alarms there are beside the one on the card."""
        return max(0, len(self.session.state.alarms) - 1)

    # -- coming up ------------------------------------------------------------------------------------------

    def wants(self) -> bool:
        """Whether the card is to be up by itself."""
        self._take_in()
        self._reading()  # also while nothing waits, so that it knows which result is new
        asks = self.notice is not None or bool(self.waiting() or self.unknown())
        if not (asks or self._taken() or self.under_way or self.navigation.touched):
            self.navigation.drop("alarm")
        answered = self.current() if self.under_way is not None else None
        return asks or (answered is not None and answered.stage is AlarmStage.OFFERED)

    def rings(self) -> str:
        """The class of sound that is due now, else ''. Asking for it counts as having rung."""
        self._take_in()
        at = self._monotonic()
        due = [one for one in [*self.waiting(), *self.unknown()] if self._is_due(one, at)]
        self._rung.update({_round(one): at for one in due})
        return "alarm" if due else ""

    def tick(self) -> None:
        """A second has passed: look again whether the card may come up."""
        if self.session.state.alarms or self.notice is not None:
            self._let_go()
            self.session.changed()

    def _let_go(self) -> None:
        if not self.navigation.touched:
            self._held_from = None
        elif self._held_from is None:
            self._held_from = self._monotonic()
        elif self._monotonic() - self._held_from > HOLD_MOST_S:
            self.navigation.touched, self._held_from = False, None

    def _is_due(self, alarm: Alarm, at: float) -> bool:
        last = self._rung.get(_round(alarm))
        if last is None:
            return True
        again = alarm.stage is AlarmStage.OFFERED and self.under_way is None
        return again and at - last >= RING_EVERY_S and self.now() < alarm.respond_by

    def _reading(self) -> bool:
        """A tap was carried out a moment ago, and its result has just come up."""
        if self._taps.running:
            self._read_from = None
        elif self.navigation.under != "result":
            self._read_from = None
            return False
        elif self._read_from is None:
            self._read_from = self._monotonic()
        return self._read_from is None or self._monotonic() - self._read_from < READ_S

    # -- the person's verbs ---------------------------------------------------------------------------------

    def take(self, alarm_id: str) -> None:
        """One tap takes it."""
        self._answer(alarm_id, AlarmAnswer.TAKE)

    def decline(self, alarm_id: str) -> None:
        """I cannot."""
        self._answer(alarm_id, AlarmAnswer.DECLINE)

    def ask_hand_over(self, asking: bool) -> None:
        """Show or hide the question that tells what handing over means."""
        self.confirming = asking
        self.session.changed()

    def hand_over(self, alarm_id: str) -> None:
        """Yes: others are asked."""
        self.confirming = False
        self._answer(alarm_id, AlarmAnswer.HAND_OVER)

    def put_aside(self) -> None:
        """Back: the card goes, the strip stays, and nothing is answered."""
        alarm = self.current()
        if self.notice is not None:
            self.read()
        elif self.under_way is None and alarm is not None:
            if alarm.stage is AlarmStage.TAKEN:
                self._known.add(alarm.id)
            else:
                self._aside.add(_round(alarm))
            self.trouble = ""
        self.session.changed()

    def read(self) -> None:
        """The news has been read."""
        self.notice, self.trouble = None, ""
        self.session.changed()

    def show(self) -> None:
        """A tap on the strip."""
        alarm = self.on_strip()
        if alarm is None:
            return
        self._chosen = alarm.id
        self._aside.discard(_round(alarm))
        if alarm.stage is AlarmStage.TAKEN:
            self.navigation.go("alarm")
        self.session.changed()

    def open(self, door_id: str) -> None:
        """Open a door of the taken alarm; afterwards the card is there again."""
        self._settle()
        self.navigation.go("result", door_id)
        self._taps.act(door_id, Operation.OPEN)

    def help(self, door_id: str) -> None:
        """The door's other ways in; afterwards the card is there again."""
        self._settle()
        self.navigation.go("help", door_id)

    def fetch(self) -> None:
        """Try again to get what has not come yet."""
        self.session.call(self.session.engine.sync(), failed=self._remember)

    # -- within ---------------------------------------------------------------------------------------------

    def _answer(self, alarm_id: str, answer: AlarmAnswer) -> None:
        """One answer at a time: a second tap joins the first."""
        if self.under_way is not None or self._find(alarm_id) is None:
            return
        mine, self.trouble, alarm = (alarm_id, answer), "", self._find(alarm_id)
        self.under_way = mine
        self.session.changed()

        def over(slug: str = "") -> None:
            if self.under_way is mine:  # else the app was locked meanwhile
                self._over(answer, alarm, slug)

        verb = self.session.engine.answer_alarm(alarm_id, answer)
        self.session.call(verb, lambda _: over(), lambda error: over(slug_of(error)))

    def _over(self, answer: AlarmAnswer, alarm: Alarm | None, slug: str) -> None:
        self._take_in()
        self.under_way, self.trouble = None, slug
        if alarm is None or self.session.state.stage is not Stage.UNLOCKED:
            self.trouble = ""
        elif slug in TOO_LATE:
            self.notice, self.trouble = Notice("too_late", alarm, slug), ""
        elif answer is AlarmAnswer.TAKE and slug in {"", WAITS}:
            self._chosen, self.trouble = alarm.id, ""
            if alarm.id not in self._known:  # else its person is at a door already
                self._settle()
        elif answer is AlarmAnswer.HAND_OVER and not slug:
            self.notice = Notice("handed_over", alarm)

    def _remember(self, error: EngineError) -> None:
        self.trouble = slug_of(error)

    def _settle(self) -> None:
        """The alarm is the person's own work from here on: its card lies among the other screens."""
        alarm = self.current()
        if alarm is not None:
            self._known.add(alarm.id)
        self.navigation.go("alarm")

    def _take_in(self) -> None:
        """Notice what has gone since the last snapshot; an app that was locked begins anew."""
        state = self.session.state
        if state.stage is not Stage.UNLOCKED:
            self._seen, self.notice, self.trouble, self._chosen = (), None, "", ""
            self.confirming, self.under_way = False, None
            for kept in (self._aside, self._known, self._rung):
                kept.clear()
            return
        if state.alarms is self._seen:
            return
        self._known.difference_update(alarm.id for alarm in self._offered())
        gone = [alarm for alarm in self._seen if self._find(alarm.id) is None]
        answering = self.under_way[0] if self.under_way else ""
        for alarm in gone if state.login is LoginState.SIGNED_IN else []:
            if alarm.id != answering and (kind := self._kind_of_end(alarm)):
                self.notice, self.confirming = Notice(kind, alarm), False
        self._seen = state.alarms

    def _kind_of_end(self, alarm: Alarm) -> str:
        if alarm.stage is AlarmStage.TAKEN:
            return "ended"
        on_card = self.navigation.screen == "alarm" and _round(alarm) not in self._aside
        return "passed" if on_card else ""

    def _find(self, alarm_id: str) -> Alarm | None:
        return next((one for one in self.session.state.alarms if one.id == alarm_id), None)

    def _offered(self) -> list[Alarm]:
        found = [one for one in self.session.state.alarms if one.stage is AlarmStage.OFFERED]
        return sorted(found, key=lambda one: (one.raised_at, one.id))

    def _taken(self) -> list[Alarm]:
        return [one for one in self.session.state.alarms if one.stage is AlarmStage.TAKEN]


def _round(alarm: Alarm) -> Round:
    return alarm.id, alarm.respond_by

"""When an alarm comes up, how often it is heard, how much time it says is left: by a clock of the tests."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, TypeVar

from mobile.engine.errors import EngineError, ServerError
from mobile.engine.state import (
    Alarm,
    AlarmStage,
    AppState,
    DoorKind,
    DoorView,
    LoginState,
    Stage,
    SyncStatus,
)
from mobile.viewmodels.alarmcard import AlarmCard
from mobile.viewmodels.alarms import RING_EVERY_S, AlarmModel
from mobile.viewmodels.navigation import Navigation
from mobile.viewmodels.preferences import Preferences
from mobile.viewmodels.session import Session
from mobile.viewmodels.taps import Taps
from tests.ui.bench import BenchEngine

T = TypeVar("T")
NOW = 1_790_000_000
OFFERED = Alarm("7", "2093", (), AlarmStage.OFFERED, NOW - 60, NOW + 30, NOW + 12 * 3600)
TAKEN = replace(OFFERED, stage=AlarmStage.TAKEN, expires=NOW + 1800)
GATE = DoorView("g1", DoorKind.GATE, "Björkallén 14", rights_until=NOW + 1800)
AT_WORK = AppState(stage=Stage.UNLOCKED, login=LoginState.SIGNED_IN)


class Held:
    """Verbs wait until the test lets them end, so that what happens meanwhile can be seen."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Coroutine[Any, Any, Any], Callable[..., None], Callable[..., None]]] = []

    def run(
        self, verb: Coroutine[Any, Any, T], done: Callable[[T], None], failed: Callable[[EngineError], None]
    ) -> None:
        self.waiting.append((verb, done, failed))

    def post(self, call: Callable[[], None]) -> None:
        call()

    def drop(self) -> None:
        for verb, _, _ in self.waiting:
            verb.close()
        self.waiting.clear()

    def end(self, error: EngineError | None = None) -> None:
        verb, done, failed = self.waiting.pop(0)
        verb.close()
        if error is None:
            done(None)
        else:
            failed(error)


class Phone:
    """The models of a phone, and the two clocks that they look at."""

    def __init__(self, *alarms: Alarm, **more: Any) -> None:
        self.engine, self.runner = BenchEngine(replace(AT_WORK, alarms=alarms, **more)), Held()
        self.wall, self.monotonic = NOW, 100.0
        self.session = Session(self.engine, self.runner, Preferences(), now=lambda: self.wall)
        self.navigation = Navigation(self.session)
        self.model = AlarmModel(
            self.session, self.navigation, Taps(self.session), monotonic=lambda: self.monotonic
        )
        self.card = AlarmCard(self.model)
        self.session.changed()

    def pass_time(self, seconds: float) -> None:
        self.wall += int(seconds)
        self.monotonic += seconds

    def rings(self, seconds: int) -> int:
        """How often it is heard in so many seconds, asked each second and at every repaint."""
        heard = 0
        for _ in range(seconds):
            heard += sum(bool(self.model.rings()) for _ in range(5))
            self.pass_time(1)
        return heard


def test_it_is_heard_again_and_again_until_others_are_asked() -> None:
    phone = Phone(OFFERED)
    assert phone.rings(1) == 1
    assert phone.rings(120) == 30 // int(RING_EVERY_S)


def test_it_is_silent_once_it_is_put_aside_or_being_answered() -> None:
    phone = Phone(OFFERED)
    assert phone.rings(1) == 1
    phone.model.take("7")
    assert phone.rings(20) == 0
    phone.runner.end(ServerError("server_unreachable"))
    assert phone.rings(1) == 1
    phone.navigation.back()
    assert phone.rings(20) == 0


def test_offered_anew_it_asks_anew() -> None:
    phone = Phone(OFFERED)
    phone.navigation.back()
    assert phone.navigation.screen == "today"
    phone.engine.publish(alarms=(replace(OFFERED, respond_by=NOW + 600),))
    assert (phone.navigation.screen, phone.rings(1)) == ("alarm", 1)


def test_a_finger_that_was_never_seen_to_leave_keeps_no_alarm_away_for_long() -> None:
    phone = Phone()
    phone.navigation.touched = True
    phone.engine.publish(alarms=(OFFERED,))
    for _ in range(5):
        phone.model.tick()
        phone.pass_time(1)
        assert phone.navigation.screen == "today"
    phone.pass_time(1)
    phone.model.tick()
    assert phone.navigation.screen == "alarm"


def test_one_that_the_patrol_handed_over_is_heard_once() -> None:
    phone = Phone(TAKEN)
    assert phone.navigation.screen == "alarm"
    assert phone.rings(60) == 1


def test_the_time_left_is_right_on_a_phone_whose_clock_is_not() -> None:
    phone = Phone(OFFERED, sync=SyncStatus(clock_off_seconds=7200))
    phone.wall = NOW + 7200
    assert phone.card.view().countdown == "Svara inom 30 sekunder, sedan tillfrågas fler"
    assert phone.card.view().share == 1.0
    phone.pass_time(15)
    assert (phone.card.view().share, phone.card.view().raised[-17:]) == (0.5, "75 sekunder sedan")
    phone.pass_time(15)
    assert phone.card.view().countdown == "Fler är tillfrågade. Du kan fortfarande ta det."


def test_a_right_that_ends_soon_and_one_that_has_ended() -> None:
    phone = Phone(TAKEN)
    assert not phone.card.view().urgent
    phone.pass_time(1700)
    assert phone.card.view().urgent
    phone.pass_time(100)
    assert phone.card.view().message == "Behörigheten har gått ut"


def test_taken_by_a_sync_that_came_before_the_answer() -> None:
    phone = Phone(OFFERED)
    phone.model.take("7")
    phone.engine.publish(alarms=(TAKEN,))
    assert (phone.navigation.screen, phone.card.view().part) == ("alarm", "taken")
    assert (phone.card.view().message, phone.card.view().can_fetch) == ("Larmet är ditt", False)
    phone.runner.end(ServerError("right_waits"))
    assert (phone.navigation.screen, phone.card.view().part) == ("alarm", "taken")
    assert phone.navigation.back() and phone.navigation.screen == "today"
    assert phone.card.strip() is not None


def test_the_card_stands_still_under_a_finger() -> None:
    phone = Phone(OFFERED)
    before = phone.card.view()
    phone.navigation.touched = True
    phone.pass_time(10)
    phone.engine.publish(alarms=(TAKEN,))
    assert phone.card.view() is before
    phone.navigation.touched = False
    assert phone.card.view().part == "taken"


def test_taken_from_the_strip_it_is_on_the_card() -> None:
    phone = Phone(OFFERED)
    phone.navigation.back()
    phone.navigation.go("settings")
    phone.model.show()
    phone.model.take("7")
    phone.engine.publish(alarms=(TAKEN,))
    assert phone.navigation.screen == "alarm"
    phone.runner.end()
    assert (phone.navigation.screen, phone.card.view().part) == ("alarm", "taken")
    phone.navigation.back()
    assert phone.navigation.screen == "settings"


def test_a_door_may_be_opened_before_the_answer_is_over() -> None:
    phone = Phone(OFFERED)
    phone.model.take("7")
    phone.engine.publish(alarms=(TAKEN,), doors={"g1": GATE})
    phone.model.open("g1")
    assert phone.navigation.screen == "result"
    phone.runner.end()
    assert phone.navigation.screen == "result"
    phone.runner.drop()
    phone.navigation.back()
    assert phone.navigation.screen == "alarm"


def test_a_declined_alarm_says_nothing_more() -> None:
    phone = Phone(OFFERED)
    phone.model.decline("7")
    phone.engine.publish(alarms=())
    phone.runner.end()
    assert (phone.navigation.screen, phone.model.notice) == ("today", None)


def test_signing_out_and_locking_are_no_news_about_an_alarm() -> None:
    for change in ({"login": LoginState.SIGNED_OUT}, {"stage": Stage.LOCKED}):
        phone = Phone(TAKEN)
        phone.engine.publish(alarms=(), **change)
        assert phone.model.notice is None


def test_an_answer_that_ends_after_the_app_was_locked_leaves_nothing_behind() -> None:
    phone = Phone(OFFERED)
    phone.model.take("7")
    phone.engine.publish(stage=Stage.LOCKED, alarms=())
    phone.runner.end(EngineError("app_locked"))
    phone.engine.publish(stage=Stage.UNLOCKED, alarms=(OFFERED,))
    assert (phone.card.view().part, phone.card.view().message) == ("offered", "")


def test_an_ended_session_leads_to_signing_in_and_back() -> None:
    phone = Phone(OFFERED)
    phone.model.take("7")
    phone.engine.publish(login=LoginState.SIGNED_OUT)
    phone.runner.end(EngineError("session_expired"))
    assert phone.card.view().can_sign_in
    phone.navigation.sign_in()
    assert phone.navigation.screen == "signin"
    phone.engine.publish(login=LoginState.SIGNED_IN)
    assert phone.navigation.screen == "alarm"


def test_the_oldest_call_comes_first_and_says_that_there_are_more() -> None:
    older = replace(OFFERED, id="9", raised_at=NOW - 300)
    phone = Phone(OFFERED, older)
    assert (phone.card.view().alarm_id, phone.card.view().more) == ("9", "1 larm till")

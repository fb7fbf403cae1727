"""Scenes of what is urgent: alarms, emergency openings, and doors that something is wrong with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mobile.engine.emergencies import EmergencyRight
from mobile.engine.errors import EngineError, ServerError
from mobile.engine.state import Alarm, AlarmStage, LoginState
from mobile.ui.app import NyckelfriApp
from tests.ui.bench import BenchEngine
from tests.ui.scenes import MORNING, UNLOCKED, Scene, Way


def alarm(stage: AlarmStage = AlarmStage.OFFERED, **more: object) -> Alarm:
    """An alarm at Björkallén 14, raised a minute ago, half a minute left to answer."""
    offered = Alarm("7", "2093", ("g1", "a1"), stage, MORNING - 75, MORNING + 32, MORNING + 12 * 3600)
    return replace(offered, **more)  # type: ignore[arg-type]


OFFERED = alarm()
TAKEN = alarm(AlarmStage.TAKEN, expires=MORNING + 27 * 60)
OFFERED_DAY, TAKEN_DAY = replace(UNLOCKED, alarms=(OFFERED,)), replace(UNLOCKED, alarms=(TAKEN,))


def _over(app: NyckelfriApp, engine: BenchEngine) -> None:
    engine.publish(alarms=())


def _aside(app: NyckelfriApp, engine: BenchEngine) -> None:
    app.navigation.back()


def _hand_over(app: NyckelfriApp, engine: BenchEngine) -> None:
    app.root.ids.screens.get_screen("alarm").act("hand_over")


def _no_coverage(app: NyckelfriApp, engine: BenchEngine) -> None:
    engine.errors["take 7"] = EngineError("server_unreachable")
    app.root.ids.screens.get_screen("alarm").act("take")


def _offline(app: NyckelfriApp, engine: BenchEngine) -> None:
    app.navigation.work_offline()


def _emergency(app: NyckelfriApp, engine: BenchEngine) -> None:
    app.navigation.go("emergency", "a3")


def _emergency_by_code(app: NyckelfriApp, engine: BenchEngine) -> None:
    app.navigation.go("emergency")


def _no_code(app: NyckelfriApp, engine: BenchEngine) -> None:
    app.root.ids.screens.get_screen("emergency").choose("no_answer")


def _confirm(app: NyckelfriApp, engine: BenchEngine) -> None:
    _emergency(app, engine)
    app.root.ids.screens.get_screen("emergency").model.choose("no_answer")


def _taken_right(app: NyckelfriApp, engine: BenchEngine) -> None:
    engine.emergency_right = EmergencyRight(MORNING + 3600, ("g1", "a1"))
    app.root.ids.screens.get_screen("emergency").act("take")


def _report(app: NyckelfriApp) -> Any:
    return app.root.ids.screens.get_screen("report")


def _reporting(app: NyckelfriApp, engine: BenchEngine) -> None:
    app.navigation.go("report", "g1")
    _report(app).choose("dead_lock")


def _refused(code: str, why: str = "") -> Way:
    def go(app: NyckelfriApp, engine: BenchEngine) -> None:
        engine.errors["break_glass no_answer a3"] = ServerError(code, **({"why": why} if why else {}))
        app.root.ids.screens.get_screen("emergency").act("take")

    return go


URGENT = (
    Scene("alarm-offered", OFFERED_DAY),
    Scene("alarm-offered-wider", replace(UNLOCKED, alarms=(alarm(respond_by=MORNING - 5), TAKEN))),
    Scene("alarm-offered-no-coverage", OFFERED_DAY, then=_no_coverage),
    Scene("alarm-no-door", replace(UNLOCKED, alarms=(alarm(door_ids=()),))),
    Scene("alarm-taken", TAKEN_DAY),
    Scene("alarm-taken-no-right", replace(UNLOCKED, alarms=(replace(TAKEN, door_ids=("g1", "a3")),))),
    Scene("alarm-taken-right-over", replace(UNLOCKED, alarms=(replace(TAKEN, expires=MORNING - 60),))),
    Scene("alarm-hand-over", TAKEN_DAY, then=_hand_over),
    Scene("alarm-passed", OFFERED_DAY, then=_over),
    Scene("alarm-ended", TAKEN_DAY, then=_over),
    Scene("alarm-strip-offered", OFFERED_DAY, then=_aside),
    Scene("alarm-strip-taken", TAKEN_DAY, then=_aside),
    Scene("emergency-help", UNLOCKED, lambda app, engine: app.navigation.go("help", "a3")),
    Scene("emergency-why", UNLOCKED, _emergency),
    Scene("emergency-code", UNLOCKED, _emergency_by_code, _no_code),
    Scene("emergency-signed-out", replace(UNLOCKED, login=LoginState.SIGNED_OUT), _offline, _emergency),
    Scene("emergency-confirm", UNLOCKED, _confirm),
    Scene("emergency-refused", UNLOCKED, _confirm, _refused("nothing_to_open", "client_paused")),
    Scene("emergency-waits", UNLOCKED, _confirm, _refused("right_waits")),
    Scene("emergency-given", UNLOCKED, _confirm, _taken_right),
    Scene("report-help", UNLOCKED, lambda app, engine: app.navigation.go("help", "g1")),
    Scene("report-what", UNLOCKED, lambda app, engine: app.navigation.go("report", "g1")),
    Scene("report-confirm", UNLOCKED, _reporting),
    Scene("report-sent", UNLOCKED, _reporting, lambda app, engine: _report(app).act("send")),
)

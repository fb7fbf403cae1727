"""Scenes of what is urgent: alarms, emergency openings, and doors that something is wrong with."""

from __future__ import annotations

from dataclasses import replace

from mobile.engine.errors import EngineError
from mobile.engine.state import Alarm, AlarmStage
from mobile.ui.app import NyckelfriApp
from tests.ui.bench import BenchEngine
from tests.ui.scenes import MORNING, UNLOCKED, Scene


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
)

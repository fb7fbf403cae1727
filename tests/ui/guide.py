"""Scenes of the practice guide: each step, and what stands in the way of it."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from mobile.engine.errors import EngineError
from mobile.engine.state import AppState, Bluetooth, DoorKind, Nearby, Opening, OpeningState
from mobile.ui.app import NyckelfriApp
from mobile.viewmodels.practice import STEPS
from tests.ui.bench import BenchEngine
from tests.ui.scenes import DOORS, SUPPORT, UNLOCKED, Scene, _door, _to

PRACTICE_DOORS = dict(
    [
        _door("p1", DoorKind.PRACTICE, "Kontorsgatan 2", floor="2", label="Övningslås 1"),
        _door(
            "p2", DoorKind.PRACTICE, "Utbildningscentrum, Skolgatan 11", entrance="C", label="Övningslås 2"
        ),
    ]
)
UNTIL_LOCK = ("near", "tap", "granted", "open")


def practising(*done: str, near: Nearby = Nearby.HERE, bluetooth: Bluetooth = Bluetooth.ON) -> AppState:
    """Anna beside (or far from) a practice lock, with these steps done."""
    doors = {**DOORS, **PRACTICE_DOORS, "p1": replace(PRACTICE_DOORS["p1"], nearby=near)}
    return replace(
        UNLOCKED,
        doors=MappingProxyType(doors),
        practised=frozenset(done),
        bluetooth=bluetooth,
        support=SUPPORT,
    )


def _nowhere(app: NyckelfriApp, engine: BenchEngine) -> None:
    engine.errors["begin_practice"] = EngineError("practice_nowhere")
    app.root.ids.screens.current_screen.model.begin()


REFUSED = MappingProxyType(
    {"p1": Opening("p1", state=OpeningState.REFUSED, reason="not_yet_valid", early=True)}
)
AFTER_ASKING = replace(practising(*UNTIL_LOCK, "lock"), openings=REFUSED)
GUIDE = (
    Scene("practice-begin", UNLOCKED, _to("practice")),
    Scene("practice-nowhere", UNLOCKED, _to("practice"), _nowhere),
    Scene("practice-not-heard", practising(near=Nearby.NO), _to("practice")),
    Scene(
        "practice-bluetooth-off", practising(near=Nearby.NO, bluetooth=Bluetooth.OFF), _to("practice")
    ),
    Scene("practice-tap", practising("near"), _to("practice")),
    Scene("practice-lock", practising(*UNTIL_LOCK), _to("practice")),
    Scene("practice-refusal", practising(*UNTIL_LOCK, "lock"), _to("practice")),
    Scene("practice-refused", AFTER_ASKING, _to("result", "p1")),
    Scene("practice-help", practising(*UNTIL_LOCK, "lock", "refused"), _to("practice")),
    Scene("practice-help-card", practising(*UNTIL_LOCK, "lock", "refused"), _to("help", "p1")),
    Scene("practice-over", practising(*STEPS), _to("practice")),
    Scene("practice-time-up", replace(UNLOCKED, practised=frozenset({"near"})), _to("practice")),
    Scene("practice-today", practising("near", "tap")),
)  # fmt: skip

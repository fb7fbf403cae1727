"""Scenes of leaving: a door that was unlocked and is no longer heard."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from mobile.engine.state import Nearby
from mobile.ui.app import NyckelfriApp
from mobile.viewmodels.leaving import LISTEN_SECONDS
from tests.ui.bench import BenchEngine
from tests.ui.scenes import DOORS, MORNING, UNLOCKED, Scene

UNLOCKED_A2 = replace(DOORS["a2"], left_unlocked=True, unlocked_at=MORNING - 31 * 60, nearby=Nearby.NO)
UNLOCKED_A1 = replace(DOORS["a1"], left_unlocked=True, unlocked_at=MORNING - 70 * 60, nearby=Nearby.NO)
LEFT_ONE = replace(UNLOCKED, doors=MappingProxyType({**DOORS, "a2": UNLOCKED_A2}))
LEFT_TWO = replace(UNLOCKED, doors=MappingProxyType({**DOORS, "a1": UNLOCKED_A1, "a2": UNLOCKED_A2}))


def wait(app: NyckelfriApp, engine: BenchEngine) -> None:
    """So long that a door which is there would have been heard."""
    model = app.root.ids.screens.get_screen("leaving").model
    for _ in range(LISTEN_SECONDS):
        model.tick()


LEAVINGS = (Scene("leaving", LEFT_ONE, wait), Scene("leaving-two", LEFT_TWO, wait))

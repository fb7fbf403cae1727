"""Scenes of the vault: whose it is, its PIN, and leaving a phone."""

from __future__ import annotations

from dataclasses import replace

from mobile.engine.errors import VaultCorruptError, WrongPinError
from mobile.engine.state import BearerCard, LoginState, SyncStatus
from mobile.ui.app import NyckelfriApp
from tests.ui.bench import BenchEngine
from tests.ui.scenes import LOCKED, MORNING, UNLOCKED, Scene, Way, _to

POOL = tuple(BearerCard(f"b{at}", name) for at, name in enumerate(("AL", "MK", "SÖ", "JW", "FA", "TN"), 1))
GUARDED = replace(UNLOCKED, bearers=POOL, hardware_key="tee")
OLDER = replace(UNLOCKED, login=LoginState.SIGNED_OUT, vault_warning="vault_older")


def _step(step: str) -> Way:
    def go(app: NyckelfriApp, engine: BenchEngine) -> None:
        app.navigation.go("mypin")
        app.refresh()
        app.root.ids.screens.current_screen.model.begin(step)

    return go


def _switch(app: NyckelfriApp, engine: BenchEngine) -> None:
    app.root.ids.screens.current_screen.model.switch()


def _asks(app: NyckelfriApp, engine: BenchEngine) -> None:
    app.root.ids.screens.current_screen.model.ask_clear(True)


def _damaged(app: NyckelfriApp, engine: BenchEngine) -> None:
    engine.errors["unlock"] = VaultCorruptError()
    model = app.root.ids.screens.current_screen.model
    for digit in "493817":
        model.press(digit)
    model.open()


def _wrong_old(app: NyckelfriApp, engine: BenchEngine) -> None:
    engine.errors["change_pin"] = WrongPinError(attempts_left=6, wait_seconds=15)
    app.root.ids.screens.current_screen.model.change("111222", "602914", "602914")


def _changed(app: NyckelfriApp, engine: BenchEngine) -> None:
    app.root.ids.screens.current_screen.model.change("493817", "602914", "602914")


VAULTS = (
    Scene("pin-people", replace(LOCKED, bearers=POOL, active_bearer="")),
    Scene("pin-switch", replace(LOCKED, bearers=POOL), _switch),
    Scene("pin-forgotten", replace(LOCKED, pin_attempts_left=7)),
    Scene("pin-last-try", replace(LOCKED, pin_attempts_left=1, pin_wait_until=MORNING + 3600)),
    Scene("pin-damaged", LOCKED, _damaged),
    Scene("pin-clear", replace(LOCKED, pin_attempts_left=7), _asks),
    Scene("signin-older-vault", OLDER),
    Scene("mypin", UNLOCKED, _to("mypin")),
    Scene("mypin-pool-guarded", GUARDED, _to("mypin")),
    Scene("mypin-change", UNLOCKED, _step("pin")),
    Scene("mypin-change-wrong", UNLOCKED, _step("pin"), _wrong_old),
    Scene("mypin-changed", UNLOCKED, _step("pin"), _changed),
    Scene("mypin-leave", replace(UNLOCKED, sync=SyncStatus(MORNING - 60, 2, True)), _step("leave")),
)

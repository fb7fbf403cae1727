"""Scenes of the installer's work: the day's list, an order, the work itself, how it ended."""

from __future__ import annotations

from mobile.engine.errors import EngineError, ServerError
from mobile.engine.state import DoorKind
from mobile.engine.workorders import Obstacle, WorkKind, WorkOrder, WorkStep
from mobile.ui.app import NyckelfriApp
from tests.ui.bench import BenchEngine
from tests.ui.scenes import UNLOCKED, Scene

LABEL = "7Q2M-0XKD-9FTR-4HZ8-W1CB-63NP-VAEY-5GJS"
ORDERS = (
    WorkOrder(1, WorkKind.MOUNT, 11, DoorKind.GATE, "Storgatan 3", entrance="A"),
    WorkOrder(2, WorkKind.MOUNT, 12, DoorKind.APARTMENT, "Storgatan 3", "A", "2", "1201"),
    WorkOrder(
        3,
        WorkKind.MOUNT,
        13,
        DoorKind.APARTMENT,
        "Storgatan 3",
        "A",
        "3",
        "1302",
        obstacles=(Obstacle("consent", "AB Bostäder i Exempelby"), Obstacle("gate_first")),
    ),
    WorkOrder(4, WorkKind.BATTERY, 14, DoorKind.APARTMENT, "Lillgatan 12", floor="1", number="1104"),
    WorkOrder(5, WorkKind.MOVE, 15, DoorKind.LAUNDRY, "Norra Kungsgatan 118", entrance="B"),
    WorkOrder(6, WorkKind.RETIRE, 16, DoorKind.APARTMENT, "Lillgatan 14", floor="4", number="1401"),
)


def _day(app: NyckelfriApp, engine: BenchEngine) -> None:
    engine.orders = ORDERS
    app.navigation.go("installing")


def _empty(app: NyckelfriApp, engine: BenchEngine) -> None:
    engine.orders = ()
    app.navigation.go("installing")


def _stranger(app: NyckelfriApp, engine: BenchEngine) -> None:
    engine.errors["work_orders"] = ServerError("not_permitted")
    app.navigation.go("installing")


def _chosen(app: NyckelfriApp, order_id: int) -> None:
    app.root.ids.screens.current_screen.model.choose(order_id)


def _mount(app: NyckelfriApp, engine: BenchEngine) -> None:
    _chosen(app, 2)


def _retire(app: NyckelfriApp, engine: BenchEngine) -> None:
    _chosen(app, 6)


def _working(app: NyckelfriApp, engine: BenchEngine) -> None:
    engine.work_steps = (WorkStep.SEARCHING, WorkStep.CONNECTING, WorkStep.ASKING, WorkStep.HANDING_OVER)
    engine.work_waits = True
    _begun(app, engine)


def _done(app: NyckelfriApp, engine: BenchEngine) -> None:
    engine.work_waits = False
    _begun(app, engine)


def _begun(app: NyckelfriApp, engine: BenchEngine) -> None:
    _chosen(app, 2)
    app.root.ids.screens.current_screen.model.begin(LABEL)


def _refused(app: NyckelfriApp, engine: BenchEngine) -> None:
    engine.errors[f"carry_out 2 {LABEL}"] = EngineError("lock_not_in_setup")
    _done(app, engine)


FITTING = (
    Scene("install-day", UNLOCKED, _day),
    Scene("install-nothing", UNLOCKED, _empty),
    Scene("install-stranger", UNLOCKED, _stranger),
    Scene("install-mount", UNLOCKED, _day, _mount),
    Scene("install-retire", UNLOCKED, _day, _retire),
    Scene("install-working", UNLOCKED, _day, _working),
    Scene("install-refused", UNLOCKED, _day, _refused),
    Scene("install-done", UNLOCKED, _day, _done),
)

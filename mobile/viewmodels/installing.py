"""Montering: the installer's orders of today, the lock's label, and one order carried out step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mobile.engine.errors import EngineError
from mobile.engine.state import DoorKind
from mobile.engine.workorders import Obstacle, WorkDone, WorkKind, WorkOrder, WorkStep
from mobile.viewmodels.forms import Form
from mobile.viewmodels.session import Session
from mobile.viewmodels.texts import Texts

_OBSTACLES = frozenset({"consent", "gate_first", "door_has_lock"})


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order in the list; a blocked one cannot be begun and says why."""

    order_id: int
    title: str
    place: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class DoneStep:
    """One step that has begun; the last one is under way while `current`."""

    number: int
    words: str
    current: bool


@dataclass(frozen=True, slots=True)
class InstallView:
    """`phase` is orders, order, working or done."""

    phase: str = "orders"
    headline: str = ""
    place: str = ""
    text: str = ""
    orders: tuple[OrderRow, ...] = ()
    steps: tuple[DoneStep, ...] = ()
    message: str = ""
    act: str = ""
    working: bool = False


class InstallModel(Form):
    """One order at a time. The label is read anew for each: it says which lock the person stands at."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._orders: Sequence[WorkOrder] | None = None
        self._order: WorkOrder | None = None
        self._steps: list[WorkStep] = []
        self._done: WorkDone | None = None

    def view(self) -> InstallView:
        """What to show now."""
        if self._order is None:
            return self._list()
        return self._one(self._order)

    def fetch(self) -> None:
        """Ask for today's work."""
        self.submit(self._session.engine.work_orders, self._fetched)

    def choose(self, order_id: int) -> None:
        """Begin with an order of the list; a blocked one is looked at, not begun."""
        found = [one for one in self._orders or () if one.order_id == order_id]
        if found and not found[0].blocked:
            self._begin_anew(found[0])

    def begin(self, label: str) -> None:
        """Carry the chosen order out at the lock of this label."""
        order = self._order
        if order is None or self.working:
            return
        self._steps = []

        def told(step: WorkStep) -> None:
            self._session.runner.post(lambda: self._told(step))

        self.submit(lambda: self._session.engine.carry_out(order, label, told), self._finished)

    def leave(self) -> bool:
        """Back to the list; False when it is there already. Not while a lock is being worked on."""
        if self._order is None:
            return False
        if not self.working:
            done, self._order = self._done, None
            self.start_anew()
            if done is not None:
                self.fetch()
            self._session.changed()
        return True

    def forget(self) -> None:
        """The vault is shut, or another person: no address stays."""
        self.start_anew()
        self._orders = self._order = self._done = None
        self._steps = []

    def _begin_anew(self, order: WorkOrder) -> None:
        self.clear()
        self._order, self._done, self._steps = order, None, []
        self._session.changed()

    def _fetched(self, orders: Sequence[WorkOrder]) -> None:
        self._orders = orders

    def _told(self, step: WorkStep) -> None:
        if self.working and (not self._steps or self._steps[-1] is not step):
            self._steps.append(step)
            self._session.changed()

    def _finished(self, done: WorkDone) -> None:
        self._done = done

    def _failed(self, error: EngineError) -> None:
        super()._failed(error)
        self._steps = []
        if self._order is None and error.code == "not_permitted":
            self.complain("no_installer")

    def _list(self) -> InstallView:
        texts, orders = self._session.texts, self._orders
        empty = orders is not None and not orders
        return InstallView(
            headline=texts.tr("install.title"),
            text=texts.tr("install.none" if empty else "install.intro"),
            orders=tuple(_row(one, texts) for one in orders or ()),
            message=self.message(),
            act=texts.tr("common.working" if self.working else "install.fetch"),
            working=self.working,
        )

    def _one(self, order: WorkOrder) -> InstallView:
        texts, kind = self._session.texts, order.kind.value
        if self._done is not None:
            return InstallView(
                phase="done",
                headline=texts.tr("install.done"),
                text=self._outcome(order, self._done),
                act=texts.tr("install.other_order"),
            )
        again = bool(self.message())
        begin = texts.tr("install.again" if again else f"install.begin_{kind}")
        return InstallView(
            phase="working" if self.working else "order",
            headline=texts.tr(f"install.kind_{kind}"),
            place=_place(order, texts),
            text="" if self.working else texts.tr(f"install.hint_{kind}"),
            steps=tuple(
                DoneStep(number, texts.tr(f"install.step_{step.value}"), number == len(self._steps) - 1)
                for number, step in enumerate(self._steps)
            ),
            message=self.message(),
            act=texts.tr("common.working") if self.working else begin,
            working=self.working,
        )

    def _outcome(self, order: WorkOrder, done: WorkDone) -> str:
        if order.kind is WorkKind.RETIRE:
            return self._session.texts.tr("install.done_retire")
        texts = self._session.texts
        said = texts.tr("install.done_tried" if done.tried else "install.done_untried")
        if done.program is not None:
            said += " " + texts.tr("install.done_program")
        elif done.hindered:
            said += " " + texts.tr("install.done_hindered") + " " + texts.reason(done.hindered).happened
        return said


def _row(order: WorkOrder, texts: Texts) -> OrderRow:
    return OrderRow(
        order_id=order.order_id,
        title=texts.tr(f"install.kind_{order.kind.value}"),
        place=_place(order, texts),
        why="\n".join(_why(one, texts) for one in order.obstacles),
    )


def _why(obstacle: Obstacle, texts: Texts) -> str:
    if obstacle.code == "consent" and obstacle.who:
        return texts.tr("install.blocked_consent_who", who=obstacle.who)
    return texts.tr(f"install.blocked_{obstacle.code if obstacle.code in _OBSTACLES else 'other'}")


def _place(order: WorkOrder, texts: Texts) -> str:
    door = texts.tr(f"door.{order.door_kind.value}")
    if order.door_kind is DoorKind.APARTMENT and order.number:
        door = texts.tr("door.number", value=order.number)
    parts = [order.address]
    parts += [texts.tr("door.entrance", value=order.entrance)] if order.entrance else []
    parts += [texts.tr("door.floor", value=order.floor)] if order.floor else []
    return " · ".join([*parts, door])

"""A stand-in for the engine at its facade, for screens whose states are hard to reach (a jam, a wipe).

It keeps no vault and talks to no radio: it plays what a test has written. The real engine is driven through
the same screens in the integration tests.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from dataclasses import replace
from types import MappingProxyType
from typing import Any, TypeVar

from mobile.engine.emergencies import DoorFault, EmergencyReason, EmergencyRight
from mobile.engine.errors import EngineError, ServerError
from mobile.engine.facade import Listener, Unsubscribe
from mobile.engine.outcome import ServerIdentity, SyncResult
from mobile.engine.state import (
    Alarm,
    AlarmAnswer,
    AlarmStage,
    AppState,
    DoorView,
    HistoryEntry,
    LoginState,
    Opening,
    OpeningState,
    Operation,
    Stage,
)
from mobile.engine.workorders import WorkDone, WorkKind, WorkOrder, WorkStep
from mobile.viewmodels.runner import Done, Failed, report

T = TypeVar("T")
Step = tuple[float, OpeningState, str]
IDENTITY = ServerIdentity("https://nyckel.exempel.se", "Exempelby kommun", "9f3a61c4e07b25d8" * 4)
OPENS: list[Step] = [
    (0.02, OpeningState.SEARCHING, ""),
    (0.02, OpeningState.CONNECTING, ""),
    (0.02, OpeningState.GRANTED_UNLOCKING, ""),
    (0.02, OpeningState.OPEN, ""),
]


class BenchEngine:
    """Follows `mobile.engine.facade.Engine`. `asked` lists the verbs; `errors` and `steps` are the script."""

    def __init__(self, state: AppState | None = None) -> None:
        self._state = state or AppState()
        self._listeners: list[Listener] = []
        self._running: dict[str, asyncio.Task[Opening]] = {}
        self.asked: list[str] = []
        self.errors: dict[str, EngineError] = {}
        self.steps: dict[str, list[Step]] = {}
        self.entries: list[HistoryEntry] = []
        self.emergency_right = EmergencyRight(0, ())
        self.practice_doors: dict[str, DoorView] = {}
        self.orders: Sequence[WorkOrder] = ()
        self.work_done: WorkDone | None = None
        self.work_steps: Sequence[WorkStep] = tuple(WorkStep)
        self.work_waits = False
        """An order that is begun is never done: a picture of the work."""

    @property
    def state(self) -> AppState:
        return self._state

    def subscribe(self, listener: Listener) -> Unsubscribe:
        self._listeners.append(listener)
        listener(self._state)
        return lambda: self._listeners.remove(listener)

    def publish(self, **changes: Any) -> None:
        self._state = replace(self._state, **changes)
        for listener in tuple(self._listeners):
            listener(self._state)

    def _ask(self, verb: str) -> None:
        self.asked.append(verb)
        if error := self.errors.pop(verb, None):
            raise error

    async def start(self) -> None:
        self._ask("start")

    async def stop(self) -> None:
        self._ask("stop")

    async def server_identity(self, server_url: str, root: str = "") -> ServerIdentity:
        self._ask("server_identity")
        if root not in ("", IDENTITY.root_fingerprint):
            raise ServerError("server_not_trusted")
        return replace(IDENTITY, url=server_url)

    async def enrol(self, server_url: str, code: str, pin: str) -> None:
        self._ask("enrol")
        self.publish(stage=Stage.UNLOCKED, server_url=server_url)

    async def select_bearer(self, bearer_id: str) -> None:
        self._ask("select_bearer")

    async def unlock(self, pin: str) -> None:
        self._ask("unlock")
        await asyncio.sleep(0.02)
        self.publish(stage=Stage.UNLOCKED)

    async def lock_app(self) -> None:
        self._ask("lock_app")
        self.publish(stage=Stage.LOCKED)

    async def change_pin(self, old_pin: str, new_pin: str) -> None:
        self._ask("change_pin")

    async def remove_bearer(self, bearer_id: str) -> None:
        self._ask(f"remove {bearer_id}")
        left = tuple(card for card in self._state.bearers if card.id != bearer_id)
        stage = Stage.LOCKED if left else Stage.NOT_ENROLLED
        self.publish(stage=stage, bearers=left, active_bearer=left[0].id if len(left) == 1 else "")

    async def sign_in(self, username: str, password: str) -> None:
        self._ask("sign_in")
        self.publish(login=LoginState.NEEDS_CODE)

    async def second_factor(self, code: str) -> None:
        self._ask("second_factor")
        self.publish(login=LoginState.SIGNED_IN)

    async def sign_out(self) -> None:
        self._ask("sign_out")
        self.publish(login=LoginState.SIGNED_OUT, visits=(), doors=MappingProxyType({}), shift=None)

    async def sync(self) -> SyncResult:
        self._ask("sync")
        return SyncResult()

    async def answer_alarm(self, alarm_id: str, answer: AlarmAnswer) -> None:
        self._ask(f"{answer.value} {alarm_id}")
        await asyncio.sleep(0.02)
        self.publish(alarms=answered(self._state.alarms, alarm_id, answer))

    async def break_glass(
        self, reason: EmergencyReason, *, alarm_code: str = "", door_id: str = ""
    ) -> EmergencyRight:
        self._ask(f"break_glass {reason.value} {alarm_code or door_id}")
        await asyncio.sleep(0)
        return self.emergency_right

    async def report_door(self, door_id: str, fault: DoorFault) -> None:
        self._ask(f"report {fault.value} {door_id}")
        await asyncio.sleep(0)

    async def open_door(self, door_id: str) -> Opening:
        self._ask(f"open {door_id}")
        return await self._joined(door_id, Operation.OPEN)

    async def lock_door(self, door_id: str) -> Opening:
        self._ask(f"lock {door_id}")
        return await self._joined(door_id, Operation.LOCK)

    async def begin_practice(self) -> None:
        self._ask("begin_practice")
        await asyncio.sleep(0.02)
        self.publish(doors=MappingProxyType({**self._state.doors, **self.practice_doors}))

    async def ask_too_early(self, door_id: str) -> Opening:
        self._ask(f"too early {door_id}")
        self.steps[door_id] = [(0.02, OpeningState.REFUSED, "not_yet_valid")]
        return await self._joined(door_id, Operation.OPEN)

    async def note_practice(self, steps: frozenset[str]) -> None:
        self._ask("note_practice")
        self.publish(practised=steps)

    async def work_orders(self) -> Sequence[WorkOrder]:
        self._ask("work_orders")
        await asyncio.sleep(0)
        return self.orders

    async def carry_out(self, order: WorkOrder, label: str, told: Callable[[WorkStep], None]) -> WorkDone:
        for step in self.work_steps:
            told(step)
            await asyncio.sleep(0)
        self._ask(f"carry_out {order.order_id} {label}")
        if self.work_waits:
            await asyncio.Event().wait()
        return self.work_done or WorkDone(tried=order.kind is not WorkKind.RETIRE)

    async def note_locked(self, door_id: str) -> None:
        self._ask(f"note_locked {door_id}")
        locked = replace(self._state.doors[door_id], left_unlocked=False, unlocked_at=0)
        self.publish(doors=MappingProxyType({**self._state.doors, door_id: locked}))

    async def dismiss_opening(self, door_id: str) -> None:
        self._ask("dismiss_opening")
        kept = {key: value for key, value in self._state.openings.items() if key != door_id}
        self.publish(openings=MappingProxyType(kept))

    async def history(self, limit: int = 200) -> Sequence[HistoryEntry]:
        self._ask("history")
        return self.entries[:limit]

    async def _joined(self, door_id: str, operation: Operation) -> Opening:
        task = self._running.get(door_id)
        if task is None or task.done():
            task = asyncio.ensure_future(self._play(door_id, operation))
            self._running[door_id] = task
        return await task

    async def _play(self, door_id: str, operation: Operation) -> Opening:
        shown = Opening(door_id, operation)
        for at, (seconds, state, reason) in enumerate(self.steps.get(door_id, OPENS), start=1):
            await asyncio.sleep(seconds)
            shown = Opening(door_id, operation, state, reason, changed_at=at)
            self.publish(openings=MappingProxyType({**self._state.openings, door_id: shown}))
        return shown


def answered(alarms: tuple[Alarm, ...], alarm_id: str, answer: AlarmAnswer) -> tuple[Alarm, ...]:
    """The alarms as the server would have them after an answer that was in time."""
    if answer is not AlarmAnswer.TAKE:
        return tuple(one for one in alarms if one.id != alarm_id)
    return tuple(replace(one, stage=AlarmStage.TAKEN) if one.id == alarm_id else one for one in alarms)


class LoopRunner:
    """The engine on the very loop the screens run on: what `ThreadRunner` is with threads."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def run(self, verb: Coroutine[Any, Any, T], done: Done[T], failed: Failed) -> None:
        task = asyncio.ensure_future(self._run(verb, done, failed))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def post(self, call: Callable[[], None]) -> None:
        call()

    async def _run(self, verb: Coroutine[Any, Any, T], done: Done[T], failed: Failed) -> None:
        finished: Future[T] = Future()
        try:
            finished.set_result(await verb)
        except Exception as error:  # handed on as it is
            finished.set_exception(error)
        report(finished, done, failed)

"""The phone's engine: implements `mobile.engine.facade.Engine` handing each verb to the part it is for.

Headless, in any asyncio loop (a test's, the demo's, or `mobile.engine.thread.EngineThread`'s)::

    radio = PhoneRadio(ether, "anna")                # simulation.backend; leave both out for real Bluetooth
    engine = PhoneEngine(
        Setup(data_dir, scanner_backend=radio.scanner_backend, client_backend=radio.client_backend)
    )
    await engine.start()
    await engine.enrol("http://localhost:8000", one_time_code, "493817")   # leaves the vault open
    await engine.sign_in(username, password)
    await engine.second_factor(totp_code)
    await engine.sync()
    opening = await engine.open_door(door_id)                    # opening.state is OpeningState.OPEN
    await engine.settled()                                       # bulletins, logs, uploads too
    await engine.stop()

`engine.state.doors` names the doors, `engine.subscribe` tells of every new snapshot, and
`engine.last_traffic` counts the round trips and bytes of the last opening. The engine reaches for a lock
only in `open_door`, `lock_door` and `ask_too_early`: a scan, a sync or coming close never does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from mobile.engine import faults, history, views
from mobile.engine.ears import Ears
from mobile.engine.emergencies import DoorFault, EmergencyReason, EmergencyRight
from mobile.engine.facade import Listener, Unsubscribe
from mobile.engine.first_login import FirstLogin
from mobile.engine.merge import adv_keys
from mobile.engine.outcome import ServerIdentity, SyncResult
from mobile.engine.parts import Parts
from mobile.engine.rounds import Rounds
from mobile.engine.setup import Setup
from mobile.engine.state import (
    AlarmAnswer,
    AppState,
    Bluetooth,
    HistoryEntry,
    Nearby,
    Opening,
    Operation,
)
from mobile.engine.traffic import Traffic
from mobile.engine.workorders import WorkDone, WorkOrder, WorkStep


class PhoneEngine:
    """One phone. Every verb runs on the loop that `start` ran on."""

    def __init__(self, setup: Setup) -> None:
        faults.hush()
        self._setup = setup
        self._near: Mapping[bytes, Nearby] = {}
        parts = Parts(
            setup,
            on_change=self._content_changed,
            on_bluetooth=self._bluetooth_is,
            on_nearby=self._nearby_is,
            on_tap_done=self._tap_is_done,
        )
        self._board, self._clock, self._keyring = parts.board, parts.clock, parts.keyring
        self._http, self._courier, self._syncer = parts.http, parts.courier, parts.syncer
        self._enrolment, self._sign_in = parts.enrolment, parts.sign_in
        self._scanner, self._openings = parts.scanner, parts.openings
        self._rounds = Rounds(parts.syncer, parts.courier, parts.keyring)
        self._alarms, self._break_glass = parts.alarms, parts.break_glass
        self._practice, self._installing = parts.practice, parts.installing
        self._ears = Ears(keyring=parts.keyring, on_news=self._rounds.on_news)
        self._rounds.listening = lambda: self._ears.connected
        self._first_login = FirstLogin(
            setup,
            board=parts.board,
            clock=parts.clock,
            keyring=parts.keyring,
            vaults=parts.vaults,
            bearers=parts.bearers,
            enrolment=parts.enrolment,
            begin_work=self._begin_work,
            end_work=self._end_work,
            say_goodbye=parts.goodbye.say,
        )

    # -- what the parts tell --------------------------------------------------------------------------------

    def _content_changed(self) -> None:
        """Show what the vault holds now, and listen for its doors."""
        if not self._keyring.is_open:
            return
        content = self._keyring.content
        self._scanner.watch(adv_keys(content.locks))
        self._board.show(**views.opened(content, self._near, self._clock.now()))
        self._board.show_sync(last_synced_at=content.synced_at, clock_off_seconds=self._clock.off_by)

    def _bluetooth_is(self, bluetooth: Bluetooth) -> None:
        self._board.show(bluetooth=bluetooth)

    def _nearby_is(self, near: Mapping[bytes, Nearby]) -> None:
        self._near = near
        if self._keyring.is_open:
            self._board.show(doors=views.with_nearby(self._board.state.doors, self._keyring.content, near))

    def _tap_is_done(self) -> None:
        """Of what the vault holds a tap changes which doors are left unlocked; nothing else of it shows."""
        if self._keyring.is_open:
            left = views.with_left_unlocked(self._board.state.doors, self._keyring.content)
            self._board.show(doors=left)
        if self._courier.waiting:
            self._rounds.hand_in_soon()

    async def _begin_work(self) -> None:
        """A vault has opened: show it, and begin to listen for its doors and for news."""
        self._content_changed()
        self._listen()
        await self._scanner.start()

    async def _end_work(self) -> None:
        """A vault is about to shut: end radio work, then everything else that uses it."""
        await self._ears.stop()
        await self._openings.close()
        await self._scanner.stop()
        await self._syncer.cancel()
        await self._rounds.cancel()
        self._sign_in.forget_half()
        self._near = {}

    def _listen(self) -> None:
        if self._setup.listens and self._setup.sync_seconds is not None:
            self._ears.listen()

    # -- the facade: beginning and end ----------------------------------------------------------------------

    @property
    def state(self) -> AppState:
        """See `Engine`."""
        return self._board.state

    @property
    def last_traffic(self) -> Traffic | None:
        """What the last opening's last link carried."""
        return self._openings.last_traffic

    def subscribe(self, listener: Listener) -> Unsubscribe:
        """See `Engine`."""
        return self._board.subscribe(listener)

    async def start(self) -> None:
        """See `Engine`."""
        self._board.show_sync(waiting_logs=self._courier.waiting)
        await self._first_login.start()
        self._rounds.start(self._setup.sync_seconds)

    async def stop(self) -> None:
        """See `Engine`."""
        await self._rounds.stop()
        await self._first_login.lock()
        await self._http.close()

    async def settled(self) -> None:
        """Wait until no tap is worked on and all that rode along is stored and, with coverage, handed in."""
        await self._openings.settled()
        await self._rounds.settled()

    # -- the facade: the vault ------------------------------------------------------------------------------

    async def server_identity(self, server_url: str, root: str = "") -> ServerIdentity:
        """See `Engine`."""
        return await self._enrolment.ask(server_url, root)

    async def enrol(self, server_url: str, code: str, pin: str) -> None:
        """See `Engine`."""
        await self._first_login.enrol(server_url, code, pin)

    async def select_bearer(self, bearer_id: str) -> None:
        """See `Engine`."""
        await self._first_login.select(bearer_id)

    async def unlock(self, pin: str) -> None:
        """See `Engine`."""
        await self._first_login.unlock(pin)

    async def lock_app(self) -> None:
        """See `Engine`."""
        await self._first_login.lock()

    async def change_pin(self, old_pin: str, new_pin: str) -> None:
        """See `Engine`."""
        await self._first_login.change_pin(old_pin, new_pin)

    async def remove_bearer(self, bearer_id: str) -> None:
        """See `Engine`."""
        await self._first_login.remove(bearer_id)

    # -- the facade: the business system --------------------------------------------------------------------

    async def sign_in(self, username: str, password: str) -> None:
        """See `Engine`."""
        await self._sign_in.password(username, password)

    async def second_factor(self, code: str) -> None:
        """See `Engine`."""
        await self._sign_in.code(code)
        self._listen()

    async def sign_out(self) -> None:
        """See `Engine`."""
        await self._ears.stop()
        await self._sign_in.out()
        self._content_changed()

    # -- the facade: work -----------------------------------------------------------------------------------

    async def sync(self) -> SyncResult:
        """See `Engine`."""
        return await self._syncer.sync()

    async def answer_alarm(self, alarm_id: str, answer: AlarmAnswer) -> None:
        """See `Engine`."""
        await self._alarms.answer(alarm_id, answer)

    async def break_glass(
        self, reason: EmergencyReason, *, alarm_code: str = "", door_id: str = ""
    ) -> EmergencyRight:
        """See `Engine`."""
        return await self._break_glass.take(reason, alarm_code=alarm_code, door_id=door_id)

    async def report_door(self, door_id: str, fault: DoorFault) -> None:
        """See `Engine`."""
        await self._break_glass.report(door_id, fault)

    async def open_door(self, door_id: str) -> Opening:
        """See `Engine`."""
        return await self._openings.tap(door_id, Operation.OPEN)

    async def lock_door(self, door_id: str) -> Opening:
        """See `Engine`."""
        return await self._openings.tap(door_id, Operation.LOCK)

    async def begin_practice(self) -> None:
        """See `Engine`."""
        await self._practice.begin()

    async def ask_too_early(self, door_id: str) -> Opening:
        """See `Engine`."""
        return await self._practice.too_early(door_id)

    async def note_practice(self, steps: frozenset[str]) -> None:
        """See `Engine`."""
        await self._practice.note(steps)
        self._content_changed()

    async def work_orders(self) -> Sequence[WorkOrder]:
        """See `Engine`."""
        return await self._installing.orders()

    async def carry_out(self, order: WorkOrder, label: str, told: Callable[[WorkStep], None]) -> WorkDone:
        """See `Engine`."""
        return await self._installing.carry_out(order, label, told)

    async def note_locked(self, door_id: str) -> None:
        """See `Engine`."""
        await self._keyring.change(lambda content: history.locked_otherwise(content, door_id))
        self._content_changed()

    async def dismiss_opening(self, door_id: str) -> None:
        """See `Engine`."""
        self._openings.dismiss(door_id)

    async def history(self, limit: int = 200) -> Sequence[HistoryEntry]:
        """See `Engine`."""
        return history.newest(self._keyring.content, limit)

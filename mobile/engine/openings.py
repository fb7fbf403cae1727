"""Taps: one person, one door, one deliberate act. Nothing else in the app makes a lock move.

A second tap on the same door and operation joins the first while it is worked on. At each lock there is one
Bluetooth operation at a time. A tap has one request id for all its links; a new tap is a new act with a new
id: a gate that has swung shut again must open for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from mobile.engine import faults, history
from mobile.engine.attempt import Attempt, Surroundings
from mobile.engine.board import Board
from mobile.engine.clock import Clock
from mobile.engine.content import Identity, LockInfo
from mobile.engine.courier import Courier
from mobile.engine.errand import Errand
from mobile.engine.errors import EngineError, HardwareKeyError
from mobile.engine.keyring import Keyring
from mobile.engine.radio import Radio
from mobile.engine.scanner import Scanner
from mobile.engine.state import Opening, OpeningState, Operation
from mobile.engine.sync import Syncer
from mobile.engine.traffic import Traffic
from mobile.engine.verdicts import NO_RIGHT, Verdict, gave_up, no_key
from mobile.engine.views import in_order
from protocol.phonekeys import PhoneKey
from protocol.token import Scope

REQUEST_ID_BYTES = 8
RENEW_SECONDS = 8.0
CLOSING_SECONDS = 3.0
"""How long locking the app waits for radio work before it cancels it."""

_RANK = {
    OpeningState.SEARCHING: 0,
    OpeningState.CONNECTING: 1,
    OpeningState.GRANTED_UNLOCKING: 2,
    OpeningState.GRANTED_LOCKING: 2,
}
_SCOPES = {Operation.OPEN: Scope.OPEN, Operation.LOCK: Scope.LOCK}
_Key = tuple[str, Operation]


class Openings:
    """All taps of the open vault."""

    def __init__(
        self,
        *,
        radio: Radio,
        scanner: Scanner,
        courier: Courier,
        syncer: Syncer,
        keyring: Keyring,
        board: Board,
        clock: Clock,
        random: Callable[[int], bytes],
        key_of: Callable[[Identity], PhoneKey],
        on_done: Callable[[], None],
    ) -> None:
        """``key_of``: a bearer's key, ``on_done`` is called after a tap and all that rode along with it."""
        self._radio, self._scanner, self._courier, self._syncer = radio, scanner, courier, syncer
        self._keyring, self._board, self._clock = keyring, board, clock
        self._random, self._key_of, self._on_done = random, key_of, on_done
        self._running: dict[_Key, asyncio.Future[Opening]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._at_lock: dict[bytes, asyncio.Lock] = {}
        self._early: set[str] = set()
        """Doors whose last tap asked too early on purpose."""
        self.last_traffic: Traffic | None = None
        """What the last finished attempt's last link carried, for measurements."""

    async def tap(self, door_id: str, operation: Operation, *, early: bool = False) -> Opening:
        """Work on a tap, or join it; returns how it ended. Raises LockedError.

        `early`: ask with a right that does not hold yet and with no other, for the sake of the refusal.
        """
        self._keyring.content  # noqa: B018 - LockedError before anything is begun
        key = (door_id, operation)
        result = self._running.get(key)
        if result is None:
            (self._early.add if early else self._early.discard)(door_id)
            result = asyncio.get_running_loop().create_future()
            self._running[key] = result
            task = asyncio.create_task(self._work(key, result))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(result)

    def dismiss(self, door_id: str) -> None:
        """The door is idle again, unless a tap is worked on."""
        if not any(door == door_id for door, _ in self._running):
            self._board.drop_opening(door_id)

    async def settled(self) -> None:
        """Wait until no tap is worked on and nothing rides along any more."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def close(self) -> None:
        """Let radio work finish for a moment, then cancel it; what is known by then is kept."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=CLOSING_SECONDS)
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- one tap --------------------------------------------------------------------------------------------

    async def _work(self, key: _Key, result: asyncio.Future[Opening]) -> None:
        door_id, operation = key
        if not any(door == door_id and other != operation for door, other in self._running):
            self._show(door_id, operation, Verdict(OpeningState.SEARCHING))
        try:
            errand = self._errand(door_id, operation, early=door_id in self._early)
            if errand is None:
                await self._finish(key, result, NO_RIGHT)
                return
            async with self._at_lock.setdefault(errand.lock.binding, asyncio.Lock()):
                await self._attempt(key, result, errand)
        except HardwareKeyError as error:
            if not result.done():
                await self._finish(key, result, no_key(error))
        except Exception as error:
            # A fault of our own must still end the tap on screen, and must never look like success; what the
            # person has been told already stays told.
            faults.note("a tap", error)
            if not result.done():
                await self._finish(key, result, Verdict(OpeningState.FAILED, "unexpected"))
        finally:
            self._leave(key, result)
            if not result.done():
                # Cancelled before it was begun: the app was locked while an earlier tap held the lock.
                result.set_result(self._show(*key, Verdict(OpeningState.IDLE)))
        self._on_done()

    async def _attempt(self, key: _Key, result: asyncio.Future[Opening], errand: Errand) -> None:
        shown = Progress(lambda state: self._show(*key, Verdict(state)))
        shown.report(OpeningState.SEARCHING)
        around = Surroundings(
            self._radio, self._scanner, self._courier, self._random, self._renew, shown.report
        )
        attempt = Attempt(errand, around)
        try:
            verdict = await attempt.run()
            self.last_traffic = attempt.traffic
            saving = asyncio.create_task(self._finish(key, result, verdict))
            await attempt.carry()
            await saving
        except asyncio.CancelledError:
            if not result.done():
                await self._finish(key, result, gave_up(attempt))
            raise
        finally:
            await attempt.close()

    async def _finish(self, key: _Key, result: asyncio.Future[Opening], verdict: Verdict) -> None:
        """Tell the person first, then write it down."""
        opening = self._show(*key, verdict)
        self._leave(key, result)
        if not result.done():
            result.set_result(opening)
        try:
            await self._keyring.change(lambda content: history.record(content, opening))
        except EngineError as error:
            self._board.show_sync(stale_reason=error.code)
        except OSError:
            self._board.show_sync(stale_reason="storage_failed")

    def _leave(self, key: _Key, result: asyncio.Future[Opening]) -> None:
        """This tap is worked on no more; a newer one at the same door stays."""
        if self._running.get(key) is result:
            del self._running[key]

    def _show(self, door_id: str, operation: Operation, verdict: Verdict) -> Opening:
        early = door_id in self._early
        opening = Opening(door_id, operation, verdict.state, verdict.reason, self._clock.now(), early)
        if self._keyring.is_open:  # a tap that ends while the app is being locked is nobody's business after
            self._board.show_opening(opening)
        return opening

    # -- what to ask with -----------------------------------------------------------------------------------

    def _errand(self, door_id: str, operation: Operation, *, early: bool) -> Errand | None:
        """What to ask of which lock; None when this phone holds no right to the door.

        Tokens that seem expired or early are asked with all the same: the phone's clock is not believed.
        """
        content = self._keyring.content
        door = content.doors.get(door_id)
        lock = content.locks.get(door.binding) if door is not None else None
        if lock is None:
            return None
        return self._with_tokens(lock, operation, self._random(REQUEST_ID_BYTES), early)

    def _with_tokens(
        self, lock: LockInfo, operation: Operation, request_id: bytes, early: bool
    ) -> Errand | None:
        content, now = self._keyring.content, self._clock.now()
        tokens = in_order(content.rights_for(lock.binding), _SCOPES[operation], now)
        if early:
            tokens = [right for right in tokens if right.not_before > now][-1:]
        if not tokens:
            return None
        return Errand(operation, lock, tuple(tokens), self._key_of(content.identity), request_id, early)

    async def _renew(self, errand: Errand) -> Errand | None:
        """Sync, if that is possible now; the same request with what came, or None when nothing did."""
        with suppress(EngineError, TimeoutError):
            async with asyncio.timeout(RENEW_SECONDS):
                await self._syncer.sync()
        lock = self._keyring.content.locks.get(errand.lock.binding)
        if lock is None or lock.bulletin_seq <= errand.lock.bulletin_seq:
            return None
        return self._with_tokens(lock, errand.operation, errand.request_id, errand.early)


class Progress:
    """Passes states on in their order only: a link made anew is not a step back on screen."""

    def __init__(self, show: Callable[[OpeningState], object]) -> None:
        self._show, self._reached = show, -1

    def report(self, state: OpeningState) -> None:
        """Show a state unless that far has been shown before."""
        if _RANK[state] > self._reached:
            self._reached = _RANK[state]
            self._show(state)

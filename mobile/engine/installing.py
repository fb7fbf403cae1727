"""An installer's work at locks: mount, move, take down, new batteries. The phone carries and decides nothing.

What makes a lock trusted is signed by the server for an installer with both factors, and checked by the lock.
The key that the phone proves in a service session is made for one order and forgotten with it: nothing of an
installer's work is kept on the phone but sealed log, as ever.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from mobile.engine import merge, programs, workorders
from mobile.engine.answers import Body, text_of
from mobile.engine.asking import Asking
from mobile.engine.courier import Courier
from mobile.engine.errors import EngineError
from mobile.engine.installjob import Job, Right, Told, demand_granted, demand_ours, read_label, slug_of
from mobile.engine.keyring import Keyring
from mobile.engine.locktalk import Locks, Session, Talk
from mobile.engine.workorders import WorkDone, WorkKind, WorkOrder, WorkStep
from protocol import lockrecord
from protocol.errors import ProtocolError
from protocol.installing import CommissionOffer, CommissionResult, RetireOffer
from protocol.messages import (
    BulletinOffer,
    BulletinResult,
    Carry,
    Command,
    Decision,
    Done,
    LogBatch,
    Outcome,
    OutcomeCode,
    Request,
)
from protocol.phone import Door, PhoneSession
from protocol.phonekeys import X25519Key
from protocol.reasons import Reason
from protocol.setup import SetupSession

T = TypeVar("T")

LINKS = 3  # so often a link is made anew: every step is harmless when it is done twice
OF_THIS_SESSION = 3  # entries that a service session itself writes and that nobody can have carried yet
ROUNDS = 200  # of log carried home before a lock is taken down; a full one is some hundred batches


class Installing:
    """Made once; every verb works on the open vault of a signed-in installer."""

    def __init__(
        self,
        *,
        asking: Asking,
        keyring: Keyring,
        courier: Courier,
        locks: Locks,
        random: Callable[[int], bytes],
    ) -> None:
        self._asking, self._keyring, self._courier = asking, keyring, courier
        self._locks, self._random = locks, random

    async def orders(self) -> tuple[WorkOrder, ...]:
        """Today's orders, in the order of work. Raises ServerError not_permitted for all but installers."""
        return workorders.orders(await self._asking.ask("installer/orders", method="GET"))

    async def carry_out(self, order: WorkOrder, label_text: str, told: Told) -> WorkDone:
        """Do what an order asks at the lock of a label, to the end or to the first thing in the way.

        Asked again it goes on where it can. Raises EngineError: label_misread, wrong_lock (not the order's),
        lock_not_in_setup, lock_not_heard, link_lost, not_our_lock, the lock's own reason, the server's.
        """
        job = Job(order, read_label(label_text), X25519Key(self._random(32)), told)
        if order.lock_id not in (b"", job.label.lock_id):
            raise EngineError("wrong_lock")
        match order.kind:
            case WorkKind.MOUNT:
                await self._again(lambda: self._mounted(job))
            case WorkKind.MOVE:
                await self._again(lambda: self._moved(job))
            case WorkKind.RETIRE:
                await self._again(lambda: self._retire(job))
                return WorkDone(tried=False)
            case WorkKind.BATTERY:
                await self._asking.ask("installer/battery-changed", job.named)
            case WorkKind.REPAIR:
                pass
        job.binding = None
        tried = await self._again(lambda: self._try(job))
        if order.kind in (WorkKind.BATTERY, WorkKind.REPAIR):
            await self._asking.ask(f"installer/orders/{order.order_id}/done", {})
        return WorkDone(tried, *await self._program(job))

    async def _again(self, work: Callable[[], Awaitable[T]]) -> T:
        for left in range(LINKS - 1, -1, -1):
            try:
                return await work()
            except EngineError as error:
                if error.code not in ("link_lost", "commission_busy", "retire_log_first") or not left:
                    raise
        raise EngineError("link_lost")

    # -- the three ways a lock gets another place ----------------------------------------------------------

    async def _mounted(self, job: Job) -> None:
        """Mount; or settle it, where the lock took its package in earlier and nobody heard it say so."""
        try:
            await self._mount(job)
        except EngineError as error:
            if error.code != "lock_not_in_setup" or not await self._settled(job):
                raise

    async def _settled(self, job: Job) -> bool:
        """Whether the lock has the binding that the server waits for: it is confirmed then."""
        try:
            async with self._service(job) as (_talk, right):
                await self._confirm(job, right.record.binding)
        except EngineError:
            return False
        return True

    async def _moved(self, job: Job) -> None:
        """Move; a lock whose move was begun earlier may have either binding."""
        try:
            await self._move(job)
        except EngineError as error:
            if error.code != "lock_not_heard" or job.before is None:
                raise
            job.binding = job.before
            await self._move(job)

    async def _mount(self, job: Job) -> None:
        def session(_key: bytes, capacity: int) -> Session:
            setups.append(SetupSession(job.label, job.key, capacity, self._random))
            return setups[-1]

        setups: list[SetupSession] = []
        job.told(WorkStep.SEARCHING)
        async with self._locks.reach(
            job.label.lock_id,
            [job.label.setup_key],
            session,
            connecting=lambda: job.told(WorkStep.CONNECTING),
            missing="lock_not_in_setup",
        ) as talk:
            await talk.hear(Decision)
            body = {"door_id": job.order.door_id, "lock_identity": text_of(setups[-1].document)}
            job.told(WorkStep.ASKING)
            await self._hand_over(job, talk, await self._asking.ask("installer/commission", body))

    async def _move(self, job: Job) -> None:
        async with self._service(job) as (talk, _right):
            job.told(WorkStep.ASKING)
            answer = await self._asking.ask("installer/move", job.named | {"door_id": job.order.door_id})
            await self._hand_over(job, talk, answer)

    async def _retire(self, job: Job) -> None:
        async with self._service(job) as (talk, right):
            job.told(WorkStep.LOG)
            await self._log_home(job, talk, right)
            job.told(WorkStep.ASKING)
            order = (await self._asking.ask("installer/retire", job.named)).blob("order")
            job.told(WorkStep.HANDING_OVER)
            demand_granted(await talk.ask(RetireOffer(order), CommissionResult))
            job.told(WorkStep.LOG)
            await self._carry(talk)
            await self._courier.hand_in()

    async def _hand_over(self, job: Job, talk: Talk, answer: Body) -> None:
        job.told(WorkStep.HANDING_OVER)
        held = merge.trusted(self._keyring.content.trust)
        package = demand_ours(answer.blob("commission"), job.label.lock_id, held)
        demand_granted(await talk.ask(CommissionOffer(package), CommissionResult))
        await self._confirm(job, answer.blob("binding", length=8))

    async def _confirm(self, job: Job, binding: bytes) -> None:
        job.told(WorkStep.CONFIRMING)
        await self._asking.ask("installer/commissioned", job.named | {"binding": text_of(binding)})

    # -- with a lock that has a door -------------------------------------------------------------------------

    async def _right(self, job: Job) -> Right:
        job.told(WorkStep.ASKING)
        holder = job.key.holder
        body = job.named | {"key_type": int(holder.key_type), "public_key": text_of(holder.public)}
        if job.binding is not None:
            body |= {"binding": text_of(job.binding)}
        answer = await self._asking.ask("installer/service", body)
        held = merge.trusted(self._keyring.content.trust)
        try:
            record = lockrecord.verify(answer.blob("lock_record"), held)
        except ProtocolError as error:
            raise EngineError("server_not_trusted") from error
        if record.lock_id != job.label.lock_id:
            raise EngineError("server_not_trusted")
        job.before = answer.optional_blob("before", length=8)
        if job.order.kind is WorkKind.RETIRE:
            job.binding = record.binding  # the server may have ended it when the next link stands
        return Right(answer.blob("token"), answer.flag("may_open"), record, answer.blob("bulletin"))

    @asynccontextmanager
    async def _talk(self, job: Job, right: Right, command: Command) -> AsyncIterator[Talk]:
        """A link on which the command has been asked and decided: granted."""

        def session(adv_key: bytes, capacity: int) -> PhoneSession:
            return PhoneSession(
                door=Door(right.record.binding, right.record.static_public, adv_key),
                key=job.key,
                request=Request(command, self._random(8), right.token),
                capacity=capacity,
                random=self._random,
                news=right.bulletin,
            )

        job.told(WorkStep.SEARCHING)
        async with self._locks.reach(
            right.record.binding,
            right.record.adv_keys,
            session,
            connecting=lambda: job.told(WorkStep.CONNECTING),
            missing="lock_not_heard",
        ) as talk:
            decision = await talk.hear(Decision)
            while decision.reason in (Reason.NEED_UPDATE, Reason.KEY_UNKNOWN):
                decision = await talk.hear(Decision)  # the bulletin is on its way: judged once more
            if not decision.granted:
                raise EngineError(slug_of(decision.reason))
            yield talk

    @asynccontextmanager
    async def _service(self, job: Job) -> AsyncIterator[tuple[Talk, Right]]:
        right = await self._right(job)
        async with self._talk(job, right, Command.SERVICE) as talk:
            await talk.hear(Done)
            await self._keep(talk)
            talk.taken(BulletinResult)
            yield talk, right

    async def _try(self, job: Job) -> bool:
        """Open and lock again, each with its own link as staff would; False where there is no right to."""
        right = await self._right(job)
        if not right.may_open:
            return False
        for command in (Command.OPEN, Command.LOCK):
            async with self._talk(job, right, command) as talk:
                job.told(WorkStep.TRYING)
                outcome = await talk.hear(Outcome, 20.0)
                await talk.hear(Done)
                await self._keep(talk)
            if outcome.code not in (OutcomeCode.MOVED, OutcomeCode.ALREADY):
                raise EngineError(f"tried_{outcome.code.name.lower()}")
        return True

    async def _program(self, job: Job) -> tuple[int | None, str]:
        """Bring the lock a newer program, if there is one: (its version, or None; what was in the way).

        Last of all, for the lock restarts once the phone has left; and whatever is in the way of it, what was
        ordered has been done.
        """

        async def fetch(number: int) -> bytes:
            answer = await self._asking.ask(f"installer/firmware/{number}", method="GET")
            return programs.image(answer)

        async def bring() -> int | None:
            async with self._service(job) as (talk, _right):
                job.told(WorkStep.PROGRAM)
                return await programs.renew(talk, offered, fetch, lambda *_: None)

        try:
            offered = programs.releases(await self._asking.ask("installer/firmware", method="GET"))
            return (await self._again(bring) if offered else None), ""
        except EngineError as error:
            return None, error.code

    # -- log -------------------------------------------------------------------------------------------------

    async def _keep(self, talk: Talk) -> None:
        for batch in talk.taken(LogBatch):
            await self._courier.keep(batch.sealed)

    async def _carry(self, talk: Talk) -> int:
        """Take the oldest log that has no receipt; returns how many entries are left."""
        done = await talk.ask(Carry(self._courier.room), Done)
        await self._keep(talk)
        return done.remaining

    async def _log_home(self, job: Job, talk: Talk, right: Right) -> None:
        """Carry, hand in, bring the receipt, until what was there before this session is receipted."""
        binding = {"binding": text_of(right.record.binding)}
        for _ in range(ROUNDS):
            left = await self._carry(talk)
            await self._courier.hand_in()
            said = await self._asking.ask("installer/logs", job.named | binding | {"batches": []})
            await talk.ask(BulletinOffer(said.blob("bulletin")), BulletinResult)
            if left <= OF_THIS_SESSION:
                return

"""Acting on a granted request: log, m2, motor, log, m3. One phone at a time.

The motor gets its order only when *granted* is on the disk, and m3 is sent only when the outcome is, or
when the disk has failed meanwhile: then the phone still hears the truth about the bolt, and the entry is
owed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from lockagent.bolt import Bolt, DoorMoved, MotorDone, Order, Result
from lockagent.core.context import Context, ignore
from lockagent.core.events import Drive
from lockagent.core.judge import Hearing
from lockagent.core.relock import Plan
from lockagent.core.requests import KnownRequest, RequestKey
from lockagent.core.session import Session
from lockagent.core.uncertain import UNCERTAIN_FLAG
from protocol.entries import EntryType, Granted, OutcomeDetail
from protocol.messages import Command, Decision, DecisionFlag, Outcome, OutcomeCode
from protocol.reasons import Reason
from protocol.settings import DoorKind

MOTOR_LIMIT_SECONDS = 15.0
"""A driver that has not answered by then is taken for dead."""
_OUTCOMES = {
    Result.MOVED: OutcomeCode.MOVED,
    Result.ALREADY: OutcomeCode.ALREADY,
    Result.JAM: OutcomeCode.JAM,
    Result.TIMEOUT: OutcomeCode.TIMEOUT,
    Result.BY_HAND: OutcomeCode.BY_HAND,
}
Decide = Callable[[Session, Decision], None]


@dataclass
class Act:
    """A granted request under way. `granted_seq` is 0 until the log holds it."""

    key: RequestKey
    command: Command
    token_id: bytes
    sessions: list[Session]
    granted_seq: int = 0
    order: Order | None = None
    """What the motor was told; only its answer to this is the act's outcome."""
    deadline: float = field(default=float("inf"))


class Actor:
    """The one hand on the motor."""

    def __init__(self, context: Context, decide: Decide) -> None:
        self._context = context
        self._decide = decide
        self.current: Act | None = None
        self._owed: tuple[OutcomeDetail, bytes] | None = None
        """An outcome the disk would not take."""

    def begin(self, session: Session, hearing: Hearing) -> None:
        """Log a grant, then say it and act."""
        context, claims = self._context, hearing.claims
        if claims is None or context.binding is None:
            raise RuntimeError("granted without a judgement")
        flags = UNCERTAIN_FLAG if hearing.time_uncertain else 0
        key, command = hearing.request_key, hearing.command
        act = self.current = Act(key, command, claims.token_id, [session])
        detail = Granted(
            command, key.request_id, key.phone, claims.grp, context.binding.bulletin.seq, flags
        ).detail()

        def granted(seq: int | None) -> None:
            if seq is None:
                self.current = None
                hearing.reason = Reason.LOCK_FAULT
                self._decide(session, self._decision(Reason.LOCK_FAULT, context.journal.head))
                return
            act.granted_seq = seq
            context.known.granted(key, KnownRequest(seq, claims.token_id, context.journal.epoch))
            if hearing.time_uncertain:
                context.uncertain.opened(claims.token_id, context.mono)
            self._decide(session, self._decision(Reason.GRANTED, seq, uncertain=hearing.time_uncertain))
            self._drive(act)

        self._pay_debt()
        context.journal.append(EntryType.GRANTED, detail, granted, claims.token_id)

    def repeat(self, session: Session, hearing: Hearing) -> None:
        """Answer a request that was granted before with what came of it; nothing is done again."""
        known, act = hearing.known, self.current
        if known is None:
            raise RuntimeError("not a known request")
        decision = self._decision(Reason.GRANTED, known.granted_seq, uncertain=hearing.time_uncertain)
        flags = decision.flags | DecisionFlag.REPEATED
        self._decide(
            session, Decision(decision.reason, known.epoch, decision.seq, decision.bulletin_seq, flags)
        )
        if act is not None and act.key == hearing.request_key:
            act.sessions.append(session)
            return
        code = OutcomeCode.UNKNOWN if known.outcome is None else known.outcome
        outcome = Outcome(code, known.outcome_seq or known.granted_seq, known.battery)
        session.finish(outcome, known.offered, self._context.mono)

    def motor_done(self, done: MotorDone) -> None:
        """The motor's answer, for a phone's request or for our own relocking."""
        context = self._context
        context.bolt = _bolt_after(done, context.bolt)
        plan = context.relock.finish() if done.order is Order.LOCK else None
        if plan is not None:
            if done.result in (Result.MOVED, Result.ALREADY):
                context.hands.visit_ends()
            self._relocked(plan, _OUTCOMES[done.result])
        elif self.current is not None and self.current.order is done.order:
            self._finish(self.current, _OUTCOMES[done.result])

    def door_moved(self, moved: DoorMoved) -> None:
        """The door fell shut or was opened: a bolt thrown beside its frame is drawn back at once."""
        context, act = self._context, self.current
        context.ajar = not moved.closed
        if moved.closed:
            context.relock.door_closed(context.mono)
        elif act is not None and act.order is Order.LOCK:
            self._withdraw()
            self._finish(act, OutcomeCode.AJAR)
        elif context.relock.running is not None:
            context.relock.interrupted()
            self._withdraw()

    def tick(self) -> None:
        """Give up on a motor that does not answer; relock when it is time, unless the door stands open."""
        context, act = self._context, self.current
        if act is not None and context.mono >= act.deadline:
            self._stop()
            self._finish(act, OutcomeCode.TIMEOUT)
        if context.relock.overdue(context.mono):
            self._stop()
            self._relocked(context.relock.finish(), OutcomeCode.TIMEOUT)
        if act is None and context.relock.due(context.mono):
            self._relock()

    def next_at(self) -> float | None:
        """When `tick` has something to do."""
        if self.current is not None:
            return self.current.deadline if self.current.granted_seq else None
        return self._context.relock.next_at(ajar=self._context.ajar)

    def _drive(self, act: Act) -> None:
        context = self._context
        if act.command is Command.SERVICE:
            self._finish(act, OutcomeCode.NOTHING_TO_MOVE)
            return
        settings = context.binding.bulletin.settings if context.binding is not None else None
        gate = settings is not None and settings.door_kind is DoorKind.GATE
        if act.command is Command.LOCK and context.ajar and not gate:
            self._finish(act, OutcomeCode.AJAR)
            return
        context.relock.begins(act.command, Bolt.UNLOCKED if context.ajar else context.bolt)
        act.deadline = context.mono + MOTOR_LIMIT_SECONDS
        if settings is None or not gate:
            act.order = Order.UNLOCK if act.command is Command.OPEN else Order.LOCK
            context.emit(Drive(act.order))
        elif act.command is Command.OPEN:
            act.order = Order.PULSE
            context.emit(Drive(act.order, hold=settings.hold_milliseconds / 1000))
        else:
            self._finish(act, OutcomeCode.ALREADY)  # a strike falls back by itself

    def _relock(self) -> None:
        """Lock behind the staff; a door that stands open is waited for, though not for ever."""
        context = self._context
        if not context.ajar:
            context.relock.start(context.mono + MOTOR_LIMIT_SECONDS)
            context.emit(Drive(Order.LOCK))
        else:
            self._relocked(context.relock.give_up(context.mono), OutcomeCode.AJAR)

    def _relocked(self, plan: Plan | None, code: OutcomeCode) -> None:
        """Log what came of a plan to lock again, if it has come to its end."""
        if plan is not None:
            self._context.journal.append(EntryType.RELOCKED, (plan.granted_seq, int(code)), ignore)

    def _withdraw(self) -> None:
        """Draw back a bolt on its way out; nobody asked for that, so nobody is told."""
        self._stop()
        self._context.emit(Drive(Order.UNLOCK))

    def _stop(self) -> None:
        """Whatever the motor is doing; where that leaves the bolt only the sensor will tell."""
        self._context.bolt = Bolt.BETWEEN
        self._context.emit(Drive(Order.STOP))

    def _finish(self, act: Act, code: OutcomeCode) -> None:
        context = self._context
        act.deadline, act.order = float("inf"), None
        self._after(act, code)
        listening = [session for session in act.sessions if session.alive]
        room = min((session.takes for session in listening), default=0)
        offered = context.offers.next_range(context.journal, context.now(), room)
        detail = OutcomeDetail(act.granted_seq, code, context.battery, offered)

        def logged(seq: int | None) -> None:
            self.current = None
            if seq is None:
                self._owed = (OutcomeDetail(act.granted_seq, code, context.battery), act.token_id)
            elif offered is not None:
                context.offers.made(offered, context.now())
            context.known.outcome(seq or act.granted_seq, detail)
            for session in act.sessions:
                outcome = Outcome(code, seq or act.granted_seq, context.battery)
                session.finish(outcome, offered if seq else None, context.mono)

        context.journal.append(EntryType.OUTCOME, detail.detail(), logged, act.token_id)

    def _after(self, act: Act, code: OutcomeCode) -> None:
        """What an outcome means for relocking and for the visit that has begun or ended."""
        context = self._context
        if act.command is Command.SERVICE:
            return
        moved = code in (OutcomeCode.MOVED, OutcomeCode.ALREADY)
        after = context.binding.bulletin.settings.relock_after if context.binding is not None else 0
        context.relock.ended(act.command, code, act.granted_seq, context.mono, after)
        if moved and act.command is Command.OPEN:
            context.hands.visit_begins(context.mono)
        elif moved:
            context.hands.visit_ends()

    def _pay_debt(self) -> None:
        """Log an outcome the disk refused earlier, before anything new."""
        if self._owed is None:
            return
        (detail, token_id), self._owed = self._owed, None

        def paid(seq: int | None) -> None:
            if seq is None:
                self._owed = (detail, token_id)

        self._context.journal.append(EntryType.OUTCOME, detail.detail(), paid, token_id)

    def _decision(self, reason: Reason, seq: int, *, uncertain: bool = False) -> Decision:
        context = self._context
        flags = DecisionFlag.TIME_UNCERTAIN if uncertain else DecisionFlag.NONE
        seq_held = context.binding.bulletin.seq if context.binding is not None else 0
        return Decision(reason, context.journal.epoch, seq, seq_held, flags)


def _bolt_after(done: MotorDone, before: Bolt) -> Bolt:
    """Where the bolt is after the motor's answer, as far as it can be known."""
    if done.order is Order.PULSE or done.result is Result.BY_HAND:
        return before
    if done.result in (Result.MOVED, Result.ALREADY):
        return Bolt.UNLOCKED if done.order is Order.UNLOCK else Bolt.LOCKED
    return Bolt.BETWEEN

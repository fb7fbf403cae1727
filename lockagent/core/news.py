"""What a phone brings into a session: bulletins and fresh time. Taken from any phone that can shake hands."""

from __future__ import annotations

from collections.abc import Callable

from lockagent.core.bulletins import (
    BulletinRefusedError,
    ReceiptVerdict,
    examine,
    only_a_receipt,
    read_receipt,
)
from lockagent.core.clock import NOTABLE_SECONDS
from lockagent.core.context import Context, ignore
from lockagent.core.memory import Binding
from lockagent.core.session import Session
from protocol import freshtime, gatt
from protocol.entries import EntryType
from protocol.errors import ProtocolError
from protocol.messages import BulletinOffer, BulletinResult, FreshTime, TimeResult
from protocol.reasons import Reason


class News:
    """Takes in what couriers bring, and lets a refused phone be judged again when it helps."""

    def __init__(self, context: Context, judge_again: Callable[[Session], None]) -> None:
        self._context = context
        self._judge_again = judge_again

    def bulletin(self, session: Session, offer: BulletinOffer) -> None:
        """Verify, save, answer; then judge the same m1 once more if this could cure the refusal."""
        context = self._context
        held = context.binding
        if held is None:
            raise RuntimeError("a session without a binding")
        try:
            news = examine(offer.bulletin, held, context.lock_id, context.secrets.seal_private)
        except BulletinRefusedError as refused:
            session.send(BulletinResult(refused.reason, held.bulletin.seq))
            return
        reading = read_receipt(news.bulletin.receipt, news.manifest, context.lock_id, context.journal)
        acked = reading.seq if reading.verdict is ReceiptVerdict.FREES else None
        context.clock.learn(news.bulletin.time, context.mono)
        context.clock.correct(news.bulletin.settings.clock_ppm, context.mono)

        def saved(ok: bool) -> None:
            if not ok:
                session.send(BulletinResult(Reason.LOCK_FAULT, held.bulletin.seq))
                return
            self._adopt(held, news, acked)
            session.send(BulletinResult(Reason.GRANTED, news.bulletin.seq))
            if reading.verdict is ReceiptVerdict.ALARM:
                context.journal.append(EntryType.RECEIPT_ALARM, (reading.epoch, reading.seq), ignore)
            if session.curable(context.mono):
                session.judged_again = True
                self._judge_again(session)

        context.save(saved, binding=news, acked=acked)

    def fresh_time(self, session: Session, offer: FreshTime) -> None:
        """Set the clock by server time that was signed for this very session."""
        context = self._context
        if context.binding is None:
            raise RuntimeError("a session without a binding")
        try:
            statement = freshtime.verify(offer.statement, context.binding.manifest)
        except ProtocolError:
            session.send(TimeResult(Reason.TIME_INVALID))
            return
        ours = (context.binding.bulletin.binding, session.phone.m0_hash)
        # A statement kept for later would hold the clock back: believe it only while it can be new, and once.
        late = context.mono > session.phone.m0_sent_at + gatt.FRESH_TIME_SECONDS
        if (statement.binding, statement.m0_hash) != ours or late or session.time_taken:
            session.send(TimeResult(Reason.TIME_NOT_FOR_SESSION))
        elif not context.clock.judge_fresh(statement.time, context.mono):
            session.send(TimeResult(Reason.TIME_JUMP_REFUSED))
        else:
            session.time_taken = True
            self._set_clock(session, statement.time)

    def _set_clock(self, session: Session, time: int) -> None:
        context = self._context
        before, was_certain = context.now(), context.clock.certain
        context.clock.set_fresh(time, context.mono)
        context.uncertain.forget()

        def saved(ok: bool) -> None:
            context.clock.dirty = context.clock.dirty or not ok
            session.send(TimeResult(Reason.GRANTED if ok else Reason.LOCK_FAULT))

        context.save(saved)
        if not was_certain or abs(time - before) >= NOTABLE_SECONDS:
            context.journal.append(EntryType.CLOCK, (before, time), ignore)

    def _adopt(self, held: Binding, news: Binding, acked: int | None) -> None:
        """Live by what is now on the disk."""
        context = self._context
        current = context.binding
        if current is not None and current.bulletin.seq >= news.bulletin.seq:
            return  # another phone's newer one was saved first
        context.binding = news
        if acked is not None:
            context.journal.acked = max(context.journal.acked, acked)
        if not only_a_receipt(held.bulletin, news.bulletin):
            context.journal.append(EntryType.BULLETIN, (news.bulletin.seq,), ignore)
        if news.adv_keys[0] != held.adv_keys[0]:
            context.rotate()

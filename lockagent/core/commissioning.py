"""Binding a lock to a door, and taking it off again.

A package makes a blank lock a municipality's, or moves one that is its own already; an order ends a binding.
What a lock follows is the protocol's word (`protocol.commission.judge`): the roots it has, and nothing older
than it knows. A lock that was taken off its door has forgotten its secrets but not whose it is.
"""

from __future__ import annotations

from collections.abc import Callable

from lockagent.core.context import Context
from lockagent.core.memory import Binding
from protocol import commission, retire, seal
from protocol.commission import Commission
from protocol.entries import EntryType
from protocol.errors import ProtocolError
from protocol.reasons import Reason

Answer = Callable[[Reason], None]
_AT_THE_DOOR = frozenset(
    {
        EntryType.GRANTED,
        EntryType.REFUSED,
        EntryType.OUTCOME,
        EntryType.RELOCKED,
        EntryType.HAND,
        EntryType.TAMPER,
    }
)


def take(context: Context, package: Commission, answer: Answer) -> None:
    """Check, save, log; `answer` is called exactly once, when it is on the disk or refused."""
    refusal = _refusal(context, package)
    if refusal is not None:
        answer(refusal)
        return
    news = package.bulletin
    try:
        keys = seal.open_adv_keys(news.secrets or b"", context.secrets.seal_private, news.binding, news.seq)
    except ProtocolError:
        answer(Reason.COMMISSION_WRONG_LOCK)
        return
    binding = Binding(package.manifest, package.manifest_bytes, news, package.bulletin_bytes, keys)
    _bind(context, binding, answer)


def take_encoded(context: Context, package: bytes, answer: Answer) -> None:
    """The same for a package that came over the air."""
    try:
        verified = commission.verify(package)
    except ProtocolError:
        answer(Reason.COMMISSION_INVALID)
        return
    take(context, verified, answer)


def forget(context: Context, order: bytes, own: range, answer: Answer) -> None:
    """End the binding by the server's order; `own`: the entries of the session that brings it.

    What was logged before them must have been receipted, and what others did at the door meanwhile: nobody
    can carry it home once the lock is off the air.
    The binding is gone from the disk before *unbound* is logged, and *unbound* before anything is answered.
    """
    held = context.binding
    if held is None:
        answer(Reason.RETIRE_WRONG_LOCK)
        return
    try:
        read = retire.verify(order, held.manifest)
    except ProtocolError:
        answer(Reason.RETIRE_INVALID)
        return
    if (read.lock_id, read.binding) != (context.lock_id, held.bulletin.binding):
        answer(Reason.RETIRE_WRONG_LOCK)
    elif _left_behind(context, own):
        answer(Reason.RETIRE_LOG_FIRST)
    else:
        context.clock.learn(read.time, context.mono)
        _unbind(context, held.ended(), answer)


def _left_behind(context: Context, own: range) -> bool:
    journal = context.journal
    if journal.acked < own.start - 1:
        return True
    later = journal.since(max(own.stop, journal.acked + 1))
    return any(entry.kind in _AT_THE_DOOR for entry in later)


def _refusal(context: Context, package: Commission) -> Reason | None:
    held = context.binding or context.former
    if held is None:
        verdict = commission.judge(package, lock_id=context.lock_id, held=None, newest=None)
    elif held is context.binding and _same(package, held):
        return None  # the very same package again: harmless, and the way on after a power cut half-way
    else:
        verdict = commission.judge(package, lock_id=context.lock_id, held=held.manifest, newest=held.bulletin)
    return None if verdict is Reason.GRANTED else verdict


def _same(package: Commission, held: Binding) -> bool:
    """Byte for byte what the lock has, manifest and bulletin: under other roots it would be another's."""
    return (package.bulletin_bytes, package.manifest_bytes) == (held.bulletin_bytes, held.manifest_bytes)


def _bind(context: Context, binding: Binding, answer: Answer) -> None:
    news, held = binding.bulletin, context.binding
    if context.clock.certain:
        context.clock.learn(news.time, context.mono)
    elif held is None or held.bulletin.binding != news.binding:
        # The installer stands at the door with a package made for this moment: the best time there is.
        context.clock.set_fresh(max(news.time, context.now()), context.mono)
    context.clock.correct(news.settings.clock_ppm, context.mono)

    def saved(ok: bool) -> None:
        if not ok:
            answer(Reason.LOCK_FAULT)
            return
        context.binding, context.former = binding, None
        context.relock.hand()
        context.hands.visit_ends()
        context.journal.append(EntryType.BOUND, (news.binding, news.seq), logged)

    def logged(seq: int | None) -> None:
        answer(Reason.LOCK_FAULT if seq is None else Reason.GRANTED)
        context.rotate()

    context.save(saved, binding=binding)


def _unbind(context: Context, ended: Binding, answer: Answer) -> None:
    def saved(ok: bool) -> None:
        if not ok:
            answer(Reason.LOCK_FAULT)
            return
        context.binding, context.former = None, ended
        context.relock.hand()
        context.hands.visit_ends()
        context.journal.append(EntryType.UNBOUND, (ended.bulletin.binding,), logged)

    def logged(seq: int | None) -> None:
        # Earlier records on the disk still have the adv_keys.
        done = seq is not None
        context.save(lambda ok: answer(Reason.GRANTED if ok and done else Reason.LOCK_FAULT), alone=True)

    context.save(saved, binding=ended)

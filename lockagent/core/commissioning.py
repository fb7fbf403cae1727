"""Binding a lock to a door: a package makes a blank lock a municipality's, or moves one it has already.

What a bound lock follows is the protocol's word (`protocol.commission.judge`): its own roots, and nothing
older than it has.
"""

from __future__ import annotations

from lockagent.core.context import Context
from lockagent.core.events import CommissionResult
from lockagent.core.memory import Binding
from protocol import commission, seal
from protocol.commission import Commission
from protocol.entries import EntryType
from protocol.errors import ProtocolError
from protocol.reasons import Reason


def take(context: Context, package: Commission) -> None:
    """Check, save, log; emits exactly one `CommissionResult` once it is on the disk or refused."""
    refusal = _refusal(context, package)
    if refusal is not None:
        context.emit(CommissionResult(refusal))
        return
    news = package.bulletin
    try:
        keys = seal.open_adv_keys(news.secrets or b"", context.secrets.seal_private, news.binding, news.seq)
    except ProtocolError:
        context.emit(CommissionResult(Reason.COMMISSION_WRONG_LOCK))
        return
    _bind(context, Binding(package.manifest, package.manifest_bytes, news, package.bulletin_bytes, keys))


def _refusal(context: Context, package: Commission) -> Reason | None:
    held = context.binding
    if held is None:
        verdict = commission.judge(package, lock_id=context.lock_id, held=None, newest=None)
    elif _same(package, held):
        return None  # the very same package again: harmless, and the way on after a power cut half-way
    else:
        verdict = commission.judge(package, lock_id=context.lock_id, held=held.manifest, newest=held.bulletin)
    return None if verdict is Reason.GRANTED else verdict


def _same(package: Commission, held: Binding) -> bool:
    """Byte for byte what the lock has, manifest and bulletin: under other roots it would be another's."""
    return (package.bulletin_bytes, package.manifest_bytes) == (held.bulletin_bytes, held.manifest_bytes)


def _bind(context: Context, binding: Binding) -> None:
    news, held = binding.bulletin, context.binding
    if context.clock.certain:
        context.clock.learn(news.time, context.mono)
    elif held is None or held.bulletin.binding != news.binding:
        # The installer stands at the door with a package made for this moment: the best time there is.
        context.clock.set_fresh(max(news.time, context.now()), context.mono)
    context.clock.correct(news.settings.clock_ppm, context.mono)

    def saved(ok: bool) -> None:
        if not ok:
            context.emit(CommissionResult(Reason.LOCK_FAULT))
            return
        context.binding = binding
        context.journal.append(EntryType.BOUND, (news.binding, news.seq), logged)

    def logged(seq: int | None) -> None:
        context.emit(CommissionResult(Reason.LOCK_FAULT if seq is None else Reason.GRANTED))
        context.rotate()

    context.save(saved, binding=binding)

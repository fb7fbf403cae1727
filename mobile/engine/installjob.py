"""One order under way: what an installer's phone knows of the lock while it works there, then forgets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mobile.engine.answers import text_of
from mobile.engine.errors import EngineError
from mobile.engine.workorders import WorkOrder, WorkStep
from protocol import commission, label
from protocol.errors import ProtocolError
from protocol.installing import CommissionResult
from protocol.label import Label
from protocol.lockrecord import LockRecord
from protocol.manifest import Manifest
from protocol.phonekeys import X25519Key
from protocol.reasons import Reason, reason

Told = Callable[[WorkStep], None]


@dataclass(frozen=True)
class Right:
    """A service right as the server gave it."""

    token: bytes = field(repr=False)
    may_open: bool
    record: LockRecord = field(repr=False)
    bulletin: bytes = field(repr=False)


@dataclass
class Job:
    """One order being carried out at one lock."""

    order: WorkOrder
    label: Label
    key: X25519Key
    told: Told
    binding: bytes | None = None
    """Which the lock has, when it is not the server's newest."""
    before: bytes | None = None
    """Which it may have yet, while the server's newest is not confirmed."""

    @property
    def named(self) -> dict[str, Any]:
        """The lock, as calls name it."""
        return {"lock": text_of(self.label.lock_id)}


def read_label(text: str) -> Label:
    """The label as scanned or typed; EngineError label_misread."""
    try:
        return label.parse(text)
    except ProtocolError:
        raise EngineError("label_misread") from None


def demand_granted(result: CommissionResult) -> None:
    """EngineError with the lock's own reason unless it said yes."""
    if result.reason != Reason.GRANTED:
        raise EngineError(slug_of(result.reason))


def demand_ours(package: bytes, lock_id: bytes, held: Manifest) -> bytes:
    """The package, if the roots that this phone knows vouch for it; EngineError server_not_trusted if not.

    A lock that was bound before judges by the same rule. A blank one would follow any roots, for good: a
    server that was taken over must not give it roots of its own by our hand.
    """
    try:
        found = commission.judge(commission.verify(package), lock_id=lock_id, held=held, newest=None)
    except ProtocolError as error:
        raise EngineError("server_not_trusted") from error
    if found is not Reason.GRANTED:
        raise EngineError("server_not_trusted", why=found.name.lower())
    return package


def slug_of(code: int) -> str:
    """The reason's slug; a code of a later protocol version is `unexpected`."""
    known = reason(code)
    return known.slug if known is not None else "unexpected"

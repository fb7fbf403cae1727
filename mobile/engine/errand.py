"""What one tap asks of which lock."""

from __future__ import annotations

from dataclasses import dataclass, field

from mobile.engine.content import LockInfo, Right
from mobile.engine.state import Operation
from protocol.messages import Command
from protocol.phonekeys import PhoneKey


@dataclass(frozen=True)
class Errand:
    """What is asked, of which lock, with which tokens (best first)."""

    operation: Operation
    lock: LockInfo
    tokens: tuple[Right, ...]
    key: PhoneKey = field(repr=False)
    request_id: bytes
    early: bool = False
    """On purpose with a token that does not hold yet."""

    @property
    def command(self) -> Command:
        """The operation as the lock knows it."""
        return Command.OPEN if self.operation is Operation.OPEN else Command.LOCK

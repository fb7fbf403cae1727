"""What a lock that lost its time still accepts: each token for so many openings and so long a time.

Staff who synced before the battery change are not shut out, and an old token cannot be used for ever: the
lower bound of the clock must lie before its end, it opens at most sixteen times, and from its first use on
no longer than it would have lived anyway.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from protocol.entries import Entry, EntryType, Granted
from protocol.token import TokenClaims

MAX_OPENINGS = 16
UNCERTAIN_FLAG = 1
"""Bit in a granted entry's flags: the lock did not know the time."""


@dataclass
class _Use:
    openings: int = 0
    first: float | None = None


class UncertainUse:
    """Openings per token since the time was lost."""

    def __init__(self) -> None:
        self._uses: dict[bytes, _Use] = {}

    def recall(self, entries: Iterable[Entry]) -> None:
        """Count the marked openings in the log, oldest first; a clock entry ends an uncertain time."""
        for entry in entries:
            if entry.kind == EntryType.CLOCK:
                self._uses.clear()
            elif entry.kind == EntryType.GRANTED and entry.token_id is not None and _marked(entry):
                self._uses.setdefault(entry.token_id, _Use()).openings += 1

    def allows(self, claims: TokenClaims, mono: float) -> bool:
        """Whether the token may be accepted once more."""
        use = self._uses.get(claims.token_id)
        if use is None:
            return True
        lived = mono - use.first if use.first is not None else 0.0
        return use.openings < MAX_OPENINGS and lived <= claims.expires - claims.not_before

    def opened(self, token_id: bytes, mono: float) -> None:
        """Count an opening that has been logged."""
        use = self._uses.setdefault(token_id, _Use())
        use.openings += 1
        use.first = mono if use.first is None else use.first

    def forget(self) -> None:
        """The time is known again."""
        self._uses.clear()


def _marked(entry: Entry) -> bool:
    return bool(Granted.parse(entry.detail).flags & UNCERTAIN_FLAG)

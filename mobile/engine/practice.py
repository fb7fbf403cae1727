"""Practice: the right to the practice locks, a refusal on purpose, and how far the guided opening has come.

What is practised is the real thing: the same tap, the same radio, the same lock, the same log. Only the place
is another. Asking too early uses a right that begins later, and no other, so that the lock itself says no.
"""

from __future__ import annotations

from dataclasses import replace

from mobile.engine.asking import Asking
from mobile.engine.keyring import Keyring
from mobile.engine.openings import Openings
from mobile.engine.state import Opening, Operation
from mobile.engine.sync import Syncer


class Practice:
    """Made once; every verb works on the open vault."""

    def __init__(self, *, asking: Asking, keyring: Keyring, syncer: Syncer, openings: Openings) -> None:
        self._asking, self._keyring, self._syncer = asking, keyring, syncer
        self._openings = openings

    async def begin(self) -> None:
        """Ask for the practice locks, then sync: their rights are here when this returns.

        Asked again while they hold it is the same right. Raises ServerError practice_nowhere,
        server_unreachable, …; SignInError session_expired.
        """
        await self._asking.ask("practice", {})
        await self._syncer.sync_anew()

    async def too_early(self, door_id: str) -> Opening:
        """Ask with a right that does not hold yet and with no other; the lock is the judge, as ever."""
        return await self._openings.tap(door_id, Operation.OPEN, early=True)

    async def note(self, steps: frozenset[str]) -> None:
        """Keep which steps of the guided opening are done."""
        plain = frozenset(map(str, steps))
        await self._keyring.change(lambda content: replace(content, practised=plain))

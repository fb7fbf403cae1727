"""Break-glass and reporting: what a person at a door asks of the server because a tap is not enough.

Both need coverage and a signed-in person. A right taken here opens like any other: with the token that the
sync brings, and nothing before that token is in the vault.
"""

from __future__ import annotations

from mobile.engine.asking import Asking
from mobile.engine.content import Content
from mobile.engine.emergencies import DoorFault, EmergencyReason, EmergencyRight
from mobile.engine.errors import EngineError, ServerError
from mobile.engine.keyring import Keyring
from mobile.engine.sync import Syncer

TOO_OFTEN = frozenset({"throttled", "too_many_attempts"})


class BreakGlass:
    """Takes a right to one client of the own provider, with a stated reason."""

    def __init__(self, *, asking: Asking, keyring: Keyring, syncer: Syncer) -> None:
        self._asking, self._keyring, self._syncer = asking, keyring, syncer

    async def take(self, reason: EmergencyReason, *, alarm_code: str, door_id: str) -> EmergencyRight:
        """Take it, then sync: the right is here when this returns. Exactly one of the two names is given.

        Taken again while it runs it is the same right. Raises ServerError client_unknown, nothing_to_open
        (`details['why']`), break_glass_too_often, server_unreachable, right_waits (taken, but coverage was
        lost before it was here), …; SignInError session_expired.
        """
        held = frozenset(self._keyring.content.rights)
        whose = {"alarm_code": alarm_code} if alarm_code else {"door_id": door_id}
        try:
            said = await self._asking.ask("break-glass", {**whose, "reason": reason.value})
        except ServerError as error:
            if error.code in TOO_OFTEN:
                raise ServerError("break_glass_too_often") from error
            raise
        expires = said.number("expires")
        try:
            await self._syncer.sync_anew()
        except EngineError as error:
            raise ServerError("right_waits") from error
        return EmergencyRight(expires, _opened(self._keyring.content, held, expires))

    async def report(self, door_id: str, fault: DoorFault) -> None:
        """Say what is wrong with a door that the phone holds a right to; twice is harmless.

        Raises ServerError binding_unknown (no right there), server_unreachable, …; SignInError.
        """
        said = await self._asking.ask("deviations", {"door_id": door_id, "kind": fault.value})
        said.number("deviation_id")  # whatever else answers has not taken the report


def _opened(content: Content, held: frozenset[bytes], expires: int) -> tuple[str, ...]:
    """The doors of rights that were not held before, or that end when the taken one does."""
    new = {
        right.binding
        for token_id, right in content.rights.items()
        if token_id not in held or right.expires == expires
    }
    return tuple(door.id for door in content.doors.values() if door.binding in new)

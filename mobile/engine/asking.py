"""One question to the server on a signed-in person's behalf, with a person waiting for the answer.

Not as patient as a sync: who stands at a door, or has an alarm on the screen, must soon hear that there is no
coverage. And what the server says about the phone or the session itself has its consequences at once.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from mobile.engine.answers import Body
from mobile.engine.errors import EngineError, ServerError, SignInError
from mobile.engine.http import Http
from mobile.engine.keyring import Keyring
from mobile.engine.sync import REVOKED, SESSION_GONE, Syncer

PATIENCE_S = 12.0


class Asking:
    """Asks; the sync that the answer makes necessary is the asker's to make."""

    def __init__(self, *, http: Http, keyring: Keyring, syncer: Syncer) -> None:
        self._http, self._keyring, self._syncer = http, keyring, syncer

    async def ask(self, path: str, body: dict[str, Any] | None = None, *, method: str = "POST") -> Body:
        """Call `/api/v1/<path>` and return the answer; what has nothing to say (204) is an empty one.

        Raises SignInError session_expired; ServerError server_unreachable (also when it took too long), or
        the server's own slug, with `details['why']` when the server said why; LockedError when the app was
        locked meanwhile.
        """
        content, still = self._keyring.content, self._keyring.hold()
        if not content.session:
            raise SignInError("session_expired")
        identity = content.identity
        try:
            async with asyncio.timeout(PATIENCE_S):
                answer = await self._http.call(
                    method,
                    f"{identity.server_url}/api/v1/{path}",
                    body=body,
                    device_token=identity.device_token,
                    session=content.session,
                    expect=(200, 204),
                )
        except TimeoutError:
            raise ServerError("server_unreachable") from None
        except ServerError as error:
            still()
            if error.code in SESSION_GONE | REVOKED:
                await self._learn()
                raise SignInError(error.code if error.code in REVOKED else "session_expired") from error
            raise
        still()
        return Body(answer.body)

    async def _learn(self) -> None:
        """Let a sync draw the consequences of a lost session or a revoked phone: it is told the same."""
        with suppress(EngineError):
            await self._syncer.sync_anew()

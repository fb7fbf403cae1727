"""What a phone says to the server before it forgets a person: the logs it carries, and that the key is gone.

All of it may fail: without coverage the person is forgotten on the phone all the same. The locks keep every
log that the server has not receipted, and a key that no longer exists opens nothing.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from mobile.engine.courier import Courier
from mobile.engine.errors import EngineError
from mobile.engine.http import Http
from mobile.engine.keyring import Keyring

SECONDS = 8.0
"""Whoever hands the phone over is not made to wait longer than this for a server that does not answer."""


class Goodbye:
    """Said while the vault is still open."""

    def __init__(self, *, http: Http, keyring: Keyring, courier: Courier) -> None:
        self._http, self._keyring, self._courier = http, keyring, courier

    async def say(self) -> None:
        """Hand in what waits, then give the key back."""
        with suppress(EngineError, TimeoutError):
            async with asyncio.timeout(SECONDS):
                if self._courier.waiting:
                    await self._courier.hand_in()
                await self._give_back()

    async def _give_back(self) -> None:
        content = self._keyring.content
        if content.session:
            await self._http.call(
                "POST",
                f"{content.identity.server_url}/api/v1/leave",
                body={},
                device_token=content.identity.device_token,
                session=content.session,
            )

"""What a phone says to the server before it forgets a person: the logs it carries, and that the key is gone.

All of it may fail: without coverage the person is forgotten on the phone all the same. The locks keep every
log that the server has not receipted, and a key that no longer exists opens nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from mobile.engine.courier import Courier
from mobile.engine.errors import EngineError
from mobile.engine.http import Http
from mobile.engine.keyring import Keyring

SECONDS = 4.0
"""For each of the two: whoever hands the phone over is not made to wait long for a silent server."""


class Goodbye:
    """Said while the vault is still open."""

    def __init__(self, *, http: Http, keyring: Keyring, courier: Courier) -> None:
        self._http, self._keyring, self._courier = http, keyring, courier

    async def say(self) -> None:
        """Hand in what waits, then give the key back, whether or not the logs were taken."""
        if self._courier.waiting:
            await _briefly(self._courier.hand_in())
        await _briefly(self._give_back())

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


async def _briefly(work: Coroutine[Any, Any, object]) -> None:
    with suppress(EngineError, TimeoutError):
        async with asyncio.timeout(SECONDS):
            await work

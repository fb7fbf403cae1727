"""What the engine does by itself while a vault is open: ask for news now and then, hand in logs.

While the server can be heard it says itself when there is news, and sees to it that no word of it is lost;
then the phone asks only now and then. Without coverage it tries again soon, then less and less often, but
never less than once a minute: it is back by itself within that time. Every wait is spread out, for after a
tunnel or a restart of the server all phones would ask at the same moment.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

from mobile.engine import faults
from mobile.engine.courier import Courier
from mobile.engine.errors import EngineError
from mobile.engine.keyring import Keyring
from mobile.engine.sync import Syncer

AWAY = frozenset({"server_unreachable", "server_error"})
FIRST_RETRY_S, LONGEST_RETRY_S = 5.0, 60.0
SPREAD = (0.75, 1.0)
LISTENING_S = 1800.0
"""Between two questions while the server is being listened to."""


class Rounds:
    """Never opens a door, never speaks to a lock."""

    def __init__(self, syncer: Syncer, courier: Courier, keyring: Keyring) -> None:
        self._syncer, self._courier, self._keyring = syncer, courier, keyring
        self.listening: Callable[[], bool] = lambda: False
        """Whether the server would be heard if it said that there is news."""
        self._asked_at = -LISTENING_S
        self._going: asyncio.Task[None] | None = None
        self._soon: set[asyncio.Task[str]] = set()

    def start(self, seconds: float | None) -> None:
        """Make a round every so many seconds; None = never."""
        if seconds is not None and self._going is None:
            self._going = asyncio.create_task(self._go(seconds))

    async def stop(self) -> None:
        """Make no more rounds."""
        going, self._going = self._going, None
        if going is not None:
            going.cancel()
            await asyncio.gather(going, return_exceptions=True)

    def hand_in_soon(self) -> None:
        """Hand in what waits, without anybody waiting for it."""
        task = asyncio.create_task(self._carefully(self._hand_in))
        self._soon.add(task)
        task.add_done_callback(self._soon.discard)

    async def on_news(self) -> None:
        """The server has said that there is news."""
        await self._carefully(self._news)

    async def settled(self) -> None:
        """Wait until nothing is being handed in."""
        while self._soon:
            await asyncio.wait(set(self._soon))

    async def cancel(self) -> None:
        """Stop handing in; what was not taken waits in the outbox."""
        for task in tuple(self._soon):
            task.cancel()
        await asyncio.gather(*self._soon, return_exceptions=True)

    async def _go(self, seconds: float) -> None:
        retry, wait = FIRST_RETRY_S, seconds
        while True:
            await asyncio.sleep(wait * random.uniform(*SPREAD))  # noqa: S311  spreading, no secret
            if await self._carefully(self._round) not in AWAY:
                retry, wait = FIRST_RETRY_S, seconds
            else:
                wait, retry = retry, min(retry * 2, LONGEST_RETRY_S)

    async def _carefully(self, work: Callable[[], Awaitable[None]]) -> str:
        """Do it; returns the reason why it could not be done, else ''."""
        try:
            await work()
        except EngineError as error:
            faults.log.info("not now: %s", error.code)  # the sync bar tells why
            return error.code
        except Exception as error:
            faults.note("work in the background", error)
        return ""

    async def _round(self) -> None:
        if not self._keyring.is_open:
            return
        if self._keyring.content.session:
            await self._look_now_and_then()
        elif self._keyring.content.rights:
            await self._syncer.heed()
        elif self._courier.waiting:
            await self._courier.hand_in()

    async def _look_now_and_then(self) -> None:
        now = asyncio.get_running_loop().time()
        if self.listening() and now - self._asked_at < LISTENING_S and not self._courier.waiting:
            return
        await self._syncer.look()
        self._asked_at = now

    async def _news(self) -> None:
        if self._keyring.is_open and self._keyring.content.session:
            await self._syncer.sync_anew()
        elif self._keyring.is_open and self._keyring.content.rights:
            await self._syncer.heed()

    async def _hand_in(self) -> None:
        await self._courier.hand_in()

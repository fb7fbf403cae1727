"""An in-memory channel layer that may be used from several threads.

The stock one is not thread-safe: a message sent from a worker thread lies in a queue whose loop nobody
wakes. Here everything happens on the loop that received last (the web server's); other threads hand their
calls over.
"""

from __future__ import annotations

import asyncio
from typing import Any

from channels.layers import InMemoryChannelLayer

HAND_OVER_TIMEOUT_S = 5.0


class ThreadSafeChannelLayer(InMemoryChannelLayer):
    """`InMemoryChannelLayer` with calls from foreign loops forwarded to the home loop."""

    _home: asyncio.AbstractEventLoop | None = None

    async def receive(self, channel: str) -> dict[str, Any]:
        """Wait for a message; the loop that waits becomes the home loop."""
        self._home = asyncio.get_running_loop()
        message: dict[str, Any] = await super().receive(channel)
        return message

    async def send(self, channel: str, message: dict[str, Any]) -> None:
        """Send to one channel, on the home loop."""
        await self._at_home(super().send, channel, message)

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        """Send to everybody in a group, on the home loop."""
        await self._at_home(super().group_send, group, message)

    async def _at_home(self, verb: Any, *args: Any) -> None:
        home = self._home
        if home is None or home is asyncio.get_running_loop() or not home.is_running():
            await verb(*args)
            return
        handed_over = asyncio.run_coroutine_threadsafe(verb(*args), home)
        await asyncio.wait_for(asyncio.wrap_future(handed_over), HAND_OVER_TIMEOUT_S)

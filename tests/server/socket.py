"""A websocket client on the ASGI application itself (that of channels needs daphne)."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from asgiref.testing import ApplicationCommunicator


class Socket:
    """One connection; closes by `close`."""

    def __init__(self, application: Any, path: str, headers: dict[str, str]) -> None:
        scope = {
            "type": "websocket",
            "path": path,
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "subprotocols": [],
        }
        self.wire = ApplicationCommunicator(application, scope)

    async def connect(self) -> str:
        """Open, and return what the application answered: `websocket.accept` or `websocket.close`."""
        await self.wire.send_input({"type": "websocket.connect"})
        return str((await self.output())["type"])

    async def output(self) -> dict[str, Any]:
        """Return the next thing the application does."""
        answer: dict[str, Any] = await self.wire.receive_output(timeout=10)
        return answer

    async def message(self) -> dict[str, Any]:
        """Return the next message."""
        message: dict[str, Any] = json.loads((await self.output())["text"])
        return message

    async def is_silent(self) -> bool:
        """Return whether nothing comes for a while."""
        return bool(await self.wire.receive_nothing(timeout=0.3))

    async def close(self) -> None:
        """Hang up and let the application finish."""
        await self.wire.send_input({"type": "websocket.disconnect", "code": 1000})
        try:
            await self.wire.wait(timeout=5)
        except asyncio.CancelledError:
            return

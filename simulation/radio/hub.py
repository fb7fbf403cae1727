"""A door into the ether for whoever comes: every process that connects gets a controller of its own.

A guest may be a lock (`python -m lockagent run --transport …`), a phone (`python -m simulation.handset
--air …`), the conformance kit, or anything else whose Bluetooth host speaks HCI (H4) over TCP or a
unix socket.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path

from simulation.radio.aerial import Line
from simulation.radio.controller import VirtualController
from simulation.radio.ether import Ether

MOST_GUESTS = 256
Notice = Callable[[str], None]


class Hub:
    """Guests are called guest-1, guest-2, … in the order they come, and all stand in the same place."""

    def __init__(self, ether: Ether, *, notice: Notice | None = None, most: int = MOST_GUESTS) -> None:
        """``notice``: told in a word when a guest comes or goes. ``most``: guests at one time."""
        self.ether = ether
        self.guests: dict[str, VirtualController] = {}
        self._notice = notice
        self._most = most
        self._numbers = count(1)
        self._servers: list[asyncio.Server] = []

    async def listen_tcp(self, port: int = 0) -> str:
        """Listen on loopback; returns the transport string that a guest joins with."""
        server = await self.ether.loop.create_server(partial(_GuestLine, self), "127.0.0.1", port)
        self._servers.append(server)
        return f"tcp-client:127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def listen_unix(self, path: Path) -> str:
        """Listen on a unix socket; returns the transport string that a guest joins with."""
        self._servers.append(await self.ether.loop.create_unix_server(partial(_GuestLine, self), path))
        return f"unix-client:{path}"

    async def close(self) -> None:
        """Let nobody in any more; who is there loses its controller."""
        for server in self._servers:
            server.close()
        for name in list(self.guests):
            self._remove(name)
        self._servers.clear()

    @property
    def full(self) -> bool:
        """Whether another guest must wait outside."""
        return len(self.guests) >= self._most

    def attach(self) -> VirtualController:
        """A controller for a guest who has just come."""
        name = f"guest-{next(self._numbers)}"
        controller = self.guests[name] = self.ether.controller(name)
        self._tell(f"{name} has come")
        return controller

    def leave(self, controller: VirtualController) -> None:
        """The guest has gone."""
        if controller.name in self.guests:
            self._remove(controller.name)

    def _remove(self, name: str) -> None:
        del self.guests[name]
        self.ether.remove(name)
        self._tell(f"{name} has gone")

    def _tell(self, what: str) -> None:
        if self._notice is not None:
            self._notice(what)


class _GuestLine(Line):
    """A guest's connection; one too many is turned away at once."""

    def __init__(self, hub: Hub) -> None:
        super().__init__(hub)
        self._hub = hub
        self._turned_away = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let it in, or not."""
        self._turned_away = self._hub.full
        if self._turned_away:
            transport.close()
        else:
            super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """What its host sends."""
        if not self._turned_away:
            super().data_received(data)

    def connection_lost(self, error: Exception | None) -> None:
        """It has gone."""
        if not self._turned_away:
            super().connection_lost(error)

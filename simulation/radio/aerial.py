"""A controller in the ether for a phone that is another process: HCI over TCP, as a dongle's over USB.

The ether, its locks and its time stay in one process; the phone's process may be killed at any moment. Then
its links end as they do when an operating system ends those of a killed app: with a word to the other side.
"""

from __future__ import annotations

import asyncio
from typing import cast

from bumble import hci
from bumble.transport.common import PacketParser, StreamPacketSink

from simulation.radio.conditions import Position
from simulation.radio.controller import VirtualController
from simulation.radio.ether import Ether

GOODBYE_SECONDS = 0.2


class Aerial:
    """One phone's place in the ether: the process that connects to `port` has its controller."""

    def __init__(self, ether: Ether, name: str, *, position: Position = (0.0, 0.0)) -> None:
        self.ether, self.name = ether, name
        self.port = 0
        self._position = position
        self._present = False
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Take a free port on loopback."""
        self._server = await self.ether.loop.create_server(lambda: _Line(self), "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Give the port back."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        self.remove()

    def move(self, position: Position) -> None:
        """Carry the phone somewhere (metres), whether its app runs or not."""
        self._position = position
        if self._present:
            self.ether.move(self.name, position)

    def attach(self) -> VirtualController:
        """Put a new controller where the phone is; what an earlier process left behind goes first."""
        self.remove()
        self._present = True
        return self.ether.controller(self.name, position=self._position)

    def remove(self) -> None:
        """Take the controller away, if there is one."""
        if self._present:
            self._present = False
            self.ether.remove(self.name)


class _Line(asyncio.Protocol):
    """One process's connection."""

    def __init__(self, aerial: Aerial) -> None:
        self._aerial = aerial

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._controller = self._aerial.attach()
        self._controller.set_packet_sink(StreamPacketSink(cast(asyncio.WriteTransport, transport)))
        self._parser = PacketParser(self._controller)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, error: Exception | None) -> None:
        self._controller.set_packet_sink(None)
        for connection in self._controller.links():
            self._controller.on_hci_disconnect_command(
                hci.HCI_Disconnect_Command(
                    connection_handle=connection.handle,
                    reason=hci.HCI_REMOTE_USER_TERMINATED_CONNECTION_ERROR,
                )
            )
        self._aerial.ether.loop.call_later(GOODBYE_SECONDS, self._leave)

    def _leave(self) -> None:
        if self._controller.present:
            self._aerial.remove()

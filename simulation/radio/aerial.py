"""A controller in the ether for somebody in another process: HCI over a line, as a dongle's over USB.

The ether and its time stay in one process; the other one may be killed at any moment. Then its links end as
they do when an operating system ends those of a killed app: with a word to the other side.
"""

from __future__ import annotations

import asyncio
from typing import Protocol, cast

from bumble import hci
from bumble.core import InvalidPacketError
from bumble.transport.common import PacketParser, StreamPacketSink

from simulation.radio.conditions import Position
from simulation.radio.controller import VirtualController
from simulation.radio.ether import Ether

GOODBYE_SECONDS = 0.2


class Seat(Protocol):
    """Where a line's controller comes from, and what becomes of it."""

    ether: Ether

    def attach(self) -> VirtualController:
        """A controller for the process at the other end, which has just come."""
        ...

    def leave(self, controller: VirtualController) -> None:
        """The process has gone, and its links have been told."""
        ...


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
        self._server = await self.ether.loop.create_server(lambda: Line(self), "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Give the port back."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        self._remove()

    def move(self, position: Position) -> None:
        """Carry the phone somewhere (metres), whether its app runs or not."""
        self._position = position
        if self._present:
            self.ether.move(self.name, position)

    def attach(self) -> VirtualController:
        """Put a new controller where the phone is; what an earlier process left behind goes first."""
        self._remove()
        self._present = True
        return self.ether.controller(self.name, position=self._position)

    def leave(self, controller: VirtualController) -> None:
        """Take the controller away, unless another process has taken its place."""
        if controller.present:
            self._remove()

    def _remove(self) -> None:
        if self._present:
            self._present = False
            self.ether.remove(self.name)


class Line(asyncio.Protocol):
    """One process's connection."""

    def __init__(self, seat: Seat) -> None:
        self._seat = seat

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The process has come: it gets its controller."""
        self._transport = cast(asyncio.WriteTransport, transport)
        self._controller = self._seat.attach()
        self._controller.set_packet_sink(StreamPacketSink(self._transport))
        self._parser = PacketParser(self._controller)

    def data_received(self, data: bytes) -> None:
        """HCI packets from its host, in pieces."""
        try:
            self._parser.feed_data(data)
        except InvalidPacketError:  # not HCI: nothing that follows can be told apart any more
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        """It has gone: its links end."""
        self._controller.set_packet_sink(None)
        for connection in self._controller.links():
            self._controller.on_hci_disconnect_command(
                hci.HCI_Disconnect_Command(
                    connection_handle=connection.handle,
                    reason=hci.HCI_REMOTE_USER_TERMINATED_CONNECTION_ERROR,
                )
            )
        self._seat.ether.loop.call_later(GOODBYE_SECONDS, self._seat.leave, self._controller)

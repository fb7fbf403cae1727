"""The phone's side of `simulation.radio.aerial`: bleak in a process that has no ether of its own."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Self

from bumble import hci
from bumble.transport.common import Transport, TransportSink
from bumble.transport.tcp_client import open_tcp_client_transport

from simulation.radio import Position


class RemoteEther:
    """Stands where `PhoneRadio` has the ether; `controller` is the one at the other end of the line."""

    def __init__(self, transport: Transport) -> None:
        self.loop = asyncio.get_running_loop()
        self._transport = transport

    @classmethod
    async def at(cls, port: int) -> Self:
        """Connect to an aerial's port on this machine; must run on the loop that the radio shall live on."""
        return cls(await open_tcp_client_transport(f"127.0.0.1:{port}"))

    def controller(self, _name: str, *, position: Position) -> RemoteController:
        """The far controller; where the phone is, is decided where the ether is."""
        return RemoteController(self._transport)

    def address(self, name: str) -> hci.Address:
        """A random static address, made from the name (Vol 6 Part B 1.3.2)."""
        octets = bytearray(hashlib.sha256(name.encode()).digest()[:6])
        octets[5] |= 0xC0
        return hci.Address(bytes(octets), hci.AddressType.RANDOM_DEVICE)

    def remove(self, _name: str) -> None:
        """Nothing to take away here: the aerial does it when this process lets go of the line."""


class RemoteController:
    """Both HCI source and sink of a bumble host."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.terminated = transport.source.terminated

    def set_packet_sink(self, sink: TransportSink) -> None:
        """Where packets from the controller go."""
        self._transport.source.set_packet_sink(sink)

    def on_packet(self, packet: bytes) -> None:
        """From the host."""
        self._transport.sink.on_packet(packet)

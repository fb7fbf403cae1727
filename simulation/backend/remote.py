"""The other end of `simulation.radio.aerial` and `hub`: a place in an ether that lives in another process."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Self

from bumble import hci
from bumble.device import Device
from bumble.transport import open_transport
from bumble.transport.common import Transport, TransportSink

from simulation.radio import Position
from simulation.radio.recording import HciTap


class RemoteEther:
    """Stands where `PhoneRadio` has the ether; `line` is the controller at the other end."""

    def __init__(self, transport: Transport) -> None:
        self.loop = asyncio.get_running_loop()
        self.line = RemoteController(transport)
        self._transport = transport

    @classmethod
    async def at(cls, where: str) -> Self:
        """Join by a transport string; must run on the loop that the radio shall live on."""
        return cls(await open_transport(where))

    def controller(self, _name: str, *, position: Position) -> RemoteController:
        """The far controller; where it is, is decided where the ether is."""
        return self.line

    def address(self, name: str) -> hci.Address:
        """A random static address, made from the name (Vol 6 Part B 1.3.2)."""
        octets = bytearray(hashlib.sha256(name.encode()).digest()[:6])
        octets[5] |= 0xC0
        return hci.Address(bytes(octets), hci.AddressType.RANDOM_DEVICE)

    def attach(self, name: str, *, position: Position) -> Device:
        """A bumble device over the far controller, not yet powered on."""
        line = self.controller(name, position=position)
        return Device.with_hci(name, self.address(name), line, line)

    def remove(self, _name: str) -> None:
        """Nothing to take away here: the far side does it when this process lets go of the line."""

    async def close(self) -> None:
        """Let go of the line."""
        await self._transport.close()


class RemoteController:
    """Both HCI source and sink of a bumble host."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.taps: list[HciTap] = []
        self.terminated = transport.source.terminated

    def set_packet_sink(self, sink: TransportSink) -> None:
        """Where packets from the controller go."""
        self._transport.source.set_packet_sink(_Tapped(self.taps, sink))

    def on_packet(self, packet: bytes) -> None:
        """From the host."""
        for tap in self.taps:
            tap(True, packet)
        self._transport.sink.on_packet(packet)


class _Tapped:
    """Lets the taps see what goes on to the host."""

    def __init__(self, taps: list[HciTap], sink: TransportSink) -> None:
        self._taps = taps
        self._sink = sink

    def on_packet(self, packet: bytes) -> None:
        """From the controller."""
        for tap in self._taps:
            tap(False, packet)
        self._sink.on_packet(packet)

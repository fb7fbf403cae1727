"""A central that sends whatever bytes it is given: for replays of recorded traffic and for attacks.

It has no GATT client, no checks and no patience of its own; a peripheral must stand whatever comes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from bumble import hci
from bumble.device import Connection, Device

from simulation.backend.remote import RemoteEther
from simulation.radio import Ether, Packet, Position, Side
from simulation.radio.packets import (
    ATT_CID,
    ATT_INDICATION,
    ATT_MTU_REQUEST,
    ATT_NOTIFICATION,
    ATT_WRITE_COMMAND,
    ATT_WRITE_REQUEST,
    L2CAP_HEADER,
)

#: Even ATT opcodes from a client that expect no answer: write command, signed write, confirmation.
_UNANSWERED = frozenset({ATT_WRITE_COMMAND, 0xD2, 0x1E})
_UNASKED = frozenset({ATT_NOTIFICATION, ATT_INDICATION})


class RawCentral:
    """One attacker in the ether. Use it as an async context manager, or call ``close`` at the end."""

    def __init__(
        self, ether: Ether | RemoteEther, name: str = "raw", *, position: Position = (0.0, 0.0)
    ) -> None:
        self.ether = ether
        self.name = name
        self.device: Device = ether.attach(name, position=position)
        #: Every ATT PDU that came in, in order.
        self.received: list[bytes] = []
        #: Set while the link stands.
        self.connection: Connection | None = None
        self._answers: asyncio.Queue[bytes] = asyncio.Queue()
        self._notifications: asyncio.Queue[bytes] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def connect(self, address: hci.Address | str, patience: float = 5.0) -> None:
        """Connect to an address. Raises bumble's TimeoutError when nobody answers in ``patience`` seconds."""
        if not self.device.powered_on:
            await self.device.power_on()
            self.device.l2cap_channel_manager.register_fixed_channel(ATT_CID, self._on_att)
        self.connection = await self.device.connect_le(address, timeout=patience)
        self.connection.once(Connection.EVENT_DISCONNECTION, self._on_disconnection)

    def _on_disconnection(self, _reason: int) -> None:
        self.connection = None

    def _on_att(self, _handle: int, pdu: bytes) -> None:
        self.received.append(pdu)
        if pdu and pdu[0] in _UNASKED:
            self._notifications.put_nowait(pdu)
        else:
            self._answers.put_nowait(pdu)

    def send(self, pdu: bytes) -> None:
        """Send an ATT PDU as it is; bytes to a link that is gone go nowhere."""
        if self.connection is not None:
            self.connection.send_l2cap_pdu(ATT_CID, pdu)

    async def request(self, pdu: bytes, patience: float = 5.0) -> bytes:
        """Send an ATT request and give its answer, whatever it is. Raises TimeoutError."""
        while not self._answers.empty():
            self._answers.get_nowait()
        self.send(pdu)
        async with asyncio.timeout(patience):
            return await self._answers.get()

    async def exchange_mtu(self, mtu: int) -> int:
        """Ask for an MTU and give the server's."""
        answer = await self.request(bytes([ATT_MTU_REQUEST]) + mtu.to_bytes(2, "little"))
        if self.connection is not None:
            self.connection.att_mtu = mtu
        return int.from_bytes(answer[1:3], "little")

    async def write(self, handle: int, value: bytes, *, response: bool = True) -> bytes | None:
        """Write a value to a handle; gives the answer PDU of a write with response."""
        opcode = ATT_WRITE_REQUEST if response else ATT_WRITE_COMMAND
        pdu = bytes([opcode]) + handle.to_bytes(2, "little") + value
        if response:
            return await self.request(pdu)
        self.send(pdu)
        return None

    async def subscribe(self, cccd: int) -> bytes | None:
        """Turn notifications on by the handle of a client characteristic configuration descriptor."""
        return await self.write(cccd, b"\x01\x00")

    async def notification(self, patience: float = 5.0) -> tuple[int, bytes]:
        """The next notification not yet taken: (handle, value). Raises TimeoutError."""
        async with asyncio.timeout(patience):
            pdu = await self._notifications.get()
        return int.from_bytes(pdu[1:3], "little"), pdu[3:]

    async def replay(self, packets: Iterable[Packet], patience: float = 5.0) -> None:
        """Send again what a central sent in a recording, waiting for answers as it did."""
        for packet in packets:
            if packet.sender is Side.CENTRAL and packet.att is not None:
                await self._replay_att(packet.att, patience)

    async def replay_hci(self, packets: Iterable[bytes], patience: float = 5.0) -> None:
        """Send again the ACL data of HCI packets recorded between a phone's host and its controller.

        Fragments are put together again; commands are left out: this central has made its own connection.
        """
        pdus: list[bytes] = []
        assembler = hci.HCI_AclDataPacketAssembler(pdus.append)
        for raw in packets:
            packet = hci.HCI_Packet.from_bytes(raw)
            if isinstance(packet, hci.HCI_AclDataPacket):
                assembler.feed_packet(packet)
        for pdu in pdus:
            if int.from_bytes(pdu[2:4], "little") == ATT_CID and len(pdu) > L2CAP_HEADER:
                await self._replay_att(pdu[L2CAP_HEADER:], patience)

    async def _replay_att(self, pdu: bytes, patience: float) -> None:
        if pdu[0] in _UNANSWERED:
            self.send(pdu)
            return
        try:
            await self.request(pdu, patience)
        except TimeoutError:
            return

    async def disconnect(self) -> None:
        """End the link; harmless when it is gone."""
        if self.connection is not None:
            await self.connection.disconnect()

    async def close(self) -> None:
        """Disconnect and leave the ether."""
        await self.disconnect()
        self.ether.remove(self.name)

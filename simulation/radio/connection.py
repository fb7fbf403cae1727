"""One end of a simulated link, between a controller's host and the air."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from bumble import controller as bumble_controller
from bumble import hci, ll

from simulation.radio.link import LL_PAYLOAD, Letter
from simulation.radio.packets import Side

if TYPE_CHECKING:
    from simulation.radio.link import Link


class LeConnection(bumble_controller.Connection):
    """One end of a link, as this controller's host knows it."""

    side: Side
    air: Link
    _fragments = 0

    def on_hci_acl_data_packet(self, packet: hci.HCI_AclDataPacket) -> None:
        """Collect the host's fragments; the PDU goes out when it is whole."""
        self._fragments += 1
        self.assembler.feed_packet(packet)

    def on_acl_pdu(self, pdu: bytes) -> None:
        """Queue a whole L2CAP PDU for the air."""
        self.air.send(self.side, Letter(data=pdu, fragments=self._fragments))
        self._fragments = 0

    def send_ll_control_pdu(self, packet: ll.ControlPdu) -> None:
        """Queue a control PDU; it keeps its place behind the data already queued."""
        self.air.send(self.side, Letter(control=packet))

    def completed(self, fragments: int) -> None:
        """The peer acknowledged this many of the host's ACL packets (7.7.19)."""
        self.controller.send_hci_packet(
            hci.HCI_Number_Of_Completed_Packets_Event(
                connection_handles=[self.handle], num_completed_packets=[fragments]
            )
        )

    def receive(self, pdu: bytes) -> None:
        """Give a PDU to the host in fragments of at most 251 bytes."""
        for offset in range(0, len(pdu), LL_PAYLOAD):
            part = pdu[offset : offset + LL_PAYLOAD]
            boundary = hci.HCI_ACL_PB_CONTINUATION if offset else hci.HCI_ACL_PB_FIRST_FLUSHABLE
            self.controller.send_hci_packet(hci.HCI_AclDataPacket(self.handle, boundary, 0, len(part), part))

    def receive_control(self, packet: ll.ControlPdu) -> None:
        """Let bumble answer a control PDU of the peer."""
        # bumble looks connections up by peer address; ours are kept by handle, since addresses come and go.
        self.controller.on_ll_control_pdu(cast(hci.Address, self.handle), packet)

    def ended(self, reason: int) -> None:
        """The link is gone."""
        self.controller.on_le_disconnected(self, reason)

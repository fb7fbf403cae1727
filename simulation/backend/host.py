"""A bumble host for scanning phones: as bumble's, without formatting every packet for its debug log."""

from __future__ import annotations

from bumble import hci
from bumble.device import Device
from bumble.host import Host

from simulation.backend.remote import RemoteController
from simulation.radio import VirtualController


class QuietHost(Host):
    """bumble formats each HCI packet into a log string even when nobody logs; a scan is thousands of them."""

    def on_hci_packet(self, packet: hci.HCI_Packet) -> None:
        """Dispatch events and data, the two kinds a controller sends here."""
        if self.snooper:
            super().on_hci_packet(packet)
        elif isinstance(packet, hci.HCI_Event):
            self.on_hci_event_packet(packet)
        elif isinstance(packet, hci.HCI_AclDataPacket):
            self.on_hci_acl_data_packet(packet)


def make_device(name: str, address: hci.Address, controller: VirtualController | RemoteController) -> Device:
    """A central's bumble device over a virtual controller, here or in another process, not yet powered on."""
    host = QuietHost(controller_source=controller, controller_sink=controller)
    return Device(name=name, address=address, host=host)

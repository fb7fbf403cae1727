"""A virtual Bluetooth LE controller: bumble's HCI command handling over our own link layer.

bumble's ``Controller`` keeps the bookkeeping of HCI commands; everything that reaches the air is replaced, as
its ``LocalLink`` sends no scan response, knows no distance, never times out and looks controllers up by
addresses that may change under a live connection. This subclasses internals of bumble 0.0.236, pinned for it.
Section numbers are Bluetooth Core 5.4 Vol 4 Part E.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from bumble import controller as bumble_controller
from bumble import hci, ll
from bumble.core import PhysicalTransport

from simulation.radio.advertising import Advertiser
from simulation.radio.connection import LeConnection
from simulation.radio.link import LL_PAYLOAD
from simulation.radio.packets import Side
from simulation.radio.recording import HciTap

if TYPE_CHECKING:
    from simulation.radio.ether import Ether
    from simulation.radio.link import Link

SUCCESS = hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.SUCCESS)
DISALLOWED = hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.COMMAND_DISALLOWED_ERROR)
FULL = hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.CONNECTION_LIMIT_EXCEEDED_ERROR)
INVALID = hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.INVALID_COMMAND_PARAMETERS_ERROR)

#: Legacy advertising PDUs and scan responses carry at most this many bytes.
MAX_ADVERTISING_DATA = 31
#: Legacy only, as Android scans by default: bumble's host then uses the legacy commands.
_LE_FEATURES = (
    hci.LeFeatureMask.LE_ENCRYPTION
    | hci.LeFeatureMask.PERIPHERAL_INITIATED_FEATURE_EXCHANGE
    | hci.LeFeatureMask.LE_DATA_PACKET_LENGTH_EXTENSION
)


class VirtualController(bumble_controller.Controller):
    """A controller with a place in the ether. Both HCI source and sink of a bumble ``Host``."""

    le_features = _LE_FEATURES
    le_acl_data_packet_length = LL_PAYLOAD
    acl_data_packet_length = LL_PAYLOAD
    supported_max_tx_octets = LL_PAYLOAD
    supported_max_rx_octets = LL_PAYLOAD
    suggested_max_tx_octets = LL_PAYLOAD

    def __init__(self, ether: Ether, name: str, public_address: hci.Address) -> None:
        super().__init__(name, public_address=public_address)
        self.ether = ether
        self.present = True
        self.taps: list[HciTap] = []
        #: How many links it can hold as a peripheral; None for as many as come.
        self.places: int | None = None
        self.advertiser = Advertiser(self)

    # --- HCI ---------------------------------------------------------------------------------------------

    def on_packet(self, packet: bytes) -> None:
        """From the host."""
        if not self.present:
            return
        for tap in self.taps:
            tap(True, packet)
        self.on_hci_packet(hci.HCI_Packet.from_bytes(packet))

    def on_hci_packet(self, packet: hci.HCI_Packet) -> None:
        """As bumble's, without formatting every packet for a log nobody reads."""
        if isinstance(packet, hci.HCI_Command):
            self.on_hci_command_packet(packet)
        elif isinstance(packet, hci.HCI_AclDataPacket):
            self.on_hci_acl_data_packet(packet)

    def send_hci_packet(self, packet: hci.HCI_Packet) -> None:
        """To the host."""
        self.send_bytes(bytes(packet))

    def send_bytes(self, packet: bytes) -> None:
        """To the host, in the next turn of the loop as over a real transport."""
        asyncio.get_running_loop().call_soon(self._hand_over, packet)

    def _hand_over(self, packet: bytes) -> None:
        if not self.present or self.host is None:
            return
        for tap in self.taps:
            tap(False, packet)
        self.host.on_packet(packet)

    def on_hci_reset_command(self, _command: hci.HCI_Reset_Command) -> hci.HCI_StatusReturnParameters:
        """7.3.2: everything stops; links are dropped without a word to either side."""
        self.go_silent()
        return SUCCESS

    def go_silent(self) -> None:
        """Stop advertising, scanning and connecting, and let every link die of its supervision timeout."""
        self.advertiser.stop()
        self.le_scan_enable = False
        self.pending_le_connection = None
        self.ether.listening(self)
        for connection in self.links():
            connection.air.sever()
        self.le_connections.clear()

    def links(self) -> list[LeConnection]:
        """This controller's connections."""
        return cast(list[LeConnection], list(self.le_connections.values()))

    # --- addresses and advertising -----------------------------------------------------------------------

    @property
    def initiating(self) -> bool:
        """Whether a connection is being sought."""
        return self.pending_le_connection is not None

    def on_hci_le_set_random_address_command(
        self, command: hci.HCI_LE_Set_Random_Address_Command
    ) -> hci.HCI_StatusReturnParameters:
        """7.8.4: refused while advertising, scanning or initiating; live connections keep the old address."""
        if self.advertiser.enabled or self.le_scan_enable or self.initiating:
            return DISALLOWED
        self.random_address = command.random_address
        return SUCCESS

    def on_hci_le_set_advertising_parameters_command(
        self, command: hci.HCI_LE_Set_Advertising_Parameters_Command
    ) -> hci.HCI_StatusReturnParameters:
        """7.8.5: refused while advertising."""
        if self.advertiser.enabled:
            return DISALLOWED
        self.advertiser.kind = int(command.advertising_type)
        self.advertiser.interval = command.advertising_interval_min * 0.000625
        self.advertiser.own_address_type = int(command.own_address_type)
        return SUCCESS

    def on_hci_le_set_advertising_data_command(
        self, command: hci.HCI_LE_Set_Advertising_Data_Command
    ) -> hci.HCI_StatusReturnParameters:
        """7.8.7: allowed at any time, 31 bytes at most."""
        if len(command.advertising_data) > MAX_ADVERTISING_DATA:
            return INVALID
        self.advertiser.data = command.advertising_data
        return SUCCESS

    def on_hci_le_set_scan_response_data_command(
        self, command: hci.HCI_LE_Set_Scan_Response_Data_Command
    ) -> hci.HCI_StatusReturnParameters:
        """7.8.8: allowed at any time, 31 bytes at most."""
        if len(command.scan_response_data) > MAX_ADVERTISING_DATA:
            return INVALID
        self.advertiser.scan_response = command.scan_response_data
        return SUCCESS

    def on_hci_le_set_advertising_enable_command(
        self, command: hci.HCI_LE_Set_Advertising_Enable_Command
    ) -> hci.HCI_StatusReturnParameters:
        """7.8.9: a connectable advert needs a place for whoever connects."""
        if command.advertising_enable and self.places is not None and len(self.links()) >= self.places:
            return FULL
        if command.advertising_enable:
            self.advertiser.start()
        else:
            self.advertiser.stop()
        return SUCCESS

    # --- scanning ----------------------------------------------------------------------------------------

    def on_hci_le_set_scan_enable_command(
        self, command: hci.HCI_LE_Set_Scan_Enable_Command
    ) -> hci.HCI_StatusReturnParameters:
        """7.8.11."""
        self.le_scan_enable = bool(command.le_scan_enable)
        self.filter_duplicates = bool(command.filter_duplicates)
        self._reported: set[tuple[bytes, bytes]] = set()
        self.ether.listening(self)
        return SUCCESS

    def report(self, kind: int, address: hci.Address, data: bytes, rssi: int) -> None:
        """Tell the host of an advert or scan response (7.7.65.2); built by hand, for there are so many."""
        if self.filter_duplicates:
            seen = (bytes(address), bytes([kind]) + data)
            if seen in self._reported:
                return
            self._reported.add(seen)
        body = bytes([0x02, 1, kind, address.address_type]) + bytes(address)
        body += bytes([len(data)]) + data + rssi.to_bytes(1, "little", signed=True)
        self.send_bytes(bytes([hci.HCI_EVENT_PACKET, hci.HCI_LE_META_EVENT, len(body)]) + body)

    # --- connecting --------------------------------------------------------------------------------------

    def on_hci_le_create_connection_command(self, command: hci.HCI_LE_Create_Connection_Command) -> None:
        """7.8.12."""
        if self.initiating:
            self._send_hci_command_status(hci.HCI_ErrorCode.COMMAND_DISALLOWED_ERROR, command.op_code)
            return
        self.pending_le_connection = command
        self._send_hci_command_status(hci.HCI_COMMAND_STATUS_PENDING, command.op_code)
        self.ether.listening(self)

    def on_hci_le_create_connection_cancel_command(
        self, _command: hci.HCI_LE_Create_Connection_Cancel_Command
    ) -> hci.HCI_StatusReturnParameters:
        """7.8.13: the cancelled attempt ends with a connection complete event that carries an error."""
        pending = self.pending_le_connection
        if pending is None:
            return DISALLOWED
        self.pending_le_connection = None
        self.ether.listening(self)
        asyncio.get_running_loop().call_soon(
            self._report_failure, pending.peer_address, hci.HCI_UNKNOWN_CONNECTION_IDENTIFIER_ERROR
        )
        return SUCCESS

    def _report_failure(self, peer: hci.Address, status: int) -> None:
        self.send_hci_packet(
            hci.HCI_LE_Connection_Complete_Event(
                status=status,
                connection_handle=0,
                role=hci.Role.CENTRAL,
                peer_address_type=peer.address_type,
                peer_address=peer,
                connection_interval=0,
                peripheral_latency=0,
                supervision_timeout=0,
                central_clock_accuracy=0,
            )
        )

    def own_address(self, kind: int) -> hci.Address:
        """The address of an own-address type of an HCI command."""
        public = kind in (hci.OwnAddressType.PUBLIC, hci.OwnAddressType.RESOLVABLE_OR_PUBLIC)
        return self.public_address if public else self.random_address

    def open_connection(self, side: Side, own: hci.Address, peer: hci.Address) -> LeConnection:
        """Make this end of a new link; ``adopt`` makes it count."""
        connection = LeConnection(
            controller=self,
            handle=self.allocate_connection_handle(),
            role=hci.Role.CENTRAL if side is Side.CENTRAL else hci.Role.PERIPHERAL,
            self_address=own,
            peer_address=peer,
            link=self.link,
            transport=PhysicalTransport.LE,
            link_type=hci.HCI_Connection_Complete_Event.LinkType.ACL,
        )
        connection.side = side
        return connection

    def adopt(self, connection: LeConnection, air: Link, interval: int, latency: int, timeout: int) -> None:
        """Tie an end to its link and tell the host (7.7.65.1); units are those of the HCI command."""
        connection.air = air
        self.le_connections[cast(hci.Address, connection.handle)] = connection
        self.send_hci_packet(
            hci.HCI_LE_Connection_Complete_Event(
                status=hci.HCI_ErrorCode.SUCCESS,
                connection_handle=connection.handle,
                role=connection.role,
                peer_address_type=connection.peer_address.address_type,
                peer_address=connection.peer_address,
                connection_interval=interval,
                peripheral_latency=latency,
                supervision_timeout=timeout,
                central_clock_accuracy=0,
            )
        )

    def on_hci_disconnect_command(self, command: hci.HCI_Disconnect_Command) -> None:
        """7.1.6: the link ends when the peer has heard of it, or by supervision when it cannot hear."""
        connection = self.find_le_connection_by_handle(command.connection_handle)
        if connection is None:
            self._send_hci_command_status(
                hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR, command.op_code
            )
            return
        self._send_hci_command_status(hci.HCI_COMMAND_STATUS_PENDING, command.op_code)
        connection.send_ll_control_pdu(ll.TerminateInd(command.reason))

    def on_le_disconnected(self, connection: bumble_controller.Connection, reason: int) -> None:
        """Tell the host the link is gone (7.7.5), unless it has been told or reset away."""
        if self.le_connections.pop(cast(hci.Address, connection.handle), None) is not connection:
            return
        self.send_hci_packet(
            hci.HCI_Disconnection_Complete_Event(
                status=hci.HCI_ErrorCode.SUCCESS, connection_handle=connection.handle, reason=reason
            )
        )

    def on_hci_le_connection_update_command(self, command: hci.HCI_LE_Connection_Update_Command) -> None:
        """7.8.18: as bumble's, and the link takes over the new interval and timeout."""
        connection = self.find_le_connection_by_handle(command.connection_handle)
        super().on_hci_le_connection_update_command(command)
        if connection is not None:
            link = cast(LeConnection, connection).air
            link.asked_interval = command.connection_interval_max * 0.00125
            link.supervision_timeout = command.supervision_timeout * 0.01

"""The radio port on bumble: the real Bluetooth host stack over any HCI, simulated or not.

bumble's GATT server does not check attribute permissions on writes (0.0.236), so every attribute but
those that are meant to be written refuses them here, and prepared (long) writes are refused altogether.
Pairing is refused in one line of our own, before bumble's state machine for it: the protocol brings its own
keys, a bond would give the lock an identity on the air, and strangers could keep that machine busy.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bumble import att, hci, smp
from bumble.device import Connection, Device, DeviceConfiguration
from bumble.gatt import GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR, Service
from bumble.transport.common import TransportSink, TransportSource

from lockagent.core.events import FrameIn, LinkDown, LinkUp, Subscribed
from lockagent.core.pace import Pace
from lockagent.peripheral.adverts import Advertiser, random_address
from lockagent.peripheral.pair import Pair
from lockagent.peripheral.port import Listener
from protocol import gatt
from protocol.suites import SUITE_1, SUITES, Suite

DEVICE_NAME = "Nyckelfri"
"""The GAP name, the same for every lock."""
ADVERTISING_INTERVAL_MS = 250.0
"""On mains, always."""
_PAIRING_REQUEST = b"\x01"
_PAIRING_NOT_SUPPORTED = b"\x05\x05"
"""Security Manager: code and reason (Core 5.4 vol 3 part H 3.3 and 3.5.5)."""


class BumbleRadio:
    """One lock's peripheral over an HCI source and sink."""

    def __init__(
        self,
        source: TransportSource,
        sink: TransportSink,
        random: Callable[[int], bytes],
        *,
        interval_ms: float = ADVERTISING_INTERVAL_MS,
        slow_ms: float | None = None,
    ) -> None:
        """`random(n)`: n fresh bytes, for addresses. `interval_ms`: between two adverts.

        `slow_ms`: between two while nobody has touched the lock or knocked; None for a lock on mains.
        """
        configuration = DeviceConfiguration(
            name=DEVICE_NAME, address=random_address(random), irk=random(16), advertising_data=b""
        )
        self.device = Device.from_config_with_hci(configuration, source, sink)
        self.device.l2cap_channel_manager.register_fixed_channel(smp.SMP_CID, self._refuse_pairing)
        self._pairs = {suite: Pair(suite, self._written, self._subscription) for suite in SUITES}
        offered = [one for pair in self._pairs.values() for one in pair.characteristics]
        self.device.add_service(Service(gatt.SERVICE_UUID, offered))
        self._close_gatt()
        self.device.on(Device.EVENT_CONNECTION, self._connected)
        self._adverts = Advertiser(self.device, random, interval_ms, slow_ms or interval_ms)
        self._listener: Listener = lambda event: None
        self._links: dict[int, Connection] = {}
        self._numbers: dict[Connection, int] = {}
        self._next = 1
        self._goodbyes: set[asyncio.Task[None]] = set()

    async def start(self, listener: Listener) -> None:
        """Power on and offer the service."""
        self._listener = listener
        await self.device.power_on()
        self._adverts.start()

    async def stop(self) -> None:
        """Fall silent."""
        await self._adverts.stop()
        for connection in list(self._links.values()):
            await _hang_up(connection)
        await self.device.power_off()

    def advertise(self, data: bytes) -> None:
        """Advertise this from a fresh address."""
        self._adverts.show(data)

    def silence(self) -> None:
        """Advertise nothing."""
        self._adverts.hide()

    def pace(self, pace: Pace) -> None:
        """Advertise so often."""
        self._adverts.hurry(fast=pace is Pace.FAST)

    def send(self, link: int, frame: bytes, suite: Suite = SUITE_1) -> None:
        """Notify a frame. Sent at once, so that frames leave in the order they were given."""
        connection = self._links.get(link)
        if connection is not None:
            pdu = att.ATT_Handle_Value_Notification(
                attribute_handle=self._pairs[suite].to_phone.handle, attribute_value=frame
            )
            self.device.gatt_server.send_gatt_pdu(connection, bytes(pdu))

    def disconnect(self, link: int) -> None:
        """End a link."""
        connection = self._links.get(link)
        if connection is not None:
            task = asyncio.get_running_loop().create_task(_hang_up(connection))
            self._goodbyes.add(task)
            task.add_done_callback(self._goodbyes.discard)

    def _connected(self, connection: Connection) -> None:
        number, self._next = self._next, self._next + 1
        self._links[number] = connection
        self._numbers[connection] = number
        connection.on(Connection.EVENT_DISCONNECTION, lambda _reason: self._disconnected(number))
        connection.on(Connection.EVENT_CONNECTION_ATT_MTU_UPDATE, lambda: self._capacity_changed(connection))
        self._listener(LinkUp(number))
        self._adverts.resume()

    def _disconnected(self, number: int) -> None:
        connection = self._links.pop(number, None)
        if connection is not None:
            del self._numbers[connection]
            self._adverts.make_up()
            self._listener(LinkDown(number))

    def _subscription(self, connection: Connection, notify: bool, suite: Suite) -> None:
        number = self._numbers.get(connection)
        if number is not None and notify:
            self._listener(Subscribed(number, connection.att_mtu - gatt.ATT_HEADER, suite))

    def _capacity_changed(self, connection: Connection) -> None:
        subscribed = self.device.gatt_server.subscribers.get(connection, {})
        for suite, pair in self._pairs.items():
            if pair.to_phone.handle in subscribed:
                self._subscription(connection, True, suite)

    def _written(self, connection: Connection, value: bytes, suite: Suite) -> None:
        number = self._numbers.get(connection)
        if number is not None:
            self._listener(FrameIn(number, bytes(value), suite))

    def _refuse_pairing(self, handle: int, pdu: bytes) -> None:
        """Answer a request to pair, and nothing else on that channel."""
        if pdu[:1] == _PAIRING_REQUEST:
            self.device.send_l2cap_pdu(handle, smp.SMP_CID, _PAIRING_NOT_SUPPORTED)

    def _close_gatt(self) -> None:
        """Let nobody write anywhere but to the characteristics for it and to subscriptions."""
        server = self.device.gatt_server
        from_phone = [pair.from_phone for pair in self._pairs.values()]
        for attribute in server.attributes:
            writable = (
                any(attribute is one for one in from_phone)
                or attribute.type == GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR
            )
            if not writable:
                attribute.write_value = _refuse_write  # type: ignore[method-assign, assignment]
        server.on_att_prepare_write_request = _refuse_long_write  # type: ignore[method-assign, assignment]


def _refuse_long_write(_bearer: att.Bearer, request: att.ATT_Prepare_Write_Request) -> None:
    raise att.ATT_Error(att.ATT_REQUEST_NOT_SUPPORTED_ERROR, request.attribute_handle)


async def _refuse_write(_bearer: att.Bearer, _value: bytes) -> None:
    raise att.ATT_Error(att.ATT_WRITE_NOT_PERMITTED_ERROR)


async def _hang_up(connection: Connection) -> None:
    try:
        await connection.disconnect()
    except (TimeoutError, hci.HCI_Error, asyncio.CancelledError):
        return  # it has gone by itself

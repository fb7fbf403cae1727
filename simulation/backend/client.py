"""bleak's client backend over the simulated radio."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from bleak.args import SizedBuffer
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.exc import BleakDeviceNotFoundError, BleakError, BleakGATTProtocolError
from bumble import hci
from bumble.att import ATT_DEFAULT_MTU, ATT_Error
from bumble.core import BaseBumbleError
from bumble.core import TimeoutError as BumbleTimeoutError
from bumble.device import Connection, Peer

from simulation.backend.bridge import call_on, run_on
from simulation.backend.gatt import ATT_VALUE_HEADER, discover

if TYPE_CHECKING:
    from simulation.backend.phone import PhoneRadio

T = TypeVar("T")

#: No attribute holds more (Core Vol 3 Part F 3.2.9).
MAX_ATTRIBUTE = 512


class SimulatedClient(BaseBleakClient):
    """A GATT client of one phone; ``PhoneRadio`` makes a subclass bound to itself.

    Every failure is a ``BleakError`` or, when a connection does not come about in time, a ``TimeoutError``.
    """

    radio: PhoneRadio

    def __init__(
        self,
        address_or_ble_device: BLEDevice | str,
        *,
        disconnected_callback: Callable[[], None] | None,
        timeout: float,
        services: set[str] | None = None,
        **_kwargs: Any,
    ) -> None:
        super().__init__(address_or_ble_device, disconnected_callback=disconnected_callback, timeout=timeout)
        self._target: hci.Address | None = None
        self._name: str | None = None
        if isinstance(address_or_ble_device, BLEDevice):
            self._target = address_or_ble_device.details
            self._name = address_or_ble_device.name
        self._wanted = services
        self._loop: asyncio.AbstractEventLoop | None = None
        self._connection: Connection | None = None
        self._peer: Peer | None = None
        self._subscriptions: dict[int, Callable[[bytes], None]] = {}
        self._requests: set[asyncio.Task[Any]] = set()

    # --- properties --------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The advertised name, or the address with dashes."""
        return self._name or self.address.replace(":", "-")

    @property
    def mtu_size(self) -> int:
        """The ATT MTU of the connection; 23 when there is none."""
        return ATT_DEFAULT_MTU if self._connection is None else self._connection.att_mtu

    @property
    def is_connected(self) -> bool:
        """Whether the connection stands, as far as this end knows."""
        return self._connection is not None

    # --- connecting --------------------------------------------------------------------------------------

    async def connect(self, pair: bool, **_kwargs: Any) -> None:
        """Connect, agree on the MTU and discover. This radio does not pair; ``pair`` is ignored."""
        if self.is_connected:
            raise BleakError("already connected")
        self._loop = asyncio.get_running_loop()
        await run_on(self.radio.loop, self._connect())

    async def _connect(self) -> None:
        self.radio.require_power()
        target = self._target or self.radio.known.get(self.address) or hci.Address(self.address)
        try:
            connection = await self.radio.open_connection(target, self._timeout)
        except TimeoutError:
            if self._target is None and self.address not in self.radio.known:
                raise BleakDeviceNotFoundError(self.address, f"{self.address} was not found") from None
            raise
        except BaseBumbleError as error:
            raise BleakError(f"could not connect: {error}") from error
        self._connection = connection
        connection.on(Connection.EVENT_DISCONNECTION, self._on_disconnection)
        try:
            await self._request(self._get_acquainted(connection))
        except BaseException:
            await self._disconnect()
            raise

    async def _get_acquainted(self, connection: Connection) -> None:
        peer = Peer(connection)
        if self.radio.mtu > ATT_DEFAULT_MTU:
            await peer.request_mtu(self.radio.mtu)
        self.services = await discover(peer, self._wanted)
        self._peer = peer

    async def disconnect(self) -> None:
        """End the connection; harmless when there is none."""
        await run_on(self.radio.loop, self._disconnect())

    async def _disconnect(self) -> None:
        connection = self._connection
        if connection is None:
            return
        try:
            await connection.disconnect()
        except BaseBumbleError as error:
            if self._connection is not None:
                raise BleakError(f"could not disconnect: {error}") from error

    def _on_disconnection(self, _reason: int) -> None:
        self._connection = None
        self._peer = None
        self.services = None
        self._subscriptions.clear()
        if self._disconnected_callback is not None and self._loop is not None:
            call_on(self._loop, self._disconnected_callback)

    async def pair(self, *_args: Any, **_kwargs: Any) -> None:
        """Refused: locks of this kind are never paired."""
        raise BleakError("the simulated radio does not pair")

    async def unpair(self) -> None:
        """Refused, as pairing is."""
        raise BleakError("the simulated radio does not pair")

    # --- requests ----------------------------------------------------------------------------------------

    def _connected(self) -> Peer:
        if self._peer is None:
            raise BleakError("Not connected")
        return self._peer

    async def _request(self, work: Coroutine[Any, Any, T]) -> T:
        """Do ATT work and translate its failures.

        It runs in a task of its own for two reasons: bumble cancels a request when the link is lost, which
        must not look like a cancelled caller; and a caller that gives up cannot take back what was sent, so
        the exchange runs to its end and the next request waits for it, as on a real stack.
        """
        task = asyncio.ensure_future(work)
        self._requests.add(task)
        task.add_done_callback(self._request_done)
        await asyncio.wait({task})
        if task.cancelled():
            raise BleakError("disconnected")
        error = task.exception()
        if isinstance(error, ATT_Error):
            raise BleakGATTProtocolError(error.error_code) from error
        if isinstance(error, BumbleTimeoutError):
            # After an ATT timeout the bearer is dead (Core Vol 3 Part F 3.3.3).
            await self._disconnect()
            raise BleakError("no answer from the peer") from error
        if isinstance(error, BaseBumbleError):
            raise BleakError(str(error)) from error
        return task.result()

    def _request_done(self, task: asyncio.Task[Any]) -> None:
        self._requests.discard(task)
        if not task.cancelled():
            # Marked as seen: whoever asked may have gone.
            task.exception()

    async def _ask(self, work: Callable[[Peer], Coroutine[Any, Any, T]]) -> T:
        async def asked() -> T:
            return await self._request(work(self._connected()))

        return await run_on(self.radio.loop, asked())

    async def read_gatt_char(
        self, characteristic: BleakGATTCharacteristic, *, use_cached: bool = False, **_kwargs: Any
    ) -> bytearray:
        """Read a characteristic; nothing is cached."""
        return bytearray(await self._ask(lambda peer: peer.read_value(characteristic.handle)))

    async def read_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, *, use_cached: bool = False, **_kwargs: Any
    ) -> bytearray:
        """Read a descriptor; nothing is cached."""
        return bytearray(await self._ask(lambda peer: peer.read_value(descriptor.handle)))

    async def write_gatt_char(
        self, characteristic: BleakGATTCharacteristic, data: SizedBuffer, response: bool
    ) -> None:
        """Write a characteristic. Without response the value must fit one packet: MTU less three."""
        value = bytes(data)
        limit = MAX_ATTRIBUTE if response else min(MAX_ATTRIBUTE, self.mtu_size - ATT_VALUE_HEADER)
        if len(value) > limit and self.is_connected:
            raise BleakError(f"{len(value)} bytes are too many to write, the limit is {limit}")
        await self._ask(lambda peer: peer.write_value(characteristic.handle, value, with_response=response))

    async def write_gatt_descriptor(self, descriptor: BleakGATTDescriptor, data: SizedBuffer) -> None:
        """Write a descriptor, with response."""
        value = bytes(data)
        await self._ask(lambda peer: peer.write_value(descriptor.handle, value, with_response=True))

    # --- notifications -----------------------------------------------------------------------------------

    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **_kwargs: Any
    ) -> None:
        """Subscribe; ``callback`` runs on the loop that called this."""
        loop = asyncio.get_running_loop()
        if characteristic.handle in self._subscriptions:
            raise BleakError("notifications are on already")

        def forward(value: bytes) -> None:
            if loop is self.radio.loop:
                callback(bytearray(value))
            else:
                call_on(loop, callback, bytearray(value))

        self._subscriptions[characteristic.handle] = forward
        try:
            await self._ask(lambda peer: peer.subscribe(characteristic.obj, forward))
        except BaseException:
            self._subscriptions.pop(characteristic.handle, None)
            raise

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        """Unsubscribe; harmless when not subscribed."""
        forward = self._subscriptions.pop(characteristic.handle, None)
        if forward is not None:
            await self._ask(lambda peer: peer.unsubscribe(characteristic.obj, forward))

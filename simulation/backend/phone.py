"""A phone's Bluetooth adapter in the simulated ether, and the bleak backends bound to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bleak.exc import BleakBluetoothNotAvailableError, BleakBluetoothNotAvailableReason
from bumble import hci
from bumble.core import ConnectionError as BumbleConnectionError
from bumble.core import TimeoutError as BumbleTimeoutError
from bumble.device import Advertisement, Connection, ConnectionParametersPreferences, Device

from simulation.backend.bridge import call_now_on, run_on
from simulation.backend.client import SimulatedClient
from simulation.backend.host import make_device
from simulation.backend.remote import RemoteEther
from simulation.backend.scanner import SimulatedScanner
from simulation.radio import Ether, Position, VirtualController
from simulation.radio.recording import Tapped

AdvertListener = Callable[[Advertisement], None]


class PhoneRadio:
    """One phone's adapter. Any number may live in one ether, each with its own pair of backend classes.

    ``mtu`` is the ATT MTU the phone asks for after connecting (23 asks for none; Android 14 asks for 517,
    iOS for about 185). ``scanner_backend`` and ``client_backend`` are classes for bleak's ``backend=``; bleak
    may be used on any loop in any thread, while the radio itself runs on the ether's.
    """

    def __init__(
        self,
        ether: Ether | RemoteEther,
        name: str,
        *,
        position: Position = (0.0, 0.0),
        mtu: int = 517,
        manners: ConnectionParametersPreferences | None = None,
    ) -> None:
        """``manners``: the connection interval and supervision timeout this phone asks for; None = bumble's.

        The interval counts where the ether's ``conditions.connection_interval`` is None.
        """
        self.ether = ether
        self.name = name
        self.mtu = mtu
        self._manners = {hci.Phy.LE_1M: manners} if manners is not None else None
        self.powered = True
        #: Loop times at which scanning was started: Android allows five in thirty seconds.
        self.scan_starts: list[float] = []
        self.known: dict[str, hci.Address] = {}
        bound = {"radio": self}
        self.scanner_backend: type[SimulatedScanner] = type("SimulatedScanner", (SimulatedScanner,), bound)
        self.client_backend: type[SimulatedClient] = type("SimulatedClient", (SimulatedClient,), bound)
        self._position = position
        self._device: Device | None = None
        self._starting = asyncio.Lock()
        self._initiating = asyncio.Lock()
        self._scanners: dict[AdvertListener, bool] = {}

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The ether's event loop."""
        return self.ether.loop

    @property
    def controller(self) -> VirtualController:
        """The adapter's controller. Raises KeyError before its first use."""
        return self._here().find(self.name)

    @property
    def tapped(self) -> Tapped:
        """The controller as far as its HCI can be listened to, wherever it is. KeyError before first use."""
        return self.ether.line if isinstance(self.ether, RemoteEther) else self.controller

    def _here(self) -> Ether:
        if isinstance(self.ether, RemoteEther):
            raise TypeError("the ether is in another process: ask its aerial")
        return self.ether

    def move(self, position: Position) -> None:
        """Carry the phone somewhere (metres)."""
        self._position = position
        if self._device is not None:
            call_now_on(self.loop, self._here().move, self.name, position)

    async def leave(self) -> None:
        """Vanish from the ether as a phone does that runs out of battery; its next use starts it anew."""
        await run_on(self.loop, self._vanish())

    async def _vanish(self) -> None:
        self._scanners.clear()
        if self._device is not None:
            self._device = None
            self.ether.remove(self.name)

    # --- power -------------------------------------------------------------------------------------------

    def require_power(self) -> None:
        """Raise the error bleak raises when Bluetooth is off."""
        if not self.powered:
            raise BleakBluetoothNotAvailableError(
                "Bluetooth is turned off", BleakBluetoothNotAvailableReason.POWERED_OFF
            )

    async def device(self) -> Device:
        """The powered-on bumble device, made at first use. Raises as ``require_power``."""
        self.require_power()
        async with self._starting:
            if self._device is None:
                controller = self.ether.controller(self.name, position=self._position)
                device = make_device(self.name, self.ether.address(self.name), controller)
                device.on(Device.EVENT_ADVERTISEMENT, self._on_advertisement)
                await device.power_on()
                self._device = device
        return self._device

    async def switch_off(self) -> None:
        """Turn Bluetooth off: connections end, scans fall silent, new work is refused."""
        self.powered = False
        await run_on(self.loop, self._quiet())

    async def _quiet(self) -> None:
        device = self._device
        if device is None:
            return
        await device.cancel_connection()
        for connection in list(device.connections.values()):
            await connection.disconnect(hci.HCI_REMOTE_DEVICE_TERMINATED_CONNECTION_DUE_TO_POWER_OFF_ERROR)
        if device.is_scanning:
            await device.stop_scanning()

    async def switch_on(self) -> None:
        """Turn Bluetooth on again; scans that were running stay silent until started anew."""
        self.powered = True
        self._scanners.clear()

    # --- scanning ----------------------------------------------------------------------------------------

    async def start_scan(self, listener: AdvertListener, *, active: bool) -> None:
        """Tell ``listener`` of every advert; when one listener wants scan responses, all get them."""
        device = await self.device()
        self.scan_starts.append(self.loop.time())
        self._scanners[listener] = active
        await self._rescan(device)

    async def stop_scan(self, listener: AdvertListener) -> None:
        """Stop telling ``listener``."""
        self._scanners.pop(listener, None)
        if self._device is not None and self.powered:
            await self._rescan(self._device)

    async def _rescan(self, device: Device) -> None:
        if device.is_scanning:
            await device.stop_scanning()
        if self._scanners:
            await device.start_scanning(active=any(self._scanners.values()))

    def _on_advertisement(self, advertisement: Advertisement) -> None:
        self.known[advertisement.address.to_string(False)] = advertisement.address
        for listener in list(self._scanners):
            listener(advertisement)

    # --- connecting --------------------------------------------------------------------------------------

    async def open_connection(self, address: hci.Address, patience: float) -> Connection:
        """Connect, one attempt at a time as a controller does; cancelling ends the attempt.

        Raises TimeoutError after ``patience`` seconds.
        """
        device = await self.device()
        async with asyncio.timeout(patience):
            async with self._initiating:
                attempt = asyncio.ensure_future(device.connect_le(address, self._manners, timeout=None))
                try:
                    return await asyncio.shield(attempt)
                except asyncio.CancelledError:
                    await self._give_up(device, attempt)
                    raise

    async def _give_up(self, device: Device, attempt: asyncio.Future[Connection]) -> None:
        if not device.is_le_connecting:
            attempt.cancel()
        else:
            await device.cancel_connection()
        try:
            connection = await attempt
        except (BumbleConnectionError, BumbleTimeoutError, asyncio.CancelledError):
            return
        # It came through in the very moment it was given up.
        await connection.disconnect()

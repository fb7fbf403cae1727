"""A peripheral and helpers for the tests of the simulated radio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bleak import BleakClient, BleakScanner
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from bumble import hci
from bumble.core import UUID, AdvertisingData
from bumble.device import Connection, Device
from bumble.gatt import Characteristic, CharacteristicValue, Service

from simulation.backend import PhoneRadio
from simulation.backend.remote import RemoteEther
from simulation.radio import Ether, Position

SERVICE = "7d1c0001-3f52-4c8e-9a51-0c6f5ad41e01"
COMMAND = "7d1c0002-3f52-4c8e-9a51-0c6f5ad41e01"
ANSWER = "7d1c0003-3f52-4c8e-9a51-0c6f5ad41e01"
COMPANY = 0xFFFF


def field(kind: AdvertisingData.Type, data: bytes) -> bytes:
    """One advertising field."""
    return bytes(AdvertisingData([(kind, data)]))


ADVERT = field(AdvertisingData.Type.FLAGS, b"\x06") + field(
    AdvertisingData.Type.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS, bytes(UUID(SERVICE))
)


def scan_response(payload: bytes) -> bytes:
    """Manufacturer data with this payload."""
    return field(AdvertisingData.Type.MANUFACTURER_SPECIFIC_DATA, COMPANY.to_bytes(2, "little") + payload)


class EchoPeripheral:
    """Notifies back whatever is written to it, and remembers what happened."""

    def __init__(
        self, ether: Ether | RemoteEther, name: str = "lock", *, position: Position = (1.0, 0.0)
    ) -> None:
        self.ether = ether
        self.name = name
        self.device: Device = ether.attach(name, position=position)
        self.written: list[bytes] = []
        self.connections: list[Connection] = []
        self.disconnect_reasons: list[int] = []
        self.payload = f"payload of {name}".encode()[:24]
        self.answer = Characteristic(ANSWER, Characteristic.Properties.NOTIFY, Characteristic.READABLE, b"")
        self.command = Characteristic(
            COMMAND,
            Characteristic.Properties.WRITE
            | Characteristic.Properties.WRITE_WITHOUT_RESPONSE
            | Characteristic.Properties.READ,
            Characteristic.WRITEABLE | Characteristic.READABLE,
            CharacteristicValue(read=lambda _connection: b"here", write=self._on_write),
        )
        self._tasks: set[asyncio.Task[None]] = set()
        self.device.add_service(Service(SERVICE, [self.command, self.answer]))
        self.device.on(Device.EVENT_CONNECTION, self._on_connection)

    @property
    def address(self) -> str:
        """Its present random address."""
        return self.device.random_address.to_string(False)

    def _on_write(self, connection: Connection, value: bytes) -> None:
        self.written.append(value)
        task = asyncio.ensure_future(self.device.notify_subscriber(connection, self.answer, value))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _on_connection(self, connection: Connection) -> None:
        self.connections.append(connection)
        connection.on(Connection.EVENT_DISCONNECTION, self.disconnect_reasons.append)

    async def start(self, interval_ms: float = 100) -> EchoPeripheral:
        """Power on and advertise."""
        await self.device.power_on()
        await self.advertise(interval_ms)
        return self

    async def advertise(self, interval_ms: float = 100) -> None:
        """Advertise (again)."""
        await self.device.start_advertising(
            advertising_data=ADVERT,
            scan_response_data=scan_response(self.payload),
            advertising_interval_min=interval_ms,
            advertising_interval_max=interval_ms,
        )

    async def change_address(self, address: str) -> None:
        """Take another random address; the caller has stopped advertising."""
        new = hci.Address(address)
        await self.device.send_sync_command(hci.HCI_LE_Set_Random_Address_Command(random_address=new))
        self.device.random_address = new


Sighting = tuple[BLEDevice, AdvertisementData]


async def sightings(radio: PhoneRadio, seconds: float, *, mode: str = "active") -> list[Sighting]:
    """Everything a scan of so many seconds tells."""
    seen: list[Sighting] = []
    async with BleakScanner(
        lambda device, data: seen.append((device, data)),
        service_uuids=[SERVICE],
        scanning_mode=mode,  # type: ignore[arg-type]
        backend=radio.scanner_backend,
    ):
        await asyncio.sleep(seconds)
    return seen


async def find(radio: PhoneRadio, address: str | None = None) -> BLEDevice:
    """The first peripheral seen, or the one with this address."""
    device = await BleakScanner.find_device_by_filter(
        lambda device, _data: address is None or device.address == address,
        service_uuids=[SERVICE],
        backend=radio.scanner_backend,
    )
    assert device is not None
    return device


class Session:
    """A connected client with its notifications in a queue."""

    def __init__(self, client: BleakClient) -> None:
        self.client = client
        self.answers: asyncio.Queue[bytes] = asyncio.Queue()

    async def subscribe(self) -> None:
        """Turn notifications on."""
        await self.client.start_notify(ANSWER, lambda _char, data: self.answers.put_nowait(bytes(data)))

    async def ask(self, value: bytes, *, response: bool = True) -> bytes:
        """Write and wait for what is notified."""
        await self.client.write_gatt_char(COMMAND, value, response=response)
        return await self.answers.get()


@asynccontextmanager
async def session(radio: PhoneRadio, target: BLEDevice | str) -> AsyncIterator[Session]:
    """Connect and subscribe; disconnect at the end."""
    async with BleakClient(target, backend=radio.client_backend) as client:
        made = Session(client)
        await made.subscribe()
        yield made

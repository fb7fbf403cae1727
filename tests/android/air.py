"""Android's Bluetooth as bleak's backend meets it: a lock in the air, and connections that are lent.

Everything is told from a thread of Android's own, as on a telephone.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

from protocol import gatt
from tests.android.java import ByteArray, JavaException
from tests.android.phone import Phone

LE = "android.bluetooth.le."
GATT = "android.bluetooth.BluetoothGatt"
ADDRESS = "C0:FF:EE:00:00:01"
CONNECTED, DISCONNECTED, OK, ERROR_133 = 2, 0, 0, 133
CCCD = "00002902-0000-1000-8000-00805f9b34fb"


class Listed:
    """`java.util.ArrayList`."""

    OURS = True
    PARENTS = ("java.util.List",)

    def __init__(self) -> None:
        self.items: list[Any] = []

    def add(self, item: Any) -> bool:
        self.items.append(item)
        return True


class Air:
    """What is on the air, and what Android did. `answers` False: nobody is there to be connected to."""

    def __init__(self, phone: Phone) -> None:
        self.phone = phone
        self.answers = True
        self.fails_with = ""
        self.scan_refused = 0
        self.lent: list[Connection] = []
        self.scans: list[Any] = []
        self.filters: list[Any] = []
        self.permissions_asked = phone.asked
        self.binder = ThreadPoolExecutor(1, initializer=phone.java.begins)
        phone.java.fakes.update(self._fakes())

    @property
    def open(self) -> int:
        """Connections that Android has lent and not got back."""
        return sum(not one.closed for one in self.lent)

    def tell(self, work: Any, *args: Any) -> None:
        """Call back on Android's thread."""
        self.binder.submit(work, *args)

    def advertise(self, data: bytes, rssi: int = -60) -> None:
        """One advert is heard by every scan that runs."""
        result = self.phone.wrap(f"{LE}ScanResult", self._result(data, rssi))
        for callback in tuple(self.scans):
            self.tell(callback.onScanResult, result)

    def _result(self, data: bytes, rssi: int) -> Any:
        device = self._device(ADDRESS)
        sparse = SimpleNamespace(
            size=lambda: 1, keyAt=lambda _: gatt.COMPANY_ID, valueAt=lambda _: ByteArray(data), OURS=True
        )
        record = SimpleNamespace(
            getServiceUuids=lambda: [SimpleNamespace(toString=lambda: gatt.SERVICE_UUID)],
            getManufacturerSpecificData=lambda: sparse,
            getServiceData=lambda: SimpleNamespace(entrySet=list),
            getTxPowerLevel=lambda: -(2**31),
            getDeviceName=lambda: None,
        )
        wrapped = self.phone.wrap(f"{LE}ScanRecord", record)
        return SimpleNamespace(getDevice=lambda: device, getScanRecord=lambda: wrapped, getRssi=lambda: rssi)

    def _device(self, address: str) -> Any:
        def connect(_context: Any, _auto: bool, callback: Any, _transport: int) -> Any:
            connection = Connection(self, callback.fake.callback)
            self.lent.append(connection)
            return self.phone.wrap(GATT, connection)

        fake = SimpleNamespace(getAddress=lambda: address, getName=lambda: None, connectGatt=connect)
        return self.phone.wrap("android.bluetooth.BluetoothDevice", fake)

    def _start(self, filters: Any, _settings: Any, callback: Any) -> None:
        if self.fails_with:
            raise JavaException(self.fails_with)
        self.filters = list(filters.fake.items)
        if self.scan_refused:
            self.tell(callback.fake.callback.onScanFailed, self.scan_refused)
        self.scans.append(callback.fake.callback)

    def _stop(self, callback: Any) -> None:
        if callback.fake.callback in self.scans:
            self.scans.remove(callback.fake.callback)

    def _fakes(self) -> dict[str, Any]:
        wrap = self.phone.wrap
        scanner = SimpleNamespace(
            startScan=self._start, stopScan=self._stop, flushPendingScanResults=lambda _callback: None
        )
        adapter = SimpleNamespace(
            getState=lambda: 12 if self.phone.bluetooth else 10,
            getBluetoothLeScanner=lambda: wrap(f"{LE}BluetoothLeScanner", scanner),
            getRemoteDevice=self._device,
        )
        return {
            "android.bluetooth.BluetoothAdapter": SimpleNamespace(
                getDefaultAdapter=lambda: wrap("android.bluetooth.BluetoothAdapter", adapter)
            ),
            "android.bluetooth.BluetoothGattDescriptor": SimpleNamespace(
                ENABLE_NOTIFICATION_VALUE=ByteArray(b"\x01\x00")
            ),
            "java.util.ArrayList": Listed,
            "java.util.UUID": SimpleNamespace(fromString=lambda text: wrap("java.util.UUID", text)),
            "android.os.ParcelUuid": SimpleNamespace(
                fromString=lambda text: wrap("android.os.ParcelUuid", text)
            ),
            f"{LE}ScanFilter$Builder": lambda: _builder(self.phone, f"{LE}ScanFilter"),
            f"{LE}ScanSettings$Builder": lambda: _builder(self.phone, f"{LE}ScanSettings"),
            "com.github.hbldh.bleak.PythonScanCallback": ScanCallback,
            "com.github.hbldh.bleak.PythonBluetoothGattCallback": GattCallback,
        }


class Callback:
    """Bleak's Java classes: they hand every call of Android's on to Python's object."""

    OURS = True

    def __init__(self, callback: Any) -> None:
        self.callback = callback


class ScanCallback(Callback):
    """As test_java_files.py holds."""

    PARENTS = ("android.bluetooth.le.ScanCallback",)


class GattCallback(Callback):
    """As test_java_files.py holds."""

    PARENTS = ("android.bluetooth.BluetoothGattCallback",)


class _Builder:
    def __init__(self, phone: Phone, name: str) -> None:
        self._phone, self._name = phone, name
        self.said: dict[str, Any] = {}

    def __getattr__(self, setter: str) -> Any:
        if not setter.startswith("set"):
            raise AttributeError(setter)

        def say(value: Any) -> Any:
            self.said[setter] = value
            return self._phone.wrap(f"{self._name}$Builder", self)

        return say

    def build(self) -> Any:
        return self._phone.wrap(self._name, self.said)


def _builder(phone: Phone, name: str) -> _Builder:
    return _Builder(phone, name)


class Connection:
    """A `BluetoothGatt` that Android has lent."""

    def __init__(self, air: Air, callback: Any) -> None:
        self._air, self._callback = air, callback
        self.closed, self.priority, self.written = False, None, []
        self.told_on: list[str] = []
        if air.answers:
            air.tell(callback.onConnectionStateChange, OK, CONNECTED)

    def fail(self) -> None:
        """Android gives up on it: the famous status 133."""
        self._air.tell(self._callback.onConnectionStateChange, ERROR_133, DISCONNECTED)

    def lose(self) -> None:
        """The lock is out of reach: a supervision timeout, status 8."""
        self._air.tell(self._callback.onConnectionStateChange, 8, DISCONNECTED)

    def disconnect(self) -> None:
        if self._air.answers:
            self._air.tell(self._callback.onConnectionStateChange, OK, DISCONNECTED)

    def close(self) -> None:
        self.closed = True

    def requestMtu(self, mtu: int) -> bool:  # noqa: N802
        self._air.tell(self._callback.onMtuChanged, mtu, OK)
        return True

    def requestConnectionPriority(self, priority: int) -> bool:  # noqa: N802
        self.priority = priority
        return True

    def discoverServices(self) -> bool:  # noqa: N802
        self._air.tell(self._callback.onServicesDiscovered, OK)
        return True

    def getServices(self) -> list[Any]:  # noqa: N802
        characteristics = [
            self._characteristic(1, gatt.SUITE1_RX_UUID, 0x04, []),
            self._characteristic(2, gatt.SUITE1_TX_UUID, 0x10, [self._descriptor()]),
        ]
        return [
            self._thing(
                "BluetoothGattService", 1, gatt.SERVICE_UUID, getCharacteristics=lambda: characteristics
            )
        ]

    def setCharacteristicNotification(self, _characteristic: Any, _on: bool) -> bool:  # noqa: N802
        return True

    def writeDescriptor(self, descriptor: Any) -> bool:  # noqa: N802
        self._air.tell(self._callback.onDescriptorWrite, descriptor.fake.getUuid().fake, OK)
        return True

    def writeCharacteristic(self, characteristic: Any) -> bool:  # noqa: N802
        self.written.append(bytes(characteristic.fake.value))
        self._air.tell(self._callback.onCharacteristicWrite, 1, OK)
        self._air.tell(self._callback.onCharacteristicChanged, 2, ByteArray(b"\x01\xff"))
        self.told_on.append(threading.current_thread().name)
        return True

    def _descriptor(self) -> Any:
        return self._thing("BluetoothGattDescriptor", 3, CCCD, setValue=lambda _value: True)

    def _characteristic(self, handle: int, uuid: str, properties: int, descriptors: list[Any]) -> Any:
        thing = self._thing(
            "BluetoothGattCharacteristic",
            handle,
            uuid,
            getProperties=lambda: properties,
            getDescriptors=lambda: descriptors,
            setWriteType=lambda _kind: None,
        )
        thing.fake.setValue = lambda value: setattr(thing.fake, "value", bytes(value))
        return thing

    def _thing(self, kind: str, handle: int, uuid: str, **more: Any) -> Any:
        wrapped = self._air.phone.wrap("java.util.UUID", SimpleUuid(uuid))
        fake = SimpleNamespace(getInstanceId=lambda: handle, getUuid=lambda: wrapped, **more)
        return self._air.phone.wrap(f"android.bluetooth.{kind}", fake)


class SimpleUuid(str):
    """A UUID's text, which knows how to say it."""

    OURS = True

    def toString(self) -> str:  # noqa: N802
        return str(self)

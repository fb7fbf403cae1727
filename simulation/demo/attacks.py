"""What a dishonest phone tries: somebody's keys at another door, and recorded bytes sent again."""

import asyncio
import os
from collections.abc import Iterable
from typing import Self

from bleak import BleakClient, BleakScanner
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from mobile.engine.content import Content, LockInfo, Right
from protocol import advert, gatt
from protocol.errors import ProtocolError
from protocol.messages import Command, Decision, Request
from protocol.phone import Door, PhoneSession, PhoneState
from protocol.phonekeys import X25519Key
from simulation.backend import PhoneRadio
from simulation.demo.phones import StaffPhone
from simulation.demo.street_process import StreetProcess
from simulation.rawcentral import RawCentral

PATIENCE_SECONDS = 8.0
REPLAY_PATIENCE_SECONDS = 1.0


def read_out(phone: StaffPhone) -> Content:
    """Take everything from a phone's open vault, as software with full power over the phone could."""
    return phone.engine._keyring.content


class ModifiedPhone:
    """A phone with software of its own: it presents what it likes wherever it likes."""

    def __init__(self, radio: PhoneRadio, street: StreetProcess) -> None:
        self._radio = radio
        self._street = street

    @classmethod
    async def in_street(cls, street: StreetProcess) -> Self:
        """One that has joined the radio space like any phone."""
        return cls(PhoneRadio(await street.seat("modified-phone"), "modified-phone"), street)

    async def present(self, lock: LockInfo, right: Right, private_key: bytes) -> Decision | None:
        """Ask ``lock`` to open with ``right`` and that right's private key; return the lock's decision."""
        device, adv_key = await self._find(lock)
        frames: asyncio.Queue[bytes] = asyncio.Queue()
        async with BleakClient(device, backend=self._radio.client_backend) as client:
            session = PhoneSession(
                door=Door(lock.binding, lock.static_public, adv_key),
                key=X25519Key(private_key),
                request=Request(Command.OPEN, os.urandom(8), right.token),
                capacity=client.mtu_size - gatt.ATT_HEADER,
                random=os.urandom,
            )
            await client.start_notify(gatt.SUITE1_TX_UUID, lambda _, data: frames.put_nowait(bytes(data)))
            async with asyncio.timeout(PATIENCE_SECONDS):
                while session.state in (PhoneState.WAIT_M0, PhoneState.WAIT_M2):
                    step = session.receive(await frames.get())
                    for frame in step.send:
                        await client.write_gatt_char(gatt.SUITE1_RX_UUID, frame, response=False)
        return session.decision

    async def replay(self, lock: LockInfo, packets: Iterable[bytes]) -> None:
        """Send recorded HCI bytes to a lock again, from a central that makes nothing of the answers."""
        device, _adv_key = await self._find(lock)
        async with RawCentral(await self._street.seat("replayer"), "replayer") as central:
            await central.connect(device.address)
            await central.replay_hci(packets, patience=REPLAY_PATIENCE_SECONDS)

    async def _find(self, lock: LockInfo) -> tuple[BLEDevice, bytes]:
        """Recognise the lock by its advert, with the adv_keys of a lock record."""
        resolver = advert.Resolver((lock.binding, key) for key in lock.adv_keys)
        found: asyncio.Future[tuple[BLEDevice, bytes]] = asyncio.get_running_loop().create_future()

        def heard(device: BLEDevice, data: AdvertisementData) -> None:
            try:
                match = resolver.resolve(advert.parse(data.manufacturer_data.get(gatt.COMPANY_ID, b"")))
            except ProtocolError:
                return  # the first report of an advert comes without its scan response
            if match is not None and not found.done():
                found.set_result((device, match[1]))

        scanner = BleakScanner(heard, [gatt.SERVICE_UUID], backend=self._radio.scanner_backend)
        async with scanner, asyncio.timeout(PATIENCE_SECONDS):
            return await found

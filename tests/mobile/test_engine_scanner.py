"""The one long scan: whose doors are heard, how near they are, and that it mends itself."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bumble.core import UUID, AdvertisingData
from bumble.device import Device

from mobile.engine.nearby import GONE_AFTER, NearbyList
from mobile.engine.radio import Radio, RadioOffError
from mobile.engine.recogniser import SLICE, Recogniser
from mobile.engine.scanner import Scanner
from mobile.engine.state import Bluetooth, Nearby
from protocol import advert, gatt
from simulation.backend import PhoneRadio
from simulation.radio import Ether
from simulation.virtualtime import virtual_time
from tests.lockagent.world import secret

ADVERT = bytes(
    AdvertisingData(
        [
            (AdvertisingData.Type.FLAGS, b"\x06"),
            (
                AdvertisingData.Type.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
                bytes(UUID(gatt.SERVICE_UUID)),
            ),
        ]
    )
)


class Listening:
    """A scanner with everything it told."""

    def __init__(self, ether: Ether) -> None:
        self.radio = PhoneRadio(ether, "phone")
        self.bluetooth: list[Bluetooth] = []
        self.nearby: Mapping[bytes, Nearby] = {}
        self.scanner = Scanner(
            Radio(scanner_backend=self.radio.scanner_backend, client_backend=self.radio.client_backend),
            on_bluetooth=self.bluetooth.append,
            on_nearby=self._near,
        )

    def _near(self, nearby: Mapping[bytes, Nearby]) -> None:
        self.nearby = dict(nearby)


def _binding(number: int) -> bytes:
    return secret(f"binding/{number}")[:8]


def _key(number: int) -> bytes:
    return secret(f"adv/{number}")


async def _lock(ether: Ether, number: int, *, at: float = 1.0, salt: bytes = b"saltsalt") -> Device:
    device = ether.attach(f"lock-{number}", position=(at, 0.0))
    await device.power_on()
    await _say(device, advert.make(_key(number), salt).data)
    return device


async def _say(device: Device, data: bytes) -> None:
    payload = gatt.COMPANY_ID.to_bytes(2, "little") + data
    response = bytes(AdvertisingData([(AdvertisingData.Type.MANUFACTURER_SPECIFIC_DATA, payload)]))
    await device.start_advertising(advertising_data=ADVERT, scan_response_data=response)


def _seen(address: str, data: bytes | None) -> tuple[BLEDevice, AdvertisementData]:
    """What bleak tells of an advert, with the scan response or without."""
    response = {} if data is None else {gatt.COMPANY_ID: data}
    return BLEDevice(address, None, None), AdvertisementData(None, response, {}, [], None, -60, ())


@virtual_time
async def test_own_doors_are_recognised_and_others_are_not() -> None:
    ether = Ether(seed=3)
    heard = Listening(ether)
    for number in (1, 2):
        await _lock(ether, number)
    heard.scanner.watch([(_binding(1), _key(1))])
    await heard.scanner.start()
    await asyncio.sleep(3)
    assert heard.nearby == {_binding(1): Nearby.HERE}
    assert (
        await heard.scanner.find(_binding(2), newer_than=0, until=asyncio.get_running_loop().time()) is None
    )
    await heard.scanner.stop()


@virtual_time
async def test_rule_08_an_advert_of_tomorrow_is_recognised_by_the_next_key_too() -> None:
    """During a rotation a phone holds two keys for one door; the sighting says which one matched."""
    ether = Ether(seed=3)
    heard = Listening(ether)
    await _lock(ether, 7)
    heard.scanner.watch([(_binding(1), _key(1)), (_binding(1), _key(7))])
    await heard.scanner.start()
    loop = asyncio.get_running_loop()
    seen = await heard.scanner.find(_binding(1), newer_than=0, until=loop.time() + 5)
    assert seen is not None
    assert seen.adv_key == _key(7)
    await heard.scanner.stop()


@virtual_time
async def test_four_thousand_doors_are_recognised_in_small_turns_of_the_loop() -> None:
    """A night patrol's phone: no advert may hold the loop up, and the right one is found all the same."""
    known: list[bytes] = []
    recogniser = Recogniser(lambda match, _device, _rssi: known.append(match[0]))
    recogniser.watch([(_binding(number), _key(number)) for number in range(4000)])
    last = max(range(4000), key=_binding)

    async def turns(salt: bytes) -> int:
        known.clear()
        recogniser.heard(*_seen("AA", advert.make(_key(last), salt).data))
        turns = 0
        while not known:
            await asyncio.sleep(0)
            turns += 1
        return turns

    assert 4000 / SLICE <= await turns(b"saltsalt") < 20, "never all of them in one turn"
    assert known == [_binding(last)]
    assert await turns(b"othersal") <= 2, "the lock that changed its address is tried first"
    await recogniser.stop()


@virtual_time
async def test_a_lost_scan_response_does_not_hide_a_door_that_was_heard_before() -> None:
    """A lock changes address and salt together: while the address is the same, so is the door."""
    known: list[bytes] = []
    recogniser = Recogniser(lambda match, _device, _rssi: known.append(match[0]))
    recogniser.watch([(_binding(1), _key(1))])
    recogniser.heard(*_seen("AA", None))
    assert known == [], "nobody knows yet whose it is"
    recogniser.heard(*_seen("AA", advert.make(_key(1), b"saltsalt").data))
    await asyncio.sleep(0.01)
    recogniser.heard(*_seen("AA", None))
    recogniser.heard(*_seen("BB", None))
    assert known == [_binding(1), _binding(1)]
    recogniser.heard(*_seen("AA", advert.make(_key(2), b"saltsalt").data))
    await asyncio.sleep(0.01)
    recogniser.heard(*_seen("AA", None))
    assert known == [_binding(1), _binding(1)], "another advert under that address: another lock"
    recogniser.watch([])
    recogniser.heard(*_seen("AA", advert.make(_key(1), b"saltsalt").data))
    await asyncio.sleep(0.01)
    assert len(known) == 2
    await recogniser.stop()


@virtual_time
async def test_strangers_adverts_do_no_harm() -> None:
    ether = Ether(seed=3)
    heard = Listening(ether)
    junk = [b"", b"\x02" + bytes(16), bytes(17), b"\x01" + bytes(16), bytes(5)]
    for number, data in enumerate(junk):
        device = ether.attach(f"stranger-{number}")
        await device.power_on()
        await _say(device, data)
    await _lock(ether, 1)
    heard.scanner.watch([(_binding(1), _key(1))])
    await heard.scanner.start()
    await asyncio.sleep(3)
    assert set(heard.nearby) == {_binding(1)}
    await heard.scanner.stop()


@virtual_time
async def test_one_scan_is_kept_and_android_never_sees_six_starts_in_half_a_minute() -> None:
    ether = Ether(seed=3)
    heard = Listening(ether)
    await heard.scanner.start()
    await asyncio.sleep(300)
    await heard.radio.switch_off()
    await asyncio.sleep(120)
    await heard.radio.switch_on()
    await asyncio.sleep(60)
    starts = heard.radio.scan_starts
    assert all(len([s for s in starts if at <= s < at + 30]) <= 5 for at in starts)
    assert heard.bluetooth[-1] is Bluetooth.ON
    assert Bluetooth.OFF in heard.bluetooth
    await heard.scanner.stop()


@virtual_time
async def test_a_door_walked_away_from_is_no_longer_near() -> None:
    ether = Ether(seed=3)
    heard = Listening(ether)
    await _lock(ether, 1)
    heard.scanner.watch([(_binding(1), _key(1))])
    await heard.scanner.start()
    await asyncio.sleep(3)
    heard.radio.move((20.0, 0.0))
    await asyncio.sleep(8)
    assert heard.nearby == {_binding(1): Nearby.NEAR}
    heard.radio.move((5000.0, 0.0))
    await asyncio.sleep(15)
    assert heard.nearby == {}
    await heard.scanner.stop()


async def test_a_machine_without_bluetooth_is_said_to_have_none() -> None:
    class NoBus(BaseBleakScanner):
        def __init__(self, *_arguments: object, **_options: object) -> None:
            super().__init__(None, None)

        async def start(self) -> None:
            raise FileNotFoundError("/run/dbus/system_bus_socket")

        async def stop(self) -> None:
            pass

    told: list[Bluetooth] = []
    scanner = Scanner(Radio(scanner_backend=NoBus), on_bluetooth=told.append, on_nearby=lambda _: None)
    await scanner.start()
    assert told == [Bluetooth.NO_ADAPTER]
    with pytest.raises(RadioOffError):
        await scanner.find(b"binding1", newer_than=0, until=asyncio.get_running_loop().time() + 9)
    await scanner.stop()


def test_a_jumping_signal_does_not_make_the_list_jump() -> None:
    near = NearbyList()
    near.heard(b"door", -60, 0.0)
    changes = [near.heard(b"door", rssi, 1.0 + at) for at, rssi in enumerate([-60, -78, -62, -80, -61] * 4)]
    assert not any(changes)
    assert near.classes == {b"door": Nearby.HERE}
    assert near.age(21.0 + GONE_AFTER)
    assert near.classes == {}


def test_the_nearest_door_comes_first_and_keeps_its_place_while_signals_jump() -> None:
    """Three flats on one landing: one that is clearly nearer rises; no flicker makes two change places."""
    near = NearbyList()
    for at in range(40):
        near.heard(b"left", -60, at / 4)
        near.heard(b"middle", -62, at / 4)
    assert list(near.classes) == [b"left", b"middle"]
    jumping = [near.heard(b"middle", rssi, 10 + at / 4) for at, rssi in enumerate([-58, -64, -57, -66] * 5)]
    assert not any(jumping)
    for at in range(20):
        near.heard(b"right", -48, 15 + at / 4)
    assert list(near.classes) == [b"right", b"left", b"middle"]
    assert near.age(15 + GONE_AFTER)
    assert list(near.classes) == [b"right"]


@virtual_time
async def test_a_scan_that_was_being_started_when_the_app_was_locked_does_not_go_on() -> None:
    for steps in range(1, 12):
        listening = Listening(Ether(seed=1))
        starting = asyncio.create_task(listening.scanner.start())
        for _ in range(steps):
            await asyncio.sleep(0)
        await listening.scanner.stop()
        await starting
        assert listening.scanner._scanner is None, steps
        assert listening.scanner._ticking is None, steps
        await listening.scanner.start()
        assert listening.bluetooth[-1] is Bluetooth.ON
        await listening.scanner.stop()

"""What a scanning phone sees: adverts, scan responses, strengths, losses and addresses."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from bleak import BleakScanner
from bumble import hci

from simulation.backend import PhoneRadio
from simulation.radio import Ether
from simulation.virtualtime import virtual_time
from tests.simulation.bench import ADVERT, COMPANY, SERVICE, EchoPeripheral, find, session, sightings


@virtual_time
async def test_active_scan_brings_the_scan_response() -> None:
    ether = Ether(seed=1)
    lock = await EchoPeripheral(ether).start()
    seen = await sightings(PhoneRadio(ether, "phone"), 1.0)
    device, data = seen[0]
    assert device.address == lock.address
    assert data.service_uuids == [SERVICE]
    assert data.manufacturer_data == {COMPANY: lock.payload}


@virtual_time
async def test_passive_scan_brings_none() -> None:
    ether = Ether(seed=1)
    await EchoPeripheral(ether).start()
    seen = await sightings(PhoneRadio(ether, "phone"), 1.0, mode="passive")
    assert len(seen) > 5
    assert all(data.manufacturer_data == {} for _, data in seen)


@virtual_time
async def test_scan_response_is_reported_as_one() -> None:
    ether = Ether(seed=1)
    await EchoPeripheral(ether).start()
    radio = PhoneRadio(ether, "phone")
    events: list[int] = []
    await radio.device()
    radio.controller.taps.append(
        lambda to_controller, raw: (
            events.append(raw[5]) if not to_controller and raw[1:4:2] == b"\x3e\x02" else None
        )
    )
    await sightings(radio, 1.0)
    assert events[:4] == [0, 4, 0, 4]


@virtual_time
async def test_adverts_come_at_their_interval_and_a_little_late() -> None:
    ether = Ether(seed=1)
    await EchoPeripheral(ether).start(interval_ms=200)
    times: list[float] = []
    loop = asyncio.get_running_loop()
    radio = PhoneRadio(ether, "phone")
    async with BleakScanner(lambda _d, _a: times.append(loop.time()), backend=radio.scanner_backend):
        await asyncio.sleep(10)
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert 45 <= len(times) <= 50
    assert all(0.2 <= gap <= 0.2101 for gap in gaps)
    assert len(set(gaps)) > 10


@pytest.mark.parametrize(("distance", "expected"), [(1.0, -59), (10.0, -81), (30.0, -91)])
def test_strength_falls_with_distance(distance: float, expected: int) -> None:
    @virtual_time
    async def scan() -> None:
        ether = Ether(seed=1)
        await EchoPeripheral(ether, position=(distance, 0.0)).start()
        assert {data.rssi for _, data in await sightings(PhoneRadio(ether, "phone"), 1.0)} == {expected}

    scan()


@virtual_time
async def test_strength_can_be_fixed_and_fades_when_asked() -> None:
    ether = Ether(seed=1)
    await EchoPeripheral(ether).start()
    radio = PhoneRadio(ether, "phone")
    ether.set_rssi("phone", "lock", -42)
    assert {data.rssi for _, data in await sightings(radio, 1.0)} == {-42}
    ether.conditions.fading_db = 4.0
    assert len({data.rssi for _, data in await sightings(radio, 2.0)}) > 4
    ether.conditions.fading_db = 0.0
    ether.set_rssi("phone", "lock", None)
    assert {data.rssi for _, data in await sightings(radio, 1.0)} == {-59}


@virtual_time
async def test_out_of_range_is_not_heard_until_it_comes_near() -> None:
    ether = Ether(seed=1)
    await EchoPeripheral(ether, position=(60.0, 0.0)).start()
    radio = PhoneRadio(ether, "phone")
    assert await sightings(radio, 2.0) == []
    radio.move((40.0, 0.0))
    assert len(await sightings(radio, 2.0)) > 10


@virtual_time
async def test_lost_adverts_are_seeded() -> None:
    async def count(seed: int) -> tuple[int, int]:
        ether = Ether(seed=seed)
        ether.conditions.advert_loss = 0.5
        await EchoPeripheral(ether).start()
        seen = await sightings(PhoneRadio(ether, "phone"), 20.0)
        return len(seen), sum(not data.manufacturer_data for _, data in seen)

    heard, without_response = await count(3)
    assert 60 < heard < 140
    assert without_response > 0, "an advert whose scan response is lost is told all the same"
    assert await count(3) == (heard, without_response)
    assert await count(4) != (heard, without_response)


@virtual_time
async def test_all_adverts_lost_is_silence() -> None:
    ether = Ether(seed=1)
    ether.conditions.advert_loss = 1.0
    await EchoPeripheral(ether).start()
    assert await sightings(PhoneRadio(ether, "phone"), 3.0) == []


@virtual_time
async def test_advert_data_may_change_while_advertising() -> None:
    ether = Ether(seed=1)
    lock = await EchoPeripheral(ether).start()
    radio = PhoneRadio(ether, "phone")
    await lock.device.send_sync_command(
        hci.HCI_LE_Set_Scan_Response_Data_Command(scan_response_data=b"\x05\xff\xff\xffhi")
    )
    seen = await sightings(radio, 1.0)
    assert seen[0][1].manufacturer_data == {COMPANY: b"hi"}


@virtual_time
async def test_more_than_31_bytes_are_refused() -> None:
    ether = Ether(seed=1)
    lock = await EchoPeripheral(ether).start()
    with pytest.raises(hci.HCI_Error):
        await lock.device.send_sync_command(
            hci.HCI_LE_Set_Scan_Response_Data_Command(scan_response_data=bytes(32))
        )
    with pytest.raises(hci.HCI_Error):
        await lock.device.send_sync_command(
            hci.HCI_LE_Set_Advertising_Data_Command(advertising_data=ADVERT + bytes(11))
        )


@virtual_time
async def test_advertising_stops_on_connect_and_can_start_again_meanwhile() -> None:
    ether = Ether(seed=1)
    lock = await EchoPeripheral(ether).start()
    anna, bo = PhoneRadio(ether, "anna"), PhoneRadio(ether, "bo")
    async with session(anna, await find(anna)) as mine:
        assert await sightings(bo, 2.0) == []
        await lock.advertise()
        assert await sightings(bo, 2.0) != []
        assert await mine.ask(b"still here") == b"still here"


@virtual_time
async def test_address_changes_between_adverts_but_not_while_advertising() -> None:
    ether = Ether(seed=1)
    lock = await EchoPeripheral(ether).start()
    first = lock.address
    with pytest.raises(hci.HCI_Error):
        await lock.change_address("C0:00:00:00:00:01")
    await lock.device.stop_advertising()
    await lock.change_address("C0:00:00:00:00:01")
    await lock.advertise()
    seen = await sightings(PhoneRadio(ether, "phone"), 1.0)
    assert {device.address for device, _ in seen} == {"C0:00:00:00:00:01"}
    assert first != "C0:00:00:00:00:01"


@virtual_time
async def test_a_live_connection_survives_a_new_address() -> None:
    ether = Ether(seed=1)
    lock = await EchoPeripheral(ether).start()
    anna, bo = PhoneRadio(ether, "anna"), PhoneRadio(ether, "bo")
    async with session(anna, await find(anna)) as mine:
        await lock.change_address("C0:00:00:00:00:02")
        await lock.advertise()
        async with session(bo, await find(bo, "C0:00:00:00:00:02")) as other:
            assert await mine.ask(b"old") == b"old"
            assert await other.ask(b"new") == b"new"


@virtual_time
async def test_duplicates_are_filtered_when_the_host_asks() -> None:
    ether = Ether(seed=1)
    await EchoPeripheral(ether).start()
    radio = PhoneRadio(ether, "phone")
    device = await radio.device()
    reports: list[bytes] = []
    radio.controller.taps.append(
        lambda to_controller, raw: None if to_controller or raw[1:4:2] != b"\x3e\x02" else reports.append(raw)
    )
    await device.start_scanning(filter_duplicates=True)
    await asyncio.sleep(3)
    assert len(reports) == 2


@virtual_time
async def test_strangers_are_filtered_out_by_service() -> None:
    ether = Ether(seed=1)
    lock = await EchoPeripheral(ether, "lock").start()
    stranger = EchoPeripheral(ether, "stranger")
    await stranger.device.power_on()
    await stranger.device.start_advertising(
        advertising_data=b"\x02\x01\x06", scan_response_data=b"\x05\x09Lamp"
    )
    radio = PhoneRadio(ether, "phone")
    assert {device.address for device, _ in await sightings(radio, 3.0)} == {lock.address}
    everybody = await BleakScanner.discover(3.0, return_adv=True, backend=radio.scanner_backend)
    assert set(everybody) == {lock.address, stranger.address}
    assert everybody[stranger.address][1].local_name == "Lamp"


@virtual_time
async def test_rubbish_in_an_advert_is_left_out() -> None:
    ether = Ether(seed=1)
    lock = await EchoPeripheral(ether).start()
    # Manufacturer data too short for a company, a UUID list cut short, a field longer than the advert.
    await lock.device.send_sync_command(
        hci.HCI_LE_Set_Scan_Response_Data_Command(scan_response_data=b"\x02\xff\x01\x04\x07abc\x1e\x09x")
    )
    seen = await sightings(PhoneRadio(ether, "phone"), 1.0)
    assert seen[0][1].manufacturer_data == {}
    assert seen[0][1].service_uuids == [SERVICE]


@virtual_time
async def test_starting_again_does_not_double_the_adverts() -> None:
    ether = Ether(seed=1)
    lock = await EchoPeripheral(ether).start(interval_ms=100)
    scan = asyncio.ensure_future(sightings(PhoneRadio(ether, "phone"), 5.0))
    for _ in range(5):
        await asyncio.sleep(0.01)
        await lock.device.stop_advertising()
        await lock.advertise(interval_ms=100)
    assert len(await scan) < 60


@virtual_time
async def test_nothing_runs_while_nobody_listens() -> None:
    ether = Ether(seed=1)
    await EchoPeripheral(ether).start(interval_ms=20)
    loop = asyncio.get_running_loop()
    before = loop.time()
    await asyncio.sleep(0.001)
    assert not ether.schedule.running
    radio = PhoneRadio(ether, "phone")
    assert len(await sightings(radio, 1.0)) > 30
    assert not ether.schedule.running
    assert loop.time() - before < 1.1


@virtual_time
async def test_two_scanners_of_one_phone_share_its_radio() -> None:
    ether = Ether(seed=1)
    await EchoPeripheral(ether).start()
    radio = PhoneRadio(ether, "phone")
    long, short = await asyncio.gather(sightings(radio, 3.0), sightings(radio, 1.0))
    assert len(long) > 2 * len(short) > 10

"""What rides along with an opening: sealed logs home, receipts and news back; and what attackers replay."""

from __future__ import annotations

import asyncio
from pathlib import Path

from lockagent.bolt import Bolt, Order
from mobile.engine.errors import DiskFullError
from mobile.engine.state import OpeningState as S
from mobile.engine.storage.disk import Disk
from protocol.entries import EntryType
from protocol.log import Batch
from simulation.rawcentral import RawCentral
from simulation.virtualtime import virtual_time
from tests.integration.radioworld import LockAtDoor, World, world


def _home(w: World, lock: LockAtDoor) -> list[Batch]:
    """The batches the server has, opened and verified."""
    return [lock.ware.place.opened(sealed) for sealed in w.server.batches]


@virtual_time
async def test_rule_05_a_passage_comes_home_when_there_is_coverage_again(tmp_path: Path) -> None:
    w = world(tmp_path)
    lock, phone = await w.at_the_door()
    await phone.engine.open_door(lock.door_id)
    await phone.engine.settled()
    assert phone.engine.state.sync.waiting_logs == 1
    assert not phone.engine.state.sync.online
    w.server.away = False
    result = await phone.engine.sync()
    assert result.logs_handed_in == 1
    assert phone.engine.state.sync.waiting_logs == 0
    kinds = [entry.kind for batch in _home(w, lock) for entry in batch.entries]
    assert EntryType.GRANTED in kinds
    assert EntryType.OUTCOME in kinds
    await w.close()


@virtual_time
async def test_rule_05_logs_outlive_the_app_the_sign_in_and_a_locked_vault(tmp_path: Path) -> None:
    w = world(tmp_path)
    lock, phone = await w.at_the_door()
    await phone.engine.open_door(lock.door_id)
    await phone.engine.settled()
    await phone.engine.sign_out()
    await phone.engine.stop()
    phone.engine = w.engine("anna", phone.radio)
    await phone.engine.start()
    assert phone.engine.state.sync.waiting_logs == 1
    await phone.engine.unlock("493817")
    assert phone.engine.state.doors == {}, "signed out: no rights, no doors"
    w.server.away = False
    assert await phone.engine._courier.hand_in() == 1
    assert len(w.server.batches) == 1
    await w.close()


@virtual_time
async def test_a_receipt_comes_back_with_any_phone_and_the_lock_forgets(tmp_path: Path) -> None:
    w = world(tmp_path)
    lock, phone = await w.at_the_door()
    w.server.away = False
    await phone.engine.open_door(lock.door_id)
    await phone.engine.settled()
    batch = _home(w, lock)[0]
    bo = await w.phone("bo")
    w.server.grant(lock.ware, to="device-2")
    w.server.news(lock.ware, with_receipt=lock.ware.place.receipt(batch))
    await bo.engine.sync()
    await bo.engine.lock_door(lock.door_id)
    await bo.engine.settled()
    later = [entry.seq for one in _home(w, lock)[1:] for entry in one.entries]
    assert min(later) > batch.last, "what is receipted is not carried again"
    assert _home(w, lock)[-1].acked == batch.last
    await w.close()


@virtual_time
async def test_no_log_is_taken_when_the_outbox_is_full_and_the_door_opens_all_the_same(
    tmp_path: Path,
) -> None:
    w = world(tmp_path)
    lock, phone = await w.at_the_door()
    phone.engine._courier._outbox._max_bytes = 0
    assert (await phone.engine.open_door(lock.door_id)).state is S.OPEN
    await phone.engine.settled()
    assert phone.engine.state.sync.waiting_logs == 0
    phone.engine._courier._outbox._max_bytes = 1_000_000
    await phone.engine.lock_door(lock.door_id)
    await phone.engine.settled()
    w.server.away = False
    await phone.engine.sync()
    entries = [entry.seq for one in _home(w, lock) for entry in one.entries]
    assert entries == list(range(1, max(entries) + 1)), "nothing is missing"
    await w.close()


@virtual_time
async def test_rule_01_everything_recorded_of_an_opening_and_sent_again_opens_nothing(tmp_path: Path) -> None:
    w = world(tmp_path)
    lock, phone = await w.at_the_door()
    with w.ether.record() as recording:
        await phone.engine.open_door(lock.door_id)
        await phone.engine.settled()
    await phone.engine.lock_door(lock.door_id)
    await phone.engine.settled()
    await phone.engine.stop()
    runs, kinds = list(lock.motor.runs), lock.kinds()
    assert lock.agent is not None
    for _ in range(3):
        async with RawCentral(w.ether, f"thief-{_}") as thief:
            await asyncio.sleep(1)
            await thief.connect(_address(lock))
            await thief.replay(recording.packets)
            await asyncio.sleep(10)
    assert lock.motor.runs == runs
    assert lock.motor.bolt is Bolt.LOCKED
    assert [kind for kind in lock.kinds() if kind not in ("FAILURES",)] == kinds, "counted, not listed"
    await w.close()


@virtual_time
async def test_a_full_disk_loses_no_opening_and_no_passage(tmp_path: Path) -> None:
    """Neither the person's own log nor the lock's can be kept; the lock keeps its own until there is room."""
    disk = FullDisk()
    w = world(tmp_path, disk=disk)
    lock, phone = await w.at_the_door()
    disk.full = True
    assert (await phone.engine.open_door(lock.door_id)).state is S.OPEN
    await phone.engine.settled()
    assert phone.engine.state.sync.stale_reason == "disk_full"
    assert phone.engine.state.sync.waiting_logs == 0
    disk.full = False
    w.server.away = False
    assert (await phone.engine.lock_door(lock.door_id)).state is S.LOCKED
    await phone.engine.settled()
    entries = [entry.seq for one in _home(w, lock) for entry in one.entries]
    assert entries == list(range(1, max(entries) + 1)), "nothing is missing"
    await w.close()


class FullDisk(Disk):
    """A real disk that can be full."""

    full = False

    def write(self, path: Path, data: bytes) -> None:
        if self.full:
            raise DiskFullError
        super().write(path, data)


@virtual_time
async def test_a_disk_that_fails_loses_no_opening(tmp_path: Path) -> None:
    """The person's own log cannot be written; the door opens and the sync bar says what is wrong."""
    w = world(tmp_path)
    lock, phone = await w.at_the_door()
    folder = w.folder / "anna" / "vaults"
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    assert (await phone.engine.open_door(lock.door_id)).state is S.OPEN
    await phone.engine.settled()
    assert phone.engine.state.sync.stale_reason == "storage_failed"
    assert lock.motor.runs == [Order.UNLOCK]
    await w.close()


def _address(lock: LockAtDoor) -> str:
    assert lock.agent is not None
    radio = lock.agent._radio
    return str(radio.device.random_address)  # type: ignore[union-attr]

"""A phone whose key lives in hardware, from enrolment to the door: suite 2, and no other way in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lockagent.bolt import Order
from mobile.engine.state import OpeningState as S
from protocol.entries import EntryType, Granted
from protocol.keys import KeyType
from simulation.faults import CutLink, lock_notifies
from simulation.virtualtime import virtual_time
from tests.integration.radioworld import world
from tests.mobile.keychip import KeyChip


def test_a_key_in_hardware_opens_and_locks_and_the_vault_does_not_hold_it(tmp_path: Path) -> None:
    @virtual_time
    async def story() -> None:
        w, chip = world(tmp_path), KeyChip()
        lock, phone = await w.at_the_door(hardware=chip)
        holder = w.server.holders["device-1"]
        assert holder.key_type is KeyType.P256
        opening = await phone.engine.open_door(lock.door_id)
        assert opening.state is S.OPEN
        await phone.engine.settled()
        assert (await phone.engine.lock_door(lock.door_id)).state is S.LOCKED
        await phone.engine.settled()
        granted = [Granted.parse(one.detail) for one in lock.entries() if one.kind == EntryType.GRANTED]
        assert [one.phone for one in granted] == [holder.fingerprint] * 2
        (name,) = [one for one in chip.names() if one.endswith(".door")]
        identity = phone.engine._keyring.content.identity
        assert (identity.private_key, identity.hardware_key) == (b"", name)
        await w.close()

    story()


@pytest.mark.parametrize(("hardware", "server_takes"), [(None, (1, 2)), (KeyChip(), (1,)), (KeyChip(), ())])
def test_without_hardware_or_a_server_that_takes_it_the_key_lies_in_the_vault(
    tmp_path: Path, hardware: KeyChip | None, server_takes: tuple[int, ...]
) -> None:
    @virtual_time
    async def story() -> None:
        w = world(tmp_path)
        w.server.key_types = server_takes
        lock, phone = await w.at_the_door(hardware=hardware)
        assert w.server.holders["device-1"].key_type is KeyType.X25519
        assert (await phone.engine.open_door(lock.door_id)).state is S.OPEN
        await w.close()

    story()


def test_hardware_that_holds_no_such_keys_leaves_the_key_in_the_vault(tmp_path: Path) -> None:
    @virtual_time
    async def story() -> None:
        w, chip = world(tmp_path), KeyChip()
        chip.signs = False
        lock, phone = await w.at_the_door(hardware=chip)
        assert w.server.holders["device-1"].key_type is KeyType.X25519
        assert (await phone.engine.open_door(lock.door_id)).state is S.OPEN
        await w.close()

    story()


def test_a_chip_that_does_not_sign_opens_nothing_and_no_other_key_is_tried(tmp_path: Path) -> None:
    @virtual_time
    async def story() -> None:
        w, chip = world(tmp_path), KeyChip()
        lock, phone = await w.at_the_door(hardware=chip)
        chip.broken = True
        opening = await phone.engine.open_door(lock.door_id)
        assert (opening.state, opening.reason) == (S.FAILED, "door_key_silent")
        await phone.engine.settled()
        chip.broken = False
        opening = await phone.engine.open_door(lock.door_id)
        assert opening.state is S.OPEN
        assert lock.motor.runs == [Order.UNLOCK]
        await phone.engine.settled()
        for name in [one for one in chip.names() if one.endswith(".door")]:
            chip.delete(name)
        opening = await phone.engine.open_door(lock.door_id)
        assert (opening.state, opening.reason) == (S.FAILED, "door_key_gone")
        await w.close()

    story()


@pytest.mark.parametrize("nth", [2, 3])
def test_rule_10_answers_lost_in_suite_2_and_the_door_acts_once(tmp_path: Path, nth: int) -> None:
    @virtual_time
    async def story() -> None:
        w = world(tmp_path)
        lock, phone = await w.at_the_door(hardware=KeyChip())
        w.ether.add_rule(CutLink(lock_notifies, nth=nth))
        assert (await phone.engine.open_door(lock.door_id)).state in (S.OPEN, S.ALREADY_OPEN)
        assert lock.motor.runs == [Order.UNLOCK]
        await w.close()

    story()


def test_a_lock_that_does_not_offer_suite_2_is_no_door_for_a_key_in_hardware(tmp_path: Path) -> None:
    """The record says so, signed; the phone takes no right there, and never shakes hands in suite 1."""

    @virtual_time
    async def story() -> None:
        w = world(tmp_path)
        lock = await w.lock()
        lock.ware.place.lock = replace(lock.ware.place.lock, suites=1)
        phone = await w.phone(hardware=KeyChip())
        w.server.grant(lock.ware)
        await phone.engine.sync()
        recording = w.ether.record()
        opening = await phone.engine.open_door(lock.door_id)
        assert (opening.state, opening.reason) == (S.REFUSED, "no_right")
        assert recording.packets == []
        await w.close()

    story()

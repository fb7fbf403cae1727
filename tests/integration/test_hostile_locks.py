"""Somebody at the door who replays a lock's advert: the phone ends in time, and believes nothing of it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from bumble.device import Connection, Device
from bumble.gatt import Characteristic, CharacteristicValue, Service

from lockagent.peripheral.adverts import advertising_data, scan_response_data
from mobile.engine.state import OpeningState as S
from protocol import advert, framing, gatt
from protocol.framing import Kind
from protocol.reasons import Reason
from simulation.virtualtime import virtual_time
from tests.integration.radioworld import World, world

Frames = Callable[[int], list[bytes]]
"""What the impostor notifies: after the subscription (0) and after each frame written to it (1, 2, …)."""
NEVER = {S.OPEN, S.ALREADY_OPEN, S.LOCKED, S.REFUSED, S.GRANTED_UNLOCKING, S.JAMMED, S.MOTOR_TIMEOUT}


def _m0(_turn: int) -> list[bytes]:
    return framing.fragment(Kind.M0, os.urandom(48), 244)


IMPOSTORS: dict[str, Frames] = {
    "silent": lambda turn: [],
    "a made-up m0": lambda turn: _m0(turn) if turn == 0 else [],
    "m0 without end": lambda turn: _m0(turn) * 9,
    "noise": lambda turn: [os.urandom(20) for _ in range(30)],
    "empty and endless frames": lambda turn: [b"", b"\x00", b"\x80" + bytes(243)] * 20,
    "a message that never ends": lambda turn: (
        [bytes([0x80 | 0x20])] + [bytes([0x20 | number & 15]) + bytes(243) for number in range(1, 80)]
    ),
    "a flood": lambda turn: [b"\xf0\x01"] * 3000,
    "a session without a handshake": lambda turn: framing.fragment(Kind.SESSION, os.urandom(90), 244),
    "alerts": lambda turn: framing.fragment(Kind.ALERT, bytes([Reason.HANDSHAKE_FAILED]), 244),
    "alerts that claim a revocation": lambda turn: framing.fragment(Kind.ALERT, bytes([Reason.REVOKED]), 244),
}


class Impostor:
    """A peripheral that advertises as the lock does and answers as it likes."""

    def __init__(self, w: World, adv_key: bytes, frames: Frames, *, service: bool = True) -> None:
        self.device: Device = w.ether.attach("impostor", position=(0.5, 0.0))
        self._adv_key, self._frames, self._turn = adv_key, frames, 0
        self.connections = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._tx = Characteristic(
            gatt.SUITE1_TX_UUID, Characteristic.Properties.NOTIFY, Characteristic.READABLE, b""
        )
        rx = Characteristic(
            gatt.SUITE1_RX_UUID,
            Characteristic.Properties.WRITE_WITHOUT_RESPONSE,
            Characteristic.WRITEABLE,
            CharacteristicValue(write=lambda connection, _value: self._say(connection)),
        )
        self._tx.on(
            Characteristic.EVENT_SUBSCRIPTION,
            lambda connection, notify, _indicate: self._say(connection) if notify else None,
        )
        self.device.add_service(Service(gatt.SERVICE_UUID, [rx, self._tx] if service else []))
        self.device.on(Device.EVENT_CONNECTION, self._connected)

    async def start(self) -> None:
        await self.device.power_on()
        await self._advertise()

    async def _advertise(self) -> None:
        await self.device.start_advertising(
            advertising_data=advertising_data(),
            scan_response_data=scan_response_data(advert.make(self._adv_key, b"replayed").data),
            auto_restart=True,
        )

    def _connected(self, _connection: Connection) -> None:
        self.connections += 1
        self._turn = 0

    def _say(self, connection: Connection) -> None:
        frames, self._turn = self._frames(self._turn), self._turn + 1
        self._do(self._notify(connection, frames))

    async def _notify(self, connection: Connection, frames: list[bytes]) -> None:
        for frame in frames:
            await self.device.notify_subscriber(connection, self._tx, frame)

    def _do(self, work: object) -> None:
        task = asyncio.ensure_future(work)  # type: ignore[arg-type]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


@pytest.mark.parametrize("who", list(IMPOSTORS))
def test_rule_10_nothing_unauthenticated_is_told_as_the_truth(tmp_path: Path, who: str) -> None:
    @virtual_time
    async def story() -> None:
        w = world(tmp_path)
        lock, phone = await w.at_the_door()
        lock.power_off()
        impostor = Impostor(w, lock.ware.place.adv_key, IMPOSTORS[who])
        await impostor.start()
        loop = asyncio.get_running_loop()
        before = loop.time()
        opening = await phone.engine.open_door(lock.door_id)
        assert loop.time() - before < 30
        assert impostor.connections >= 1
        assert opening.state in (S.FAILED, S.NO_ANSWER, S.NOT_FOUND)
        assert opening.reason in ("handshake_failed", "no_answer", "link_lost", "not_found")
        assert not set(phone.states(lock.door_id)) & NEVER
        await phone.engine.settled()
        assert not w.ether.links("alice")
        await w.close()

    story()


@virtual_time
async def test_a_service_without_our_characteristics_is_not_a_lock(tmp_path: Path) -> None:
    w = world(tmp_path)
    lock, phone = await w.at_the_door()
    lock.power_off()
    impostor = Impostor(w, lock.ware.place.adv_key, IMPOSTORS["silent"], service=False)
    await impostor.start()
    opening = await phone.engine.open_door(lock.door_id)
    assert opening.state in (S.NO_ANSWER, S.NOT_FOUND)
    await w.close()


@virtual_time
async def test_the_true_lock_beside_an_impostor_is_reached_in_the_same_tap(tmp_path: Path) -> None:
    """Both advertise; whichever is tried first, the tap ends at the lock itself."""
    w = world(tmp_path)
    lock, phone = await w.at_the_door()
    await Impostor(w, lock.ware.place.adv_key, IMPOSTORS["a session without a handshake"]).start()
    opening = await phone.engine.open_door(lock.door_id)
    assert opening.state is S.OPEN
    await w.close()

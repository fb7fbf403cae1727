"""A practice lock without a bolt answers like one with, and at no real door."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockagent import commands, hardware
from lockagent.__main__ import main
from lockagent.bolt import Bolt, MotorDone, Order, Result
from lockagent.commands import from_text
from lockagent.lockfolder import open_folder
from lockagent.motor.lamp import Lamp
from lockagent.motor.simulated import SimulatedMotor
from protocol import identity
from protocol.settings import DoorKind, LockSettings
from tests.lockagent.world import Issuer, Place


def test_rule_10_the_lamp_is_lit_only_when_the_travel_is_over() -> None:
    shown: list[Bolt] = []
    lamp = Lamp(shown.append, seconds=1.0)
    lamp.order(Order.UNLOCK, 10.0)
    assert (lamp.poll(10.9), lamp.bolt, shown) == ([], Bolt.BETWEEN, [])
    assert lamp.next_event_at() == 11.0
    assert lamp.poll(11.0) == [MotorDone(Order.UNLOCK, Result.MOVED)]
    assert (lamp.bolt, shown) == (Bolt.UNLOCKED, [Bolt.UNLOCKED])
    lamp.order(Order.UNLOCK, 12.0)
    assert lamp.poll(12.0) == [MotorDone(Order.UNLOCK, Result.ALREADY)]
    lamp.order(Order.LOCK, 13.0)
    lamp.order(Order.STOP, 13.5)
    assert (lamp.poll(20.0), lamp.bolt, shown) == ([], Bolt.UNLOCKED, [Bolt.UNLOCKED])


@pytest.mark.parametrize(
    ("kind", "motor"),
    [(DoorKind.PRACTICE, Lamp), (DoorKind.APARTMENT, SimulatedMotor), (DoorKind.GATE, SimulatedMotor)],
)
def test_rule_10_only_a_lock_bound_to_a_practice_place_goes_without_a_bolt(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: DoorKind, motor: type
) -> None:
    folder = tmp_path / "lock"
    main(["--folder", str(folder), "init"])
    stated = identity.verify(from_text(capsys.readouterr().out.strip()))
    package = tmp_path / "package"
    package.write_bytes(Place(Issuer(), stated, settings=LockSettings(kind)).commission())
    assert main(["--folder", str(folder), "--rtc", "kept", "commission", str(package)]) == 0
    lock = open_folder(folder)
    try:
        with hardware.opened(None, commands.door_kind(lock), print) as hands:
            assert type(hands.motor) is motor
    finally:
        lock.close()

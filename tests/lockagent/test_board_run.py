"""The lock as a process with a board: what it refuses to start with, in plain sentences, and the whole of
it."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path

import pytest

from lockagent import hardware, lockfolder
from lockagent.agent import Agent, Parts
from lockagent.bolt import Bolt, Order
from lockagent.core.clock import RtcReading
from lockagent.hardware import Edges, HardwareError
from lockagent.motor.lamp import Lamp
from lockagent.motor.simulated import SimulatedMotor
from protocol.settings import DoorKind
from tests.lockagent.doormodel import BOARD, LOCK, mock_pins
from tests.lockagent.test_board_strike import GATE
from tests.lockagent.world import T0

LAMP = "[lamp]\npin = 4\n"


@pytest.fixture
def board(tmp_path: Path) -> Path:
    mock_pins()
    return tmp_path / "board.toml"


def opens(board: Path | None, kind: DoorKind | None) -> hardware.Hands:
    with hardware.opened(board, kind, lambda _: None) as hands:
        return hands


def test_without_a_board_the_motor_is_simulated_and_a_practice_lock_has_none() -> None:
    assert isinstance(opens(None, DoorKind.APARTMENT).motor, SimulatedMotor)
    assert isinstance(opens(None, DoorKind.PRACTICE).motor, Lamp)


@pytest.mark.parametrize(
    ("text", "kind", "fits"),
    [
        (BOARD, DoorKind.APARTMENT, True),
        (BOARD, DoorKind.LAUNDRY, True),
        (BOARD, DoorKind.PRACTICE, True),
        (BOARD, DoorKind.GATE, False),
        (GATE, DoorKind.GATE, True),
        (GATE, DoorKind.APARTMENT, False),
        (LAMP, DoorKind.PRACTICE, True),
        (LAMP, DoorKind.APARTMENT, False),
        (LAMP, DoorKind.GATE, False),
        (BOARD, None, True),
    ],
)
def test_a_lock_never_says_moved_of_a_bolt_that_its_board_does_not_have(
    board: Path, text: str, kind: DoorKind | None, fits: bool
) -> None:
    board.write_text(text)
    if fits:
        assert opens(board, kind).words == "the board of board.toml"
    else:
        with pytest.raises(HardwareError, match="board"):
            opens(board, kind)


def test_a_lock_on_batteries_is_known_as_one(board: Path) -> None:
    board.write_text(BOARD)
    assert opens(board, None).on_battery
    board.write_text(LAMP)
    assert not opens(board, None).on_battery


@pytest.mark.parametrize(
    ("text", "says"), [("[bolt]\n", "board.toml: bolt.lock is missing"), (None, "No such file")]
)
def test_what_is_wrong_with_a_board_file_is_said(board: Path, text: str | None, says: str) -> None:
    if text is not None:
        board.write_text(text)
    with pytest.raises((HardwareError, OSError), match=says):
        opens(board, None)


def test_a_pin_that_is_taken_is_said(board: Path) -> None:
    board.write_text(BOARD)
    with (
        hardware.opened(board, None, lambda _: None),
        pytest.raises(HardwareError, match="pins of this machine"),
    ):
        opens(board, None)


def test_release_lets_go_of_a_motor_that_a_dead_process_left_running(board: Path) -> None:
    board.write_text(BOARD)
    pin = mock_pins().pin(LOCK)
    pin.function = "output"
    pin.state = 1
    hardware.release(board)
    assert pin.function == "input"


async def test_a_lock_that_is_stopped_lets_go_of_its_motor(tmp_path: Path) -> None:
    made = lockfolder.create(tmp_path / "lock", os.urandom)
    motor = SimulatedMotor()
    agent = Agent(Parts(made.store, made.secrets, motor, RtcReading(T0), os.urandom))
    await agent.start()
    motor.order(Order.UNLOCK, asyncio.get_running_loop().time())
    assert motor.bolt is Bolt.BETWEEN
    await agent.stop()
    assert motor.bolt is Bolt.LOCKED
    assert motor.next_event_at() is None
    made.close()


async def test_word_of_a_contact_comes_from_the_pins_thread_to_the_locks_loop() -> None:
    edges, told = Edges(), asyncio.Event()
    edges.changed()
    edges.listen(told.set)
    thread = threading.Thread(target=edges.changed)
    thread.start()
    async with asyncio.timeout(5):
        await told.wait()
    thread.join()

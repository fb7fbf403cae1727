"""The board file is read strictly: what is wrong in it is named, before any pin is touched."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lockagent.board import config
from lockagent.board.config import (
    Adc,
    AdcConfig,
    BoardConfig,
    BoardError,
    BoltPins,
    CurrentConfig,
    SupplyConfig,
)
from lockagent.motor.bridged import MotorLimits
from lockagent.motor.supply import Cells
from tests.lockagent.doormodel import BOARD

LEAST = "[bolt]\nlock = 17\nunlock = 27\nlocked = 5\nunlocked = 6\n"


def test_a_whole_board() -> None:
    assert config.parse(BOARD) == BoardConfig(
        bolt=BoltPins(lock=17, unlock=27, locked=5, unlocked=6, hand=13),
        door=19,
        cover=26,
        button=16,
        adc=AdcConfig(Adc.MCP3008, 8, 3300.0),
        supply=SupplyConfig(Cells.ALKALINE, 0, 3.0),
        current=CurrentConfig(1, 1000.0, 50.0),
        limits=MotorLimits(stall_milliamps=1600.0, nominal_millivolts=5000.0),
    )


def test_the_example_that_is_delivered_is_a_whole_board() -> None:
    example = config.load(Path("deploy/pi/board.toml"))
    assert None not in (example.bolt, example.door, example.cover, example.button, example.touch)
    assert None not in (example.adc, example.supply, example.current)


def test_the_least_board_and_one_for_practice() -> None:
    bolt = BoltPins(lock=17, unlock=27, locked=5, unlocked=6, hand=None)
    assert config.parse(LEAST) == BoardConfig(bolt=bolt)
    assert config.parse(LEAST + "seconds = 6\n") == BoardConfig(
        bolt=bolt, limits=replace(MotorLimits(), seconds=6)
    )
    assert config.parse("[lamp]\npin = 4\n") == BoardConfig(lamp=4)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "one of [bolt], [strike] and [lamp]"),
        (LEAST + "[strike]\ncoil = 22\n", "one of [bolt], [strike] and [lamp]"),
        ("[bolt]\nlock = 17\n", "bolt.unlock is missing"),
        (LEAST.replace("27", "28"), "bolt.unlock should be a number from 0 to 27"),
        (LEAST.replace("27", "-1"), "bolt.unlock should be a number from 0 to 27"),
        (LEAST.replace("27", "2.5"), "bolt.unlock should be a number from 0 to 27"),
        (LEAST.replace("27", "true"), "bolt.unlock should be a number from 0 to 27"),
        (LEAST.replace("27", '"27"'), "bolt.unlock should be a number from 0 to 27"),
        (LEAST.replace("27", "17"), "pin 17 is used twice"),
        (LEAST + "[sensors]\ndoor = 5\n", "pin 5 is used twice"),
        (BOARD.replace("door = 19", "door = 10"), "pin 10 is used twice"),
        (LEAST + "speed = 4\n", "nobody knows what bolt.speed is"),
        (LEAST + "[sensors]\nwindow = 4\n", "nobody knows what sensors.window is"),
        (LEAST + "[motor]\n", "nobody knows what [motor] is"),
        ("bolt = 4\n", "bolt should be a table"),
        (LEAST + "seconds = 0.1\n", "bolt.seconds should be a number from 0.5 to 10"),
        (BOARD.replace('"mcp3008"', '"mcp3001"'), "adc.chip should be one of mcp3008, mcp3208"),
        (BOARD.replace('"alkaline"', '"nicad"'), "battery.cells should be one of alkaline, lithium"),
        (BOARD.replace("channel = 0", "channel = 8"), "battery.channel should be a number from 0 to 7"),
        (BOARD.replace("divider = 3", "divider = nan"), "battery.divider should be a number from 1 to 20"),
        (LEAST + '[battery]\ncells = "alkaline"\nchannel = 0\ndivider = 3\n', "measured by an [adc]"),
        ("[bolt\n", "not TOML"),
        (LEAST + "lock = 17\n", "not TOML"),
    ],
)
def test_what_is_wrong_is_named(text: str, says: str) -> None:
    with pytest.raises(BoardError) as refused:
        config.parse(text)
    assert says in str(refused.value)

"""gpiozero behind the ports. The only module that knows of it; nothing else of the lock needs a Raspberry Pi.

The pin factory is gpiozero's own choice (lgpio on a Raspberry Pi of today). Edges come in a thread of the
factory's; `on_edge` is called there and only passes word to the loop.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass

import gpiozero

from lockagent.board.config import Adc, AdcConfig, BoardConfig, BoltPins
from lockagent.board.senses import Board, Senses
from lockagent.bolt import Bolt
from lockagent.motor.bridged import BridgedBolt, Ends
from lockagent.motor.lamp import Lamp
from lockagent.motor.parts import Contact, Meter, Power
from lockagent.motor.port import Motor
from lockagent.motor.strike import Strike

PinsError = gpiozero.GPIOZeroError
"""There are no pins here, or one of them is taken."""
_CHIPS = {Adc.MCP3008: gpiozero.MCP3008, Adc.MCP3208: gpiozero.MCP3208}


class _Bridge:
    """Two pins of an H-bridge; never both high."""

    def __init__(self, pins: BoltPins) -> None:
        self._motor = gpiozero.Motor(forward=pins.lock, backward=pins.unlock, pwm=False)

    def lock(self) -> None:
        self._motor.forward()

    def unlock(self) -> None:
        self._motor.backward()

    def coast(self) -> None:
        self._motor.stop()

    def close(self) -> None:
        self._motor.close()


class _Input:
    """A contact to ground."""

    def __init__(self, pin: int, on_edge: Callable[[], None]) -> None:
        self._device = gpiozero.DigitalInputDevice(pin, pull_up=True)
        self._device.when_activated = on_edge
        self._device.when_deactivated = on_edge

    @property
    def closed(self) -> bool:
        return bool(self._device.is_active)

    def close(self) -> None:
        self._device.close()


@dataclass(frozen=True)
class _Channel:
    """One channel of the converter, in the unit that full scale is given in."""

    device: gpiozero.AnalogInputDevice
    full_scale: float

    def read(self) -> float:
        return float(self.device.value) * self.full_scale


class Wired:
    """A board on real pins. Close it to let every pin go: a motor without its pins does not turn."""

    def __init__(self, config: BoardConfig, on_edge: Callable[[], None]) -> None:
        """Take the pins; raises PinsError."""
        self._stack = ExitStack()
        with ExitStack() as stack:
            self.board = _board(config, on_edge, stack)
            self._stack = stack.pop_all()

    def close(self) -> None:
        """Let every pin go."""
        self._stack.close()


def _board(config: BoardConfig, on_edge: Callable[[], None], stack: ExitStack) -> Board:
    def contact(pin: int | None) -> Contact | None:
        return None if pin is None else stack.enter_context(closing(_Input(pin, on_edge)))

    senses = Senses(
        door=contact(config.door),
        cover=contact(config.cover),
        button=contact(config.button),
        touch=contact(config.touch),
    )
    return Board(_motor(config, on_edge, stack), senses)


def _motor(config: BoardConfig, on_edge: Callable[[], None], stack: ExitStack) -> Motor:
    power = _power(config, stack)
    if config.bolt is not None:
        pins = config.bolt
        ends = Ends(
            locked=stack.enter_context(closing(_Input(pins.locked, on_edge))),
            unlocked=stack.enter_context(closing(_Input(pins.unlocked, on_edge))),
            hand=None if pins.hand is None else stack.enter_context(closing(_Input(pins.hand, on_edge))),
        )
        return BridgedBolt(stack.enter_context(closing(_Bridge(pins))), ends, power, config.limits)
    if config.strike is not None:
        coil = stack.enter_context(gpiozero.DigitalOutputDevice(config.strike))
        least = 0.0 if config.current is None else config.current.least_milliamps
        return Strike(coil, power, least_milliamps=least)
    lamp = stack.enter_context(gpiozero.DigitalOutputDevice(config.lamp))
    return Lamp(lambda bolt: lamp.on() if bolt is Bolt.UNLOCKED else lamp.off())


def _power(config: BoardConfig, stack: ExitStack) -> Power:
    def channel(adc: AdcConfig, number: int, scale: float) -> Meter:
        device = _CHIPS[adc.chip](channel=number, select_pin=adc.select_pin)
        return _Channel(stack.enter_context(device), scale)

    adc, supply, current = config.adc, config.supply, config.current
    if adc is None:
        return Power()
    full = adc.reference_millivolts
    return Power(
        cells=None if supply is None else supply.cells,
        supply=None if supply is None else channel(adc, supply.channel, full * supply.divider),
        current=None
        if current is None
        else channel(adc, current.channel, full / 1000 * current.milliamps_per_volt),
    )

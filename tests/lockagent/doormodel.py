"""A door in front of gpiozero's mock pins: a bolt with a motor, a battery with a resistance, people's hands.

Currents and speeds follow from volts and ohms, step by step, so that what the drivers feel is what a motor
like this would make them feel. The pins are gpiozero's; nothing of the lock's own code is replaced.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import gpiozero
from gpiozero.pins.mock import MockFactory, MockPin, MockSPIDevice

STEP = 0.001
"""Seconds between two looks at the model."""
FULL_SCALE = 1023


class WiredPin(MockPin):
    """A pin with something on its other end that may hold it to ground, pull-up or not."""

    grounded = False

    def hold(self, *, low: bool) -> None:
        self.grounded = low
        if self.function == "input" and self.state == low:
            (self.drive_low if low else self.drive_high)()

    def _set_pull(self, value: str) -> None:
        super()._set_pull(value)
        if self.grounded:
            self.drive_low()


class Converter(MockSPIDevice):
    """An MCP3008 on the mock SPI bus: 10 bits, what `volts(channel)` says against 3.3 V."""

    def __init__(self, factory: MockFactory, volts: Callable[[int], float]) -> None:
        super().__init__(11, 10, 9, 8, pin_factory=factory)
        self._volts = volts

    def on_start(self) -> None:
        super().on_start()
        self._asked: list[int] | None = None

    def on_bit(self) -> None:
        """A start bit, single-ended or not, three bits of channel; then a sample's time, a zero, ten bits."""
        if self._asked is None:
            self._asked = [] if self.rx_buf[-1] else None
            return
        self._asked.append(int(self.rx_buf[-1]))
        if len(self._asked) == 4:
            channel = self._asked[1] * 4 + self._asked[2] * 2 + self._asked[3]
            counts = round(self._volts(channel) / 3.3 * FULL_SCALE)
            self.tx_word(max(0, min(FULL_SCALE, counts)), 12)


@dataclass
class DoorModel:
    """Position 1.0 is locked, 0.0 unlocked. Volts, ohms, seconds."""

    factory: MockFactory
    position: float = 1.0
    cells_volts: float = 6.0
    cells_ohms: float = 0.6
    motor_ohms: float = 3.0
    volts_at_speed: float = 4.0
    """What the turning motor gives back at one travel a second."""
    friction_amps: float = 0.25
    blocked_at: float | None = None
    """Something holds the bolt here."""
    wire_broken: bool = False
    sensors_dead: bool = False
    hand_to: float | None = None
    """Somebody turns the knob to here: the clutch gives way."""
    hand_feels: bool = True
    """The board has a contact that closes while knob or key turns."""
    door_shut: bool = True
    cover_on: bool = True
    button_down: bool = False
    now: float = 100.0
    amps: float = 0.0
    volts: float = field(init=False)
    heat: float = field(default=0.0, init=False)
    """Ampere-seconds through the motor, to see that it is let go."""

    def __post_init__(self) -> None:
        self.volts = self.cells_volts
        self.pins: dict[int, WiredPin] = {
            number: self.factory.pin(number, pin_class=WiredPin) for number in PINS
        }
        self.converter = Converter(self.factory, self._at_channel)
        self._show()

    def run(self, seconds: float) -> None:
        """Let time pass."""
        for _ in range(round(seconds / STEP)):
            self.step()

    def step(self) -> None:
        """One millisecond."""
        self.now += STEP
        drive = self.pins[LOCK].state - self.pins[UNLOCK].state
        self._turn(drive)
        if self.hand_to is not None:
            towards = 1 if self.hand_to > self.position else -1
            self.position = _nearer(self.position, self.hand_to, 3.0 * STEP * towards)
        self._show()

    def _turn(self, drive: int) -> None:
        if drive == 0 or self.wire_broken:
            self.amps, self.volts = 0.0, self.cells_volts
            return
        speed = 0.0
        if self.hand_to is None and not self._held(drive):
            free = self.cells_volts - self.friction_amps * (self.motor_ohms + self.cells_ohms)
            speed = max(0.0, free / self.volts_at_speed)
        back = speed * self.volts_at_speed
        self.amps = (self.cells_volts - back) / (self.motor_ohms + self.cells_ohms)
        self.volts = self.cells_volts - self.amps * self.cells_ohms
        self.heat += self.amps * STEP
        self.position = min(1.0, max(0.0, self.position + drive * speed * STEP))

    def _held(self, drive: int) -> bool:
        if self.position >= 1.0 if drive > 0 else self.position <= 0.0:
            return True
        return self.blocked_at is not None and 0 <= (self.blocked_at - self.position) * drive < 0.01

    def _show(self) -> None:
        alive = not self.sensors_dead
        self._contact(LOCKED, alive and self.position >= 0.98)
        self._contact(UNLOCKED, alive and self.position <= 0.02)
        self._contact(HAND, self.hand_feels and self.hand_to is not None)
        self._contact(DOOR, self.door_shut)
        self._contact(COVER, self.cover_on)
        self._contact(BUTTON, self.button_down)

    def _contact(self, number: int, closed: bool) -> None:
        self.pins[number].hold(low=closed)

    def _at_channel(self, channel: int) -> float:
        """Channel 0: the pack through 1:3. Channel 1: a sensor of 1 V an ampere."""
        return {0: self.volts / 3, 1: self.amps}.get(channel, 0.0)


def _nearer(at: float, goal: float, by: float) -> float:
    return goal if abs(goal - at) <= abs(by) else at + by


LOCK, UNLOCK, LOCKED, UNLOCKED, HAND, DOOR, COVER, BUTTON, TOUCH = 17, 27, 5, 6, 13, 19, 26, 16, 20
PINS = (LOCK, UNLOCK, LOCKED, UNLOCKED, HAND, DOOR, COVER, BUTTON, TOUCH)
BOARD = f"""
[bolt]
lock = {LOCK}
unlock = {UNLOCK}
locked = {LOCKED}
unlocked = {UNLOCKED}
hand = {HAND}

[sensors]
door = {DOOR}
cover = {COVER}
button = {BUTTON}

[adc]
chip = "mcp3008"
select = 8
reference_millivolts = 3300

[battery]
cells = "alkaline"
channel = 0
divider = 3

[current]
channel = 1
milliamps_per_volt = 1000
stall_milliamps = 1600
nominal_millivolts = 5000
"""


def mock_pins() -> MockFactory:
    """Fresh pins, as gpiozero's own tests use them."""
    factory = MockFactory()
    gpiozero.Device.pin_factory = factory
    return factory

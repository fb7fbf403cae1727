"""Stated figures of one battery lock: an nRF52840 at 3 V behind a buck converter, four AA cells, a motor.

"PS" is Nordic's nRF52840 Product Specification v1.x, chapter Current consumption, typical at 3 V, 25 °C with
the DC/DC regulator. Where no data sheet says it, the figure is ours and marked "assumed".
"""

from __future__ import annotations

from dataclasses import dataclass, field

US = 1e-6
MA = 1e-3
UA = 1e-6


@dataclass(frozen=True)
class Chip:
    """Currents in amperes at `volts`, times in seconds."""

    name: str = "nRF52840"
    volts: float = 3.0
    sleep: float = 3.16 * UA
    """System ON, 256 KB of RAM kept, wake on RTC from the crystal (PS, ION_RAMON_RTC)."""
    cpu: float = 3.3 * MA
    """CoreMark from flash at 64 MHz (PS, ICPU0)."""
    hertz: float = 64e6
    transmit: float = 8.1 * MA
    """0 dBm at 1 Mb/s with the CPU running (PS, IS0)."""
    receive: float = 8.6 * MA
    """1 Mb/s with the CPU running (PS, IS1)."""
    ramp: float = 140 * US
    """Radio start-up before each packet (PS, tTXEN and tRXEN), taken at the receive current."""
    wake: float = 1.5e-3
    """The 32 MHz crystal starts before each radio event (assumed: CPU asleep, 0.4 mA)."""
    wake_current: float = 0.4 * MA
    word: float = 41 * US
    """Writing 32 bits of flash (PS, tWRITE)."""
    erase: float = 85e-3
    """Erasing a page of 4 KiB (PS, tERASEPAGE)."""
    flash: float = 5.0 * MA
    """While writing or erasing (assumed)."""


@dataclass(frozen=True)
class Cycles:
    """Cortex-M4 cycles of one operation, in software.

    X25519 and Ed25519: H. Fujii, D. F. Aranha, "Curve25519 for the Cortex-M4 and beyond", Latincrypt 2017.
    P-256: the README of P256-Cortex-M4 as measured by p256-cm4. SHA-256 and AES-GCM per short call: assumed.
    """

    x25519: float = 907_240
    ed25519_sign: float = 496_039
    ed25519_verify: float = 1_265_078
    p256_verify: float = 1_225_746
    sha256: float = 8_000
    """One call of two blocks with its set-up."""
    aead: float = 40_000
    """AES-256-GCM of a short message, without the chip's accelerator."""


@dataclass(frozen=True)
class Motor:
    """What one run of bolt or strike takes from the battery, in joules."""

    name: str
    joules: float


LATCH = Motor("motor in the lock case: 0.25 A at 5 V for 1.2 s, and 0.15 J to start", 1.65)
THUMB_TURN = Motor("motor on a thumb turn: 0.6 A at 5 V for 1.5 s, and 0.5 J to start", 5.0)
"""Both assumed, from the ranges that makers of small geared motors give; measure the one that is built in."""


@dataclass(frozen=True)
class Battery:
    """Four cells in series."""

    name: str
    watt_hours: float
    yearly_loss: float
    """Share of its charge lost in a year on the shelf."""

    @property
    def joules(self) -> float:
        """All of it."""
        return self.watt_hours * 3600


ALKALINE = Battery("4 × AA alkaline", 4 * 2.2 * 1.2, 0.03)
"""2.2 Ah down to 1.0 V a cell at such loads, 1.2 V on the way (Energizer E91 data sheet: 2.0 to 2.8 Ah)."""
LITHIUM = Battery("4 × AA lithium (LiFeS2)", 4 * 3.2 * 1.45, 0.01)
"""3.2 Ah, 1.45 V on the way (data sheet of Energizer L91: 3.0 to 3.5 Ah)."""


@dataclass(frozen=True)
class Build:
    """One lock as it might be built."""

    chip: Chip = field(default_factory=Chip)
    cycles: Cycles = field(default_factory=Cycles)
    motor: Motor = LATCH
    converter: float = 0.88
    """Efficiency of the buck converter from the battery to 3 V, microamperes to milliamperes (assumed)."""
    sensors: float = 4 * UA
    """Bolt and door sensors, and an accelerometer that feels knocks (assumed)."""
    slow_seconds: float = 1.0
    fast_seconds: float = 0.1
    interval_seconds: float = 0.03
    """Between two connection events, as phones mostly choose."""
    answered: float = 0.05
    """Share of adverts to which some phone near by answers with a scan request (assumed)."""

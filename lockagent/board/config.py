"""What hangs on which pin, read strictly from a TOML file; docs/lock.md explains every line.

Pins are BCM numbers. All contacts close to ground, with the board's own pull-ups.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from lockagent.motor.bridged import MotorLimits
from lockagent.motor.supply import Cells

HIGHEST_PIN = 27
_T = TypeVar("_T")


class BoardError(Exception):
    """The board file is wrong; the text names the line's key and what it should say."""


class Adc(Enum):
    """Analogue-to-digital converters that are known, on SPI."""

    MCP3008 = "mcp3008"
    MCP3208 = "mcp3208"


@dataclass(frozen=True)
class BoltPins:
    """An H-bridge and the contacts at the ends of the bolt's travel."""

    lock: int
    unlock: int
    locked: int
    unlocked: int
    hand: int | None


@dataclass(frozen=True)
class AdcConfig:
    """A converter: its SPI device, and what its full scale is."""

    chip: Adc
    select_pin: int
    reference_millivolts: float


@dataclass(frozen=True)
class SupplyConfig:
    """Battery pack: which channel sees it, divided by how much."""

    cells: Cells
    channel: int
    divider: float


@dataclass(frozen=True)
class CurrentConfig:
    """Current sensor of motor or coil."""

    channel: int
    milliamps_per_volt: float
    least_milliamps: float


@dataclass(frozen=True)
class BoardConfig:
    """A whole board: a bolt or a strike, and whatever else is there."""

    bolt: BoltPins | None = None
    strike: int | None = None
    lamp: int | None = None
    door: int | None = None
    cover: int | None = None
    button: int | None = None
    touch: int | None = None
    adc: AdcConfig | None = None
    supply: SupplyConfig | None = None
    current: CurrentConfig | None = None
    limits: MotorLimits = field(default_factory=MotorLimits)


def load(path: Path) -> BoardConfig:
    """Read a board file; raises BoardError (or OSError when there is none)."""
    return parse(path.read_text(encoding="utf-8"))


def parse(text: str) -> BoardConfig:
    """Read a board file's text; raises BoardError."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BoardError(f"the board file is not TOML: {error}") from None
    root = _Table(raw, "")
    bolt, strike, lamp = root.table("bolt"), root.table("strike"), root.table("lamp")
    sensors, adc = root.table("sensors"), root.table("adc")
    supply, current = root.table("battery"), root.table("current")
    root.done()
    config = BoardConfig(
        bolt=_read(bolt, _bolt),
        strike=_read(strike, lambda table: table.pin("coil")),
        lamp=_read(lamp, lambda table: table.pin("pin")),
        door=_read(sensors, lambda table: table.optional_pin("door")),
        cover=_read(sensors, lambda table: table.optional_pin("cover")),
        button=_read(sensors, lambda table: table.optional_pin("button")),
        touch=_read(sensors, lambda table: table.optional_pin("touch")),
        adc=_read(adc, _adc),
        supply=_read(supply, _supply),
        current=_read(current, _current),
        limits=_limits(bolt, current),
    )
    for table in (bolt, strike, lamp, sensors, adc, supply, current):
        if table is not None:
            table.done()
    _check(config)
    return config


def _read(table: _Table | None, make: Callable[[_Table], _T]) -> _T | None:
    return None if table is None else make(table)


def _bolt(table: _Table) -> BoltPins:
    return BoltPins(
        lock=table.pin("lock"),
        unlock=table.pin("unlock"),
        locked=table.pin("locked"),
        unlocked=table.pin("unlocked"),
        hand=table.optional_pin("hand"),
    )


def _adc(table: _Table) -> AdcConfig:
    return AdcConfig(
        chip=table.choice("chip", Adc),
        select_pin=table.pin("select"),
        reference_millivolts=table.number("reference_millivolts", 1000, 5500),
    )


def _supply(table: _Table) -> SupplyConfig:
    return SupplyConfig(
        cells=table.choice("cells", Cells),
        channel=int(table.number("channel", 0, 7, whole=True)),
        divider=table.number("divider", 1, 20),
    )


def _current(table: _Table) -> CurrentConfig:
    return CurrentConfig(
        channel=int(table.number("channel", 0, 7, whole=True)),
        milliamps_per_volt=table.number("milliamps_per_volt", 10, 100_000),
        least_milliamps=table.number("least_milliamps", 1, 10_000, default=50.0),
    )


def _limits(bolt: _Table | None, current: _Table | None) -> MotorLimits:
    usual = MotorLimits()
    return MotorLimits(
        seconds=usual.seconds if bolt is None else bolt.number("seconds", 0.5, 10, default=usual.seconds),
        stall_milliamps=usual.stall_milliamps
        if current is None
        else current.number("stall_milliamps", 50, 20_000, default=usual.stall_milliamps),
        nominal_millivolts=usual.nominal_millivolts
        if current is None
        else current.number("nominal_millivolts", 1000, 30_000, default=usual.nominal_millivolts),
        floor_millivolts=usual.floor_millivolts
        if current is None
        else current.number("floor_millivolts", 500, 30_000, default=usual.floor_millivolts),
    )


def _check(config: BoardConfig) -> None:
    if sum(part is not None for part in (config.bolt, config.strike, config.lamp)) != 1:
        raise BoardError("a board has one of [bolt], [strike] and [lamp]")
    if (config.supply or config.current) and config.adc is None:
        raise BoardError("[battery] and [current] are measured by an [adc], and there is none")
    bolt = config.bolt
    pins = [] if bolt is None else [bolt.lock, bolt.unlock, bolt.locked, bolt.unlocked, bolt.hand]
    pins += [config.strike, config.lamp, config.door, config.cover, config.button, config.touch]
    pins += [] if config.adc is None else [config.adc.select_pin, *SPI_PINS]
    used = [pin for pin in pins if pin is not None]
    twice = sorted({pin for pin in used if used.count(pin) > 1})
    if twice:
        raise BoardError(f"pin {twice[0]} is used twice (9, 10 and 11 belong to the converter)")


SPI_PINS = (9, 10, 11)
"""MISO, MOSI and clock of the Raspberry Pi's SPI bus."""


class _Table:
    """One table of the file; every key must be asked for, and none may be left over."""

    def __init__(self, raw: dict[str, Any], name: str) -> None:
        self._left = dict(raw)
        self._name = name

    def table(self, key: str) -> _Table | None:
        value = self._left.pop(key, None)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise BoardError(f"{key} should be a table, [{key}]")
        return _Table(value, key)

    def pin(self, key: str) -> int:
        return int(self.number(key, 0, HIGHEST_PIN, whole=True))

    def optional_pin(self, key: str) -> int | None:
        return self.pin(key) if key in self._left else None

    def number(
        self, key: str, least: float, most: float, *, default: float | None = None, whole: bool = False
    ) -> float:
        def check(value: Any) -> float:
            is_number = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
            if not is_number or not least <= value <= most:
                raise BoardError(f"{self._path(key)} should be a number from {least:g} to {most:g}")
            return float(value)

        return self._take(key, check, default)

    def choice(self, key: str, kind: type[_E]) -> _E:
        def check(value: Any) -> _E:
            names = [one.value for one in kind]
            if value not in names:
                raise BoardError(f"{self._path(key)} should be one of {', '.join(names)}")
            return kind(value)

        return self._take(key, check, None)

    def done(self) -> None:
        """Refuse what nobody asked for."""
        if self._left:
            raise BoardError(f"nobody knows what {self._path(min(self._left))} is")

    def _take(self, key: str, check: Callable[[Any], _T], default: _T | None) -> _T:
        if key not in self._left:
            if default is None:
                raise BoardError(f"{self._path(key)} is missing")
            return default
        return check(self._left.pop(key))

    def _path(self, key: str) -> str:
        return f"{self._name}.{key}" if self._name else f"[{key}]"


_E = TypeVar("_E", bound=Enum)

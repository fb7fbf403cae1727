"""One vault's keys in the phone's hardware; where there is no such hardware, everything here does nothing.

    <bearer>.pin.<number>                 the keyed hash between PIN and vault; a new one for every PIN
    <bearer>.count                        checks the file that counts wrong PINs: nobody else can write it
    <bearer>.door                         the bearer's own key, if it is of suite 2 (mobile.engine.bearerkey)
    <bearer>.mark.<turn>.<failed>.<seen>  never used as a key: its name remembers what those files said last

The marks are what rollback is measured against. Somebody who puts older copies of the app's files back does
not put back what the hardware keeps. One is left after every wrong PIN and whenever rights have been taken
away; not at every save, for making a key takes some tenths of a second.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from mobile.engine.errors import HardwareKeyError
from mobile.engine.storage.hardware import HardwareKeys

CHECK_BYTES = 12
REMEMBERED_CHECKS = 8
"""The counting file is read far more often than it changes, and the hardware is slow."""
NONE = 0
"""The number of the hardware key of a vault that was made without one."""


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """What the counting file said: its `turn`, how many wrong PINs, and the newest vault it had seen."""

    turn: int
    failed: int
    seen: int


class Guard:
    """The hardware keys of one bearer's vault."""

    def __init__(self, hardware: HardwareKeys | None, bearer_id: str) -> None:
        self._hardware, self._bearer_id = hardware, bearer_id
        self._counts: bool | None = None
        self._checked: dict[bytes, bytes] = {}

    @property
    def at_hand(self) -> bool:
        """Whether this phone's hardware can hold keys."""
        return self._hardware is not None

    def begin(self) -> None:
        """Make the key that checks the counting file; before its first write."""
        if self._hardware is not None:
            self._hardware.create(self._name("count"))
        self._ask_anew()

    def new_pin_key(self) -> int:
        """Make a key for a new PIN and return its number; `NONE` without hardware."""
        if self._hardware is None:
            return NONE
        number = max(self._pin_keys(), default=NONE) + 1
        self._hardware.create(self._name("pin", number))
        return number

    def asker(self, number: int) -> Callable[[bytes], bytes] | None:
        """How to ask a PIN's hardware key.

        HardwareKeyError without hardware: it may be back after a restart, so nobody is told that the key is
        gone for good.
        """
        if number == NONE:
            return None
        hardware = self._hardware
        if hardware is None:
            raise HardwareKeyError(why="no hardware")
        return lambda question: hardware.mac(self._name("pin", number), question)

    def forget_other_pin_keys(self, number: int) -> None:
        """Destroy the keys of earlier PINs: copies of the vault from their time can never be opened again."""
        if self._hardware is not None:
            for other in self._pin_keys():
                if other != number:
                    self._hardware.delete(self._name("pin", other))

    def check(self, record: bytes) -> bytes:
        """Twelve bytes that only this phone's hardware can make; without it, a plain checksum."""
        if self._counts is None:
            self._counts = self._name("count") in self._own()
        if self._hardware is None or not self._counts:
            return hashlib.sha256(record).digest()[:CHECK_BYTES]
        if record not in self._checked:
            if len(self._checked) >= REMEMBERED_CHECKS:
                self._checked.clear()
            self._checked[record] = self._hardware.mac(self._name("count"), record)[:CHECK_BYTES]
        return self._checked[record]

    def mark(self, mark: Mark) -> None:
        """Leave a mark and take the older ones away."""
        if self._hardware is None:
            return
        self._hardware.create(self._name("mark", mark.turn, mark.failed, mark.seen))
        for older in self._marks():
            if older < mark:
                self._hardware.delete(self._name("mark", older.turn, older.failed, older.seen))

    def newest_mark(self) -> Mark | None:
        """The newest mark, if there is any."""
        return max(self._marks(), default=None)

    def destroy(self) -> None:
        """Destroy every key of this vault, the ones that open it first. No copy of it opens from now on."""
        if self._hardware is not None:
            for name in sorted(self._own(), key=lambda name: name.split(".")[1] != "pin"):
                self._hardware.delete(name)
        self._ask_anew()

    def _ask_anew(self) -> None:
        self._counts = None
        self._checked.clear()

    def _own(self) -> list[str]:
        names = self._hardware.names() if self._hardware is not None else ()
        return [name for name in names if name.startswith(f"{self._bearer_id}.")]

    def _pin_keys(self) -> list[int]:
        return [int(number[0]) for number in self._numbers("pin", 1)]

    def _marks(self) -> list[Mark]:
        return [Mark(*numbers) for numbers in self._numbers("mark", 3)]

    def _numbers(self, kind: str, count: int) -> list[tuple[int, ...]]:
        found = []
        for name in self._own():
            _bearer, what, *rest = name.split(".")
            if what == kind and len(rest) == count and all(part.isdigit() for part in rest):
                found.append(tuple(int(part) for part in rest))
        return found

    def _name(self, kind: str, *numbers: int) -> str:
        return ".".join([self._bearer_id, kind, *(str(number) for number in numbers)])

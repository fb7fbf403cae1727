"""Section 2: deterministic CBOR, the CDDL of the page, and the limits of section 23."""

from functools import cache
from typing import Any

from tests.protocol import page


class MalformedError(Exception):
    """Not of the form on the page."""


@cache
def limit(name: str) -> int:
    rows = {row[0]: row[1] for row in page.table("## 23. Timers and limits", "name")}
    return int(rows[name])


_DEPTH = limit("CBOR nesting")
_WORDS = {0xF4: False, 0xF5: True, 0xF6: None}


class _Input:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        if count > len(self.data) - self.at:
            raise MalformedError("cut short")
        self.at += count
        return self.data[self.at - count : self.at]

    def argument(self, info: int) -> int:
        if info < 24:
            return info
        if info > 27:
            raise MalformedError("reserved or indefinite length")
        size = 1 << (info - 24)
        value = int.from_bytes(self.take(size), "big")
        shortest = 24 if size == 1 else 1 << (4 * size)
        if value < shortest:
            raise MalformedError("longer than needed")
        return value

    def item(self, level: int) -> Any:
        initial = self.take(1)[0]
        if initial in _WORDS:
            return _WORDS[initial]
        if initial >= 0xC0:
            raise MalformedError("tag, float or simple value")
        major, value = initial >> 5, self.argument(initial & 31)
        if major < 2:
            return value if major == 0 else -1 - value
        if major == 2:
            return self.take(value)
        if major == 3:
            return _text(self.take(value))
        if level == _DEPTH:
            raise MalformedError("too deep")
        return self._list(value, level + 1) if major == 4 else self._map(value, level + 1)

    def _list(self, count: int, level: int) -> list[Any]:
        if count > len(self.data):
            raise MalformedError("cut short")
        return [self.item(level) for _ in range(count)]

    def _map(self, count: int, level: int) -> dict[Any, Any]:
        result: dict[Any, Any] = {}
        last: bytes | None = None
        for _ in range(min(count, len(self.data))):
            start = self.at
            key = self.item(level)
            encoded = self.data[start : self.at]
            if last is not None and encoded <= last:
                raise MalformedError("keys out of order")
            if isinstance(key, bool | list | dict) or key is None:
                raise MalformedError("not a key")
            last = encoded
            result[key] = self.item(level)
        return result


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise MalformedError("not UTF-8") from None


def read(data: bytes) -> Any:
    """Read one deterministic item and nothing after it."""
    source = _Input(data)
    value = source.item(0)
    if source.at != len(data):
        raise MalformedError("bytes after the item")
    return value


def shaped(rule: str, data: bytes, at_most: int | None = None) -> Any:
    """Read ``data``, which must fit ``rule`` of the page's CDDL."""
    if at_most is not None and len(data) > at_most:
        raise MalformedError("too large")
    value = read(data)
    faults = page.fits(rule, data)
    if faults:
        raise MalformedError(faults[0])
    return value

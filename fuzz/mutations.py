"""Structure-aware changes: the bytes stay CBOR, often right down to the signature, and one thing is wrong.

A change of raw bytes is nearly always refused by the first check. What finds faults behind it is a message
that is right but for one item, wherever that lies, signed again by the key that may sign it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fuzz.luck import Luck
from protocol import cbor
from protocol.errors import ProtocolError

Sign = Callable[[Any], Any]
"""Takes a decoded message and returns it with its signatures made anew."""

MAX_READ = 16_384
HOSTILE: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 23, 24, 255, 256, 2**32 - 1, 2**32, 2**63, 2**64 - 1, -(2**64)),
    *(b"", bytes(7), bytes(8), bytes(9), bytes(32), bytes(33), bytes(64), "", "text", "å" * 20),
    *([], [[]], [0] * 20, {}, {0: 0}, {b"": None, "": []}, [[[[[[[[]]]]]]]], [[[[[[[[[]]]]]]]]]),
)


def mutated(data: bytes, luck: Luck, sign: Sign | None = None) -> bytes:
    """Return ``data`` with one thing changed; with ``sign``, mostly signed again."""
    try:
        tree = cbor.decode(data, max_size=MAX_READ)
    except ProtocolError:
        return disturbed(data, luck)
    how = luck.below(8)
    if how == 0:
        return disturbed(data, luck)
    if how == 1:
        return loosely(tree, luck)
    try:
        changed = _inside(tree, luck) if sign is not None and luck.below(2) else altered(tree, luck)
        for _ in range(luck.below(2)):
            changed = altered(changed, luck)
        if sign is not None and luck.below(4):
            changed = _signed(changed, sign)
        return cbor.encode(changed)
    except ProtocolError:
        return disturbed(data, luck)


def _inside(tree: Any, luck: Luck) -> Any:
    """A message with one thing changed in the CBOR that one of its byte strings holds: what is signed."""
    places = [at for at, item in enumerate(tree) if _holds_cbor(item)] if isinstance(tree, list) else []
    if not places:
        return altered(tree, luck)
    at = luck.pick(places)
    content = altered(cbor.decode(tree[at], max_size=MAX_READ), luck)
    return [*tree[:at], cbor.encode(content), *tree[at + 1 :]]


def _holds_cbor(item: Any) -> bool:
    try:
        return isinstance(item, bytes) and isinstance(cbor.decode(item, max_size=MAX_READ), list | dict)
    except ProtocolError:
        return False


def _signed(tree: Any, sign: Sign) -> Any:
    """What no longer has the place of a signature stays as it is."""
    try:
        return sign(tree)
    except (ProtocolError, AttributeError, TypeError, ValueError, LookupError):
        return tree


def disturbed(data: bytes, luck: Luck) -> bytes:
    """Bytes changed as bytes."""
    at = luck.below(len(data) + 1) if data else 0
    how = luck.below(6)
    if how == 0:
        return data[:at]
    if how == 1:
        return data[:at] + luck.take(1 + luck.below(8)) + data[at:]
    if how == 2:
        return data[:at] + data[at + 1 + luck.below(8) :]
    if how == 3:
        return data[:at] + luck.take(1 + luck.below(4)) + data[at + 2 :]
    if how == 4:
        return data + data[at : at + luck.below(64)]
    return data[:at] + bytes(byte ^ 1 << luck.below(8) for byte in data[at : at + 1]) + data[at + 1 :]


def altered(value: Any, luck: Luck) -> Any:
    """``value`` with one item in it changed, at any depth, also inside byte strings that hold CBOR."""
    if isinstance(value, list) and value and luck.below(5):
        at = luck.below(len(value))
        return [*value[:at], altered(value[at], luck), *value[at + 1 :]]
    if isinstance(value, dict) and value and luck.below(5):
        key = luck.pick(list(value))
        return {**value, key: altered(value[key], luck)}
    if isinstance(value, bytes) and len(value) > 1 and luck.below(8):
        try:
            return cbor.encode(altered(cbor.decode(value, max_size=MAX_READ), luck))
        except ProtocolError:
            pass
    if luck.below(4) == 0:
        return luck.pick(HOSTILE)
    return _here(value, luck)


def _here(value: Any, luck: Luck) -> Any:
    if isinstance(value, bool) or value is None:
        return luck.pick(HOSTILE)
    if isinstance(value, int):
        number: int = luck.pick((value + 1, value - 1, value ^ 1 << luck.below(33), -value, value << 8, 1))
        return number
    if isinstance(value, bytes):
        return disturbed(value, luck)
    if isinstance(value, str):
        return value + luck.pick(("", "x", "\0", "ö"))
    return _list(value, luck) if isinstance(value, list) else _map(value, luck)


def _list(value: list[Any], luck: Luck) -> list[Any]:
    at, how = luck.below(len(value) + 1), luck.below(4)
    if how == 0:
        return value[:at] + value[at + 1 :]
    if how == 1:
        return value[:at] + value[at : at + 1] * (2 + luck.below(3)) + value[at + 1 :]
    if how == 2:
        return value[at:] + value[:at]
    return [*value[:at], luck.pick(HOSTILE), *value[at:]]


def _map(value: dict[Any, Any], luck: Luck) -> dict[Any, Any]:
    how = luck.below(3)
    if how == 0 and value:
        gone = luck.pick(list(value))
        return {key: item for key, item in value.items() if key != gone}
    if how == 1 and value:
        moved = luck.pick(list(value))
        other = moved + 1 if isinstance(moved, int) else 0
        return {(other if key == moved else key): item for key, item in value.items()}
    return {**value, luck.below(20): luck.pick(HOSTILE)}


def loosely(value: Any, luck: Luck) -> bytes:
    """``value`` written as CBOR that says the same in a form that is not deterministic."""
    return _Loose(luck).write(value)


class _Loose:
    """Writes shortest forms, but for one item in sixteen."""

    def __init__(self, luck: Luck) -> None:
        self._luck = luck

    def write(self, value: Any) -> bytes:
        flaw = self._luck.below(6) if self._luck.below(16) == 15 else None
        if flaw == 0:
            return b"\xc1" + self.write(value)  # a tag
        if isinstance(value, bool) or value is None:
            return {False: b"\xf4", True: b"\xf5", None: b"\xf6"}[value] if flaw is None else b"\xf7"
        if isinstance(value, int):
            return b"\xfa\x3f\x80\x00\x00" if flaw == 1 else _number(value, flaw)  # a float
        if isinstance(value, bytes | str):
            return self._string(value, flaw)
        if isinstance(value, list):
            return self._array(value, flaw)
        return self._map(value, flaw)

    def _array(self, value: list[Any], flaw: int | None) -> bytes:
        items = b"".join(self.write(item) for item in value)
        return b"\x9f" + items + b"\xff" if flaw == 1 else _head(4, len(value), flaw) + items

    def _string(self, value: bytes | str, flaw: int | None) -> bytes:
        major, data = (2, value) if isinstance(value, bytes) else (3, value.encode())
        if flaw == 1:
            return bytes([major << 5 | 31]) + _head(major, len(data), None) + data + b"\xff"
        return _head(major, len(data), flaw) + data

    def _map(self, value: dict[Any, Any], flaw: int | None) -> bytes:
        pairs = sorted((cbor.encode(key), self.write(item)) for key, item in value.items())
        if flaw == 1:
            pairs.reverse()
        if flaw == 3 and pairs:
            pairs.append(pairs[-1])
        return _head(5, len(pairs), flaw if flaw == 2 else None) + b"".join(key + item for key, item in pairs)


def _number(value: int, flaw: int | None) -> bytes:
    return _head(1, -1 - value, flaw) if value < 0 else _head(0, value, flaw)


def _head(major: int, argument: int, flaw: int | None) -> bytes:
    """Initial bytes with the argument in 0, 1, 2, 4 or 8 bytes; with a flaw, in more than it needs."""
    sizes = [(24, 0), (1 << 8, 1), (1 << 16, 2), (1 << 32, 4), (1 << 64, 8)]
    size = next((size for limit, size in sizes if argument < limit), 8)
    if flaw is not None:
        size = min(8, size * 2 or 1)
    if size == 0:
        return bytes([major << 5 | argument])
    info = {1: 24, 2: 25, 4: 26, 8: 27}[size]
    return bytes([major << 5 | info]) + (argument % (1 << 64)).to_bytes(8, "big")[8 - size :]

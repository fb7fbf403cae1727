"""Deterministic CBOR (RFC 8949 section 4.2.1), strict on the way in.

General decoders do too much for bytes from strangers: ``cbor2`` accepts duplicate keys, longer-than-needed
integers, indefinite lengths and trailing bytes, turns tags into dates, decimals and shared references (a few
hundred bytes of which unfold without bound), and raises whatever those raise. So reading is done here, by a
decoder that knows only the types the protocol uses and only their deterministic form; ``cbor2`` writes.
"""

from collections.abc import Mapping
from typing import Any

import cbor2

from protocol.errors import ProtocolError

MAX_DEPTH = 8
"""Arrays and maps inside one another; nothing in the protocol needs more than five."""
_UINT64_MAX = 2**64 - 1
_LENGTH_OF_ARGUMENT = {24: 1, 25: 2, 26: 4, 27: 8}
_SMALLEST_WITH = {1: 24, 2: 1 << 8, 4: 1 << 16, 8: 1 << 32}
_SIMPLE = {20: False, 21: True, 22: None}
_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _TAG, _OTHER = range(8)


def encode(value: Any) -> bytes:
    """Encode ints (64 bit), bytes, str, bool, None, lists, tuples and mappings deterministically."""
    encoded: bytes = cbor2.dumps(_ordered(value, 0))
    return encoded


def decode(data: bytes, *, max_size: int) -> Any:
    """Decode exactly one deterministic CBOR item of at most ``max_size`` bytes.

    Lists come back as lists and maps as dicts. Raises ProtocolError, and nothing else, for anything but the
    deterministic encoding of the supported types; takes time in proportion to ``len(data)``.
    """
    if len(data) > max_size:
        raise ProtocolError(f"CBOR item of {len(data)} bytes, at most {max_size} allowed")
    value, end = _item(data, 0, 0)
    if end != len(data):
        raise ProtocolError("bytes after the CBOR item")
    return value


def _item(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    """Return the item that starts at ``at``, and where the next one would."""
    major, argument, at = _head(data, at)
    if depth == MAX_DEPTH and major in (_ARRAY, _MAP):
        raise ProtocolError(f"CBOR nested deeper than {MAX_DEPTH}")
    if major == _UNSIGNED:
        return argument, at
    if major == _NEGATIVE:
        return -1 - argument, at
    if major in (_BYTES, _TEXT):
        return _string(data, at, argument, major)
    if major == _ARRAY:
        return _array(data, at, argument, depth)
    if major == _MAP:
        return _map(data, at, argument, depth)
    if major == _OTHER and argument in _SIMPLE:
        return _SIMPLE[argument], at
    raise ProtocolError("CBOR tags, floats and further simple values are not used by the protocol")


def _head(data: bytes, at: int) -> tuple[int, Any, int]:
    """Read an initial byte and its argument, which must be in its shortest form."""
    if at >= len(data):
        raise ProtocolError("CBOR item is cut short")
    major, small = data[at] >> 5, data[at] & 0x1F
    at += 1
    if small < 24 or major == _OTHER:
        return major, small, at
    length = _LENGTH_OF_ARGUMENT.get(small)
    if length is None:
        raise ProtocolError("CBOR of indefinite length")
    if at + length > len(data):
        raise ProtocolError("CBOR item is cut short")
    argument = int.from_bytes(data[at : at + length], "big")
    if argument < _SMALLEST_WITH[length]:
        raise ProtocolError("CBOR integer or length is longer than needed")
    return major, argument, at + length


def _string(data: bytes, at: int, length: int, major: int) -> tuple[bytes | str, int]:
    end = at + length
    if end > len(data):
        raise ProtocolError("CBOR string is cut short")
    if major == _BYTES:
        return data[at:end], end
    try:
        return data[at:end].decode("utf-8"), end
    except UnicodeDecodeError:
        raise ProtocolError("CBOR text is not UTF-8") from None


def _array(data: bytes, at: int, length: int, depth: int) -> tuple[list[Any], int]:
    if length > len(data) - at:
        raise ProtocolError("CBOR array is cut short")
    items = []
    for _ in range(length):
        value, at = _item(data, at, depth + 1)
        items.append(value)
    return items, at


def _map(data: bytes, at: int, length: int, depth: int) -> tuple[dict[Any, Any], int]:
    if 2 * length > len(data) - at:
        raise ProtocolError("CBOR map is cut short")
    pairs: dict[Any, Any] = {}
    previous = b""
    for _ in range(length):
        start = at
        key, at = _item(data, at, depth + 1)
        _require_key(key)
        encoded = data[start:at]
        if encoded <= previous:
            raise ProtocolError("CBOR map keys are not in bytewise order, or one comes twice")
        previous = encoded
        pairs[key], at = _item(data, at, depth + 1)
    return pairs, at


def _ordered(value: Any, depth: int) -> Any:
    """Return ``value`` with map keys in bytewise order, refusing types the protocol does not use.

    ``cbor2``'s own canonical mode sorts by length first (RFC 7049), which differs from RFC 8949 as soon
    as a map mixes small negative and larger positive keys.
    """
    if depth == MAX_DEPTH and isinstance(value, Mapping | list | tuple):
        raise ProtocolError(f"CBOR nested deeper than {MAX_DEPTH}")
    if value is None or isinstance(value, bool | bytes | str):
        return value
    if isinstance(value, int):
        if not -_UINT64_MAX - 1 <= value <= _UINT64_MAX:
            raise ProtocolError("CBOR integer outside 64 bits")
        return value
    if isinstance(value, Mapping):
        pairs = sorted((_key(key), key, item) for key, item in value.items())
        return {key: _ordered(item, depth + 1) for _, key, item in pairs}
    if isinstance(value, list | tuple):
        return [_ordered(item, depth + 1) for item in value]
    raise ProtocolError(f"CBOR type {type(value).__name__} is not used by the protocol")


def _key(key: Any) -> bytes:
    _require_key(key)
    encoded: bytes = cbor2.dumps(key)
    return encoded


def _require_key(key: Any) -> None:
    if isinstance(key, bool) or not isinstance(key, int | bytes | str):
        raise ProtocolError("CBOR map keys are integers, byte strings or text")

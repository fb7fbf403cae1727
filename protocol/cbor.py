"""Deterministic CBOR (RFC 8949 section 4.2.1), strict on the way in.

``cbor2`` does the bytes; it also accepts duplicate keys, longer-than-needed integers, indefinite lengths,
trailing bytes and tags. So everything that comes in is decoded, checked for the few types the protocol
uses, encoded again and compared: what is not byte for byte the deterministic form is refused.
"""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

import cbor2

from protocol.errors import ProtocolError

MAX_DEPTH = 8
_UINT64_MAX = 2**64 - 1


def encode(value: Any) -> bytes:
    """Encode ints (64 bit), bytes, str, bool, None, sequences and mappings deterministically."""
    encoded: bytes = cbor2.dumps(_ordered(value, 0))
    return encoded


def decode(data: bytes, *, max_size: int) -> Any:
    """Decode exactly one deterministic CBOR item of at most ``max_size`` bytes.

    Lists come back as lists and maps as dicts. Raises ProtocolError for anything else than the
    deterministic encoding of the supported types.
    """
    if len(data) > max_size:
        raise ProtocolError(f"CBOR item of {len(data)} bytes, at most {max_size} allowed")
    try:
        with BytesIO(data) as stream:
            value = cbor2.CBORDecoder(stream).decode()
        again = encode(value)
    except ProtocolError:
        raise
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, RecursionError, MemoryError) as error:
        raise ProtocolError(f"not CBOR: {type(error).__name__}") from None
    if again != data:
        raise ProtocolError("CBOR is not in its deterministic form")
    return value


def _ordered(value: Any, depth: int) -> Any:
    """Return ``value`` with map keys in bytewise order, refusing types the protocol does not use.

    ``cbor2``'s own canonical mode sorts by length first (RFC 7049), which differs from RFC 8949 as soon
    as a map mixes small negative and larger positive keys.
    """
    if depth > MAX_DEPTH:
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
    if isinstance(value, Sequence):
        return [_ordered(item, depth + 1) for item in value]
    raise ProtocolError(f"CBOR type {type(value).__name__} is not used by the protocol")


def _key(key: Any) -> bytes:
    if isinstance(key, bool) or not isinstance(key, int | bytes | str):
        raise ProtocolError("CBOR map keys are integers, byte strings or text")
    encoded: bytes = cbor2.dumps(key)
    return encoded

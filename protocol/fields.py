"""Small checks that turn decoded CBOR into typed values, so that every parser refuses in the same words."""

from collections.abc import Collection
from enum import IntEnum
from typing import Any, TypeVar

from protocol.errors import ProtocolError

MAX_TIME = 2**32 - 1
"""Times are whole seconds since 1970-01-01 UTC and fit in 32 bits until the year 2106."""

MAX_COUNTER = 2**32 - 1

_Kind = TypeVar("_Kind", bound=IntEnum)


def array(value: Any, length: int, what: str) -> list[Any]:
    """Return ``value`` as a list of exactly ``length`` items."""
    if not isinstance(value, list) or len(value) != length:
        raise ProtocolError(f"{what} must be an array of {length} items")
    return value


def items(value: Any, at_most: int, what: str) -> list[Any]:
    """Return ``value`` as a list of at most ``at_most`` items."""
    if not isinstance(value, list) or len(value) > at_most:
        raise ProtocolError(f"{what} must be an array of at most {at_most} items")
    return value


def table(value: Any, required: Collection[int], optional: Collection[int], what: str) -> dict[int, Any]:
    """Return ``value`` as a map that has every required key and no key beside required and optional."""
    if not isinstance(value, dict):
        raise ProtocolError(f"{what} must be a map")
    keys = set(value)
    if not keys >= set(required) or not keys <= set(required) | set(optional):
        raise ProtocolError(f"{what} has missing or unknown keys")
    return value


def uint(value: Any, at_most: int, what: str) -> int:
    """Return ``value`` as an unsigned integer of at most ``at_most``."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= at_most:
        raise ProtocolError(f"{what} must be an integer from 0 to {at_most}")
    return value


def member(value: Any, kinds: type[_Kind], what: str) -> _Kind:
    """Return ``value`` as one of ``kinds``; whatever else came in its place is refused, not tripped over."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ProtocolError(f"{what} must be an integer")
    try:
        return kinds(value)
    except ValueError:
        raise ProtocolError(f"{what} is unknown") from None


def time(value: Any, what: str) -> int:
    """Return ``value`` as a time in seconds since 1970 UTC."""
    return uint(value, MAX_TIME, what)


def octets(value: Any, length: int, what: str) -> bytes:
    """Return ``value`` as a byte string of exactly ``length`` bytes."""
    if not isinstance(value, bytes) or len(value) != length:
        raise ProtocolError(f"{what} must be {length} bytes")
    return value


def blob(value: Any, at_most: int, what: str) -> bytes:
    """Return ``value`` as a byte string of 1 to ``at_most`` bytes."""
    if not isinstance(value, bytes) or not 1 <= len(value) <= at_most:
        raise ProtocolError(f"{what} must be 1 to {at_most} bytes")
    return value

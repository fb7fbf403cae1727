"""Fragments that carry messages of any size over any ATT MTU from 23 to 517.

A frame is one header byte and at least one byte of data:

    bit 7   first frame of a message
    bit 6   last frame of a message
    bit 5-4 kind of message (Kind)
    bit 3-0 number of the frame within its message, modulo 16

Long writes of ATT are not used: they are slow, differ between platforms and hold at most 512 bytes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from protocol import gatt
from protocol.errors import ProtocolError

HEADER_LENGTH = 1
_FIRST, _LAST = 0x80, 0x40


class Kind(IntEnum):
    """What a frame is part of, so that a late m0 is never taken for an answer."""

    M0 = 0
    M1 = 1
    SESSION = 2
    """A message inside the established session, encrypted."""
    ALERT = 3
    """One unauthenticated reason code, one byte."""


@dataclass(frozen=True)
class Message:
    """A message put together again."""

    kind: Kind
    body: bytes


def fragment(kind: Kind, message: bytes, capacity: int) -> list[bytes]:
    """Cut ``message`` into frames of at most ``capacity`` bytes each (ATT MTU - 3, header included)."""
    if capacity < gatt.MIN_MTU - gatt.ATT_HEADER:
        raise ProtocolError(f"frames of {capacity} bytes are below what the smallest MTU carries")
    if not message:
        raise ProtocolError("an empty message has no frames")
    return list(_frames(kind, message, min(capacity, gatt.MAX_ATTRIBUTE) - HEADER_LENGTH))


def _frames(kind: Kind, message: bytes, step: int) -> Iterator[bytes]:
    for number, start in enumerate(range(0, len(message), step)):
        first = _FIRST if start == 0 else 0
        last = _LAST if start + step >= len(message) else 0
        header = first | last | kind << 4 | number & 0x0F
        yield bytes([header]) + message[start : start + step]


def starts_message(frame: bytes, kind: Kind) -> bool:
    """Say whether ``frame`` is the first one of a message of ``kind``."""
    return bool(frame) and frame[0] & _FIRST != 0 and frame[0] >> 4 & 3 == kind


class Reassembler:
    """Puts messages together from frames in order, never holding more than ``limit`` bytes."""

    def __init__(self, limit: int) -> None:
        """``limit``: largest message body in bytes; it may be raised once the peer is authenticated."""
        self.limit = limit
        self._kind: Kind | None = None
        self._body = bytearray()
        self._next = 0

    def reset(self) -> None:
        """Forget a message begun."""
        self._kind = None
        self._body.clear()
        self._next = 0

    def feed(self, frame: bytes) -> Message | None:
        """Take in one frame; return the message when it was the last one.

        Raises ProtocolError, and forgets what was begun, when the frame is empty, out of order, of another
        kind than its message or would make the message larger than the limit.
        """
        try:
            return self._feed(frame)
        except ProtocolError:
            self.reset()
            raise

    def _feed(self, frame: bytes) -> Message | None:
        if not HEADER_LENGTH < len(frame) <= gatt.MAX_ATTRIBUTE:
            raise ProtocolError("frame is empty or too long")
        header, data = frame[0], frame[HEADER_LENGTH:]
        kind = Kind(header >> 4 & 3)
        if header & _FIRST:
            self.reset()
            self._kind = kind
        if kind is not self._kind or header & 0x0F != self._next & 0x0F:
            raise ProtocolError("frame out of order")
        if len(self._body) + len(data) > self.limit:
            raise ProtocolError(f"message is larger than {self.limit} bytes")
        self._body += data
        self._next += 1
        if not header & _LAST:
            return None
        message = Message(kind, bytes(self._body))
        self.reset()
        return message

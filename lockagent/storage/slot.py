"""One slot of the log ring, byte for byte.

    slot := head (26) | chain hash before the entry (32) | entry | zeros | CRC-32 (4)                256 bytes
    head := "NL" (2) | version (1) | pad (1) | epoch (8) | seq (8) | state generation (4) | entry length (2)

256 divides every flash page and disk sector, so writing one slot never tears another.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from lockagent.records import LogRecord

SLOT_SIZE = 256
BLANK = bytes(SLOT_SIZE)
HASH_SIZE = 32
_HEAD = struct.Struct(">2sBxQQIH")
_MAGIC = b"NL"
_VERSION = 1
_CRC_AT = SLOT_SIZE - 4
_BODY_AT = _HEAD.size + HASH_SIZE
MAX_ENTRY = _CRC_AT - _BODY_AT


@dataclass(frozen=True)
class StoredSlot:
    """A slot that passed its checks."""

    epoch: int
    generation: int
    record: LogRecord


def pack(epoch: int, generation: int, record: LogRecord) -> bytes:
    """Return the 256 bytes of a slot; ValueError when the entry does not fit (194 bytes)."""
    if len(record.entry) > MAX_ENTRY:
        raise ValueError(f"log entry of {len(record.entry)} B is too large")
    head = _HEAD.pack(_MAGIC, _VERSION, epoch, record.seq, generation & 0xFFFFFFFF, len(record.entry))
    body = (head + record.hash_before + record.entry).ljust(_CRC_AT, b"\0")
    return body + zlib.crc32(body).to_bytes(4, "big")


def unpack(slot: bytes) -> StoredSlot | None:
    """Return what a slot holds, or None when it is blank, torn or damaged."""
    if len(slot) != SLOT_SIZE or zlib.crc32(slot[:_CRC_AT]).to_bytes(4, "big") != slot[_CRC_AT:]:
        return None
    magic, version, epoch, seq, generation, length = _HEAD.unpack_from(slot)
    end = _BODY_AT + length
    if magic != _MAGIC or version != _VERSION or end > _CRC_AT:
        return None
    return StoredSlot(epoch, generation, LogRecord(seq, slot[_HEAD.size : _BODY_AT], slot[_BODY_AT:end]))

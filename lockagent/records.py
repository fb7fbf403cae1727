"""What core and storage say to each other: log records, the state record, and what boot found."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from enum import IntEnum

_HEAD = struct.Struct(">QQQB")


@dataclass(frozen=True, slots=True)
class LogRecord:
    """A log entry as stored: its number, the chain hash before it and its bytes."""

    seq: int
    hash_before: bytes
    entry: bytes


@dataclass(frozen=True, slots=True)
class KeptRecord:
    """A log entry and the place where it is kept apart from the ring."""

    place: int
    record: LogRecord


class Damage(IntEnum):
    """Why the current log epoch began."""

    NONE = 0
    LOG = 1
    STATE_LOST = 2
    STATE_ROLLED_BACK = 3


@dataclass(frozen=True)
class StateImage:
    """What the state slots hold: the log's own numbers beside whatever the core wants remembered.

    `acked`: newest entry a receipt has freed. `head`: newest entry when this was saved.
    """

    epoch: int
    acked: int
    head: int
    damage: Damage
    payload: bytes = field(repr=False)
    """Holds the door's adv_keys."""

    def pack(self) -> bytes:
        """Return the bytes kept in a slot."""
        return _HEAD.pack(self.epoch, self.acked, self.head, self.damage) + self.payload

    @classmethod
    def unpack(cls, blob: bytes) -> StateImage:
        """Inverse of `pack`."""
        epoch, acked, head, damage = _HEAD.unpack_from(blob)
        return cls(epoch, acked, head, Damage(damage), blob[_HEAD.size :])


@dataclass(frozen=True)
class Boot:
    """What the core starts from. `state.payload` is empty when what the lock knew is lost."""

    state: StateImage
    records: list[LogRecord]
    torn_tail: bool
    salvaged: list[LogRecord]
    """Readable entries of an epoch that damage ended: only to know repeated requests by."""
    kept: list[KeptRecord] = field(default_factory=list)
    """Entries of this epoch that were kept when the ring overwrote them."""
    kept_unreadable: int = 0
    """How many of those places cannot be read."""

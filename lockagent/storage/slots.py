"""The state record: one value, replaced atomically by writing the oldest of sixteen checksummed slots.

    slot := magic "NS" (2) | version (1) | pad (1) | generation (8) | length (4) | payload | SHA-256 (32)

The checksum covers everything before it. A cut in the middle of a write harms only the slot being written,
so the one before it, which is what the lock last acknowledged, is still there at boot. Two slots would do for
that; sixteen spread the wear of an hourly save over as much more flash.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass, field

from lockagent.storage.port import Files

_HEAD = struct.Struct(">2sBxQI")
_MAGIC = b"NS"
_VERSION = 1
_DIGEST = 32
SLOTS = 16
SLOT_SIZE = 32 * 1024
MAX_PAYLOAD = SLOT_SIZE - _HEAD.size - _DIGEST


class StateCorruptError(Exception):
    """No slot holds a whole record: what the lock knew is lost."""


@dataclass(frozen=True)
class Record:
    """A payload and its generation (1, 2, …; grows with every write)."""

    generation: int
    payload: bytes = field(repr=False)


class StateSlots:
    """The slots in the file `state`."""

    NAME = "state"

    def __init__(self, files: Files) -> None:
        self._files = files
        self._generation = 0

    @property
    def generation(self) -> int:
        """Generation of the last acknowledged record."""
        return self._generation

    def create(self, payload: bytes) -> None:
        """Make the file, with the first record in slot 1 and the others empty."""
        blob = bytearray(SLOTS * SLOT_SIZE)
        blob[SLOT_SIZE : SLOT_SIZE + len(_pack(1, payload))] = _pack(1, payload)
        self._files.replace(self.NAME, bytes(blob))
        self._generation = 1

    def load(self) -> Record | None:
        """Return the newest whole record; None without a file; StateCorruptError when none is whole."""
        blob = self._files.read(self.NAME)
        if blob is None:
            return None
        records = [_unpack(blob[at * SLOT_SIZE : (at + 1) * SLOT_SIZE], at) for at in range(SLOTS)]
        whole = [record for record in records if record is not None]
        if not whole:
            raise StateCorruptError("no slot of the state record is whole")
        newest = max(whole, key=lambda record: record.generation)
        self._generation = newest.generation
        return newest

    def save(self, payload: bytes) -> None:
        """Replace the record; it is acknowledged when this returns. StorageError leaves the old one valid."""
        generation = self._generation + 1
        self._files.write(self.NAME, (generation % SLOTS) * SLOT_SIZE, _pack(generation, payload))
        self._files.sync(self.NAME)
        self._generation = generation

    def blank_others(self) -> None:
        """Overwrite every slot but the newest: earlier records held what must not be found any more."""
        blob = self._files.read(self.NAME) or b""
        for slot in range(SLOTS):
            held = blob[slot * SLOT_SIZE : (slot + 1) * SLOT_SIZE]
            if slot != self._generation % SLOTS and held != bytes(SLOT_SIZE):
                self._files.write(self.NAME, slot * SLOT_SIZE, bytes(SLOT_SIZE))
        self._files.sync(self.NAME)


def _pack(generation: int, payload: bytes) -> bytes:
    if len(payload) > MAX_PAYLOAD:
        raise ValueError(f"state record of {len(payload)} B does not fit in {MAX_PAYLOAD} B")
    body = _HEAD.pack(_MAGIC, _VERSION, generation, len(payload)) + payload
    return body + hashlib.sha256(body).digest()


def _unpack(slot: bytes, position: int) -> Record | None:
    if len(slot) < _HEAD.size:
        return None
    magic, version, generation, length = _HEAD.unpack_from(slot)
    end = _HEAD.size + length
    if magic != _MAGIC or version != _VERSION or length > MAX_PAYLOAD or generation % SLOTS != position:
        return None
    if hashlib.sha256(slot[:end]).digest() != slot[end : end + _DIGEST]:
        return None
    return Record(generation, slot[_HEAD.size : end])

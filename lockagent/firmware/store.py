"""Where images and their record lie: what the agent may change of them, each step whole or not at all.

The order of writes is what makes a power cut harmless: a place is struck off the record before it is
overwritten, bytes are flushed before the record counts them, and an image is never started on the record's
word alone (see `loader`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace

from lockagent.firmware import builtin
from lockagent.firmware.record import Phase, Record, RecordSlots, Slot
from lockagent.image import (
    SETTLE_SECONDS,
    Begin,
    Chunk,
    Confirm,
    Drop,
    FirmwareBoot,
    Incoming,
    Report,
    Reported,
    Result,
    Stage,
    Step,
)
from lockagent.storage.port import Files
from lockagent.storage.slots import StateCorruptError
from protocol import firmware
from protocol.errors import ProtocolError
from protocol.firmware import Running


class WrongImageError(Exception):
    """The program that runs is not the one that the record says was started."""


def load(slots: RecordSlots) -> Record:
    """Read the record; a board that has none, or has lost it, runs what is built in."""
    try:
        kept = slots.load()
        if kept is not None:
            return Record.decode(kept.payload)
    except (StateCorruptError, ProtocolError):
        pass  # both slots are rotten: the images are there, but nothing vouches for them
    blank = Record(floor=builtin.SECURITY)
    slots.create(blank.encode())
    return blank


def version_in(record: Record, slot: Slot) -> int:
    """The version of the program in a place."""
    header = record.header(slot)
    return builtin.VERSION if header is None else header.version


class FirmwareStore:
    """Images and record, as the running agent sees them."""

    def __init__(
        self,
        files: Files,
        slot: Slot,
        *,
        confirmed: Callable[[], None] = lambda: None,
        settle_seconds: float = SETTLE_SECONDS,
    ) -> None:
        """`slot`: what the loader started. `confirmed`: called when an image on trial has come up.

        Raises WrongImageError, StorageError.
        """
        self._files = files
        self._slots = RecordSlots(files)
        self._record = load(self._slots)
        self._confirmed = confirmed
        self._settle_seconds = settle_seconds
        if self._record.running is not slot:
            raise WrongImageError(f"started from {slot.name}, but {self._record.running.name} is to run")

    def boot(self) -> FirmwareBoot:
        """What the core starts from. Raises StorageError."""
        record = self._record
        header = record.header(record.running)
        security = builtin.SECURITY if header is None else header.security
        running = Running(
            model=builtin.MODEL,
            version=version_in(record, record.running),
            security=max(record.floor, security),
            fell_back=record.fell_back,
            digest=b"" if header is None else header.digest,
        )
        return FirmwareBoot(
            running,
            trial=record.phase is Phase.TRIAL,
            previous=version_in(record, record.active),
            incoming=self._incoming(),
            report=record.report,
            settle_seconds=self._settle_seconds,
        )

    def carry_out(self, step: Step) -> None:
        """Do what the core asks; it is on the disk when this returns. Raises StorageError."""
        record = self._record
        match step:
            case Begin():
                self._begin(step.signed)
            case Chunk():
                self._files.write(record.target.file, step.offset, step.data)
                self._files.sync(record.target.file)
                self._save(replace(record, received=step.offset + len(step.data)))
            case Drop():
                self._save(replace(record, phase=Phase.RECEIVING, received=0))
            case Stage():
                self._save(replace(record, phase=Phase.STAGED, tries=0))
            case Confirm():
                self._confirm()
            case Reported():
                self._save(replace(record, report=None))

    def _begin(self, signed: bytes) -> None:
        slot = self._record.target
        empty = replace(self._record.with_header(slot, None), phase=Phase.IDLE, received=0)
        self._save(empty)
        self._files.replace(slot.file, bytes(firmware.parse(signed).size))
        self._save(replace(empty.with_header(slot, signed), phase=Phase.RECEIVING))

    def _confirm(self) -> None:
        record = self._record
        header = record.header(record.target)
        if record.phase is not Phase.TRIAL or header is None:
            raise RuntimeError("nothing is on trial")
        self._save(
            replace(
                record,
                active=record.target,
                phase=Phase.IDLE,
                received=0,
                tries=0,
                floor=max(record.floor, header.security),
                report=Report(version_in(record, record.active), header.version, Result.CONFIRMED),
            )
        )
        self._confirmed()

    def _save(self, record: Record) -> None:
        self._slots.save(record.encode())
        self._record = record

    def _incoming(self) -> Incoming | None:
        record = self._record
        signed = record.header_bytes(record.target)
        if record.phase not in (Phase.RECEIVING, Phase.STAGED) or signed is None:
            return None
        image = self._files.read(record.target.file) or b""
        so_far = hashlib.sha256(image[: record.received])
        staged = record.phase is Phase.STAGED
        return Incoming(signed, firmware.parse(signed), record.received, so_far, staged=staged)

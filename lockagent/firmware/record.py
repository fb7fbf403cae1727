"""The record of the two images: which one runs, what is on its way in, what came of the last change.

It is one value, replaced whole (`storage.slots`): agent and loader change it in turn, never at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

from lockagent.image import TRIES, Report, Result
from lockagent.storage.slots import StateSlots
from protocol import cbor, fields, firmware
from protocol.firmware import Header

_VERSION = 1
_MAX_SIZE = 1024


class Slot(IntEnum):
    """Where a program can lie."""

    BUILT_IN = 0
    A = 1
    B = 2

    @property
    def file(self) -> str:
        """The file of an image; what is built in has none of ours."""
        return f"image-{self.name.lower()}"


class Phase(IntEnum):
    """How far the image in the other place has come."""

    IDLE = 0
    RECEIVING = 1
    STAGED = 2
    TRIAL = 3


class RecordSlots(StateSlots):
    """The record in its file, as two checksummed slots."""

    NAME = "record"


@dataclass(frozen=True)
class Record:
    """Everything the loader knows. `signed`: the headers of the images in A and B, as they were signed."""

    active: Slot = Slot.BUILT_IN
    signed: tuple[bytes | None, bytes | None] = (None, None)
    phase: Phase = Phase.IDLE
    received: int = 0
    tries: int = 0
    floor: int = 0
    """Highest security version that was confirmed here."""
    fell_back: int = 0
    """Highest version that did not come up here."""
    report: Report | None = None

    @property
    def target(self) -> Slot:
        """The place that the next image goes to: never where the running one lies."""
        return Slot.B if self.active is Slot.A else Slot.A

    @property
    def running(self) -> Slot:
        """The place of the image that runs, confirmed or on trial."""
        return self.target if self.phase is Phase.TRIAL else self.active

    def header_bytes(self, slot: Slot) -> bytes | None:
        """The signed header of the image in a place."""
        return None if slot is Slot.BUILT_IN else self.signed[slot - 1]

    def header(self, slot: Slot) -> Header | None:
        """What lies in a place; None when it is empty, or what is built in."""
        signed = self.header_bytes(slot)
        return None if signed is None else firmware.parse(signed)

    def with_header(self, slot: Slot, signed: bytes | None) -> Record:
        """The record with another header for a place."""
        a, b = self.signed
        return replace(self, signed=(signed, b) if slot is Slot.A else (a, signed))

    def encode(self) -> bytes:
        """The record as it is kept."""
        said = self.report
        report = None if said is None else [said.before, said.after, int(said.result)]
        numbers = [int(self.phase), self.received, self.tries, self.floor, self.fell_back]
        return cbor.encode([_VERSION, int(self.active), *self.signed, *numbers, report])

    @classmethod
    def decode(cls, payload: bytes) -> Record:
        """Inverse of `encode`; raises ProtocolError."""
        items = fields.array(cbor.decode(payload, max_size=_MAX_SIZE), 10, "firmware record")
        version, active, a, b, phase, received, tries, floor, fell_back, report = items
        fields.uint(version, _VERSION, "version of the record")
        return cls(
            active=fields.member(active, Slot, "active image"),
            signed=(_header(a), _header(b)),
            phase=fields.member(phase, Phase, "phase"),
            received=fields.uint(received, firmware.MAX_IMAGE, "bytes received"),
            tries=fields.uint(tries, TRIES, "tries"),
            floor=fields.uint(floor, fields.MAX_COUNTER, "security floor"),
            fell_back=fields.uint(fell_back, fields.MAX_COUNTER, "version that fell back"),
            report=None if report is None else _report(report),
        )


def _header(value: Any) -> bytes | None:
    return None if value is None else fields.blob(value, firmware.MAX_HEADER, "firmware header")


def _report(value: Any) -> Report:
    before, after, result = fields.array(value, 3, "firmware report")
    return Report(
        fields.uint(before, fields.MAX_COUNTER, "version before"),
        fields.uint(after, fields.MAX_COUNTER, "version after"),
        fields.member(result, Result, "result"),
    )

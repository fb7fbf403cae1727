"""Words for the lock's own program, shared by the core that takes a new one in and what keeps it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import IntEnum

from protocol.firmware import Header, Running

TRIES = 3
"""A new image is started so often at most before the lock goes back to what it ran before."""
TRIAL_SECONDS = 180
"""A new image that has not confirmed itself so long after its start is ended."""
SETTLE_SECONDS = 30.0
"""How long a new image must have run before it confirms itself."""


class Result(IntEnum):
    """What came of a new image; the third item of a *firmware* log entry."""

    CONFIRMED = 0
    """The lock runs it from now on."""
    FELL_BACK = 1
    """It did not come up; the lock runs what it ran before."""
    TOOK_OVER = 2
    """What the lock ran was found damaged at boot; the image in the other slot took its place."""
    DAMAGED = 3
    """It was found damaged before it ran; the lock runs what it ran before."""


@dataclass(frozen=True)
class Report:
    """A change that the log does not hold yet."""

    before: int
    after: int
    result: Result


@dataclass(frozen=True)
class Incoming:
    """An image on its way in, or whole and waiting for the next restart."""

    signed: bytes
    """The header as it was signed."""
    header: Header
    received: int
    """Bytes that are on the disk, from the beginning."""
    so_far: hashlib._Hash
    """SHA-256 over these bytes, to go on with."""
    staged: bool = False
    """Whole, and waiting for the next start."""


@dataclass(frozen=True)
class FirmwareBoot:
    """What the core starts from. `trial`: this run has still to show that it comes up."""

    running: Running
    trial: bool = False
    previous: int = 0
    """Version of the program that ran before this trial."""
    incoming: Incoming | None = None
    report: Report | None = None
    settle_seconds: float = SETTLE_SECONDS


@dataclass(frozen=True)
class Begin:
    """Make room for the image of this signed header; whatever was in that slot is gone."""

    signed: bytes


@dataclass(frozen=True)
class Chunk:
    """The next bytes of the image."""

    offset: int
    data: bytes


@dataclass(frozen=True)
class Drop:
    """Forget the image on its way in: it is not the one that was signed, or its signer is trusted no more."""


@dataclass(frozen=True)
class Stage:
    """The image is whole: the next start tries it."""


@dataclass(frozen=True)
class Confirm:
    """The image on trial has come up: it is the lock's from now on."""


@dataclass(frozen=True)
class Reported:
    """The log holds the report."""


Step = Begin | Chunk | Drop | Stage | Confirm | Reported

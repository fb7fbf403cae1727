"""The images of a lock as the program that runs opens them."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lockagent.firmware.loader import FOLDER
from lockagent.firmware.record import Slot
from lockagent.firmware.store import FirmwareStore
from lockagent.storage.disk import DiskFiles


@contextmanager
def opened(folder: Path, slot: str | None, settle_seconds: float) -> Iterator[FirmwareStore | None]:
    """Open the store of images in a lock's folder; None when no loader said which one was started.

    Raises WrongImageError, StorageError, FolderBusyError.
    """
    if slot is None:
        yield None
        return
    files = DiskFiles(folder / FOLDER)
    try:
        yield FirmwareStore(
            files, Slot[slot.upper()], confirmed=_call_off_alarm, settle_seconds=settle_seconds
        )
    finally:
        files.close()


def _call_off_alarm() -> None:
    """The loader set it before this program began: whoever has come up need not be ended."""
    signal.alarm(0)

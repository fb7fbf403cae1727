"""What chooses at every start: the image that is to be tried, the one that is confirmed, or what is built in.

    python -m lockagent.firmware.loader --folder FOLDER -- OPTIONS OF run

It notes each start before it makes it, then becomes the program it has chosen: nothing of it stays in memory.
An image on trial that neither confirms itself nor ends is ended by an alarm that the kernel keeps for it.
Whatever runs this (systemd) starts it again when it ends, which is also how a lock restarts itself.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

from lockagent.firmware import builtin
from lockagent.firmware.record import Phase, Record, RecordSlots, Slot
from lockagent.firmware.store import load, version_in
from lockagent.image import TRIAL_SECONDS, TRIES, Report, Result
from lockagent.storage.disk import DiskFiles, FolderBusyError
from lockagent.storage.port import Files, StorageError

FOLDER = "firmware"
"""Within the lock's folder."""
RESTART_CODE = 75
"""A lock that ends with this wants to be started again."""
NOTHING_TO_RUN_CODE = 78


def prepare(files: Files) -> tuple[Record, Slot | None]:
    """Choose, and note it; None when there is nothing that may run. Raises StorageError."""
    slots = RecordSlots(files)
    before = load(slots)
    record, slot = _choose(files, before)
    if record != before:
        slots.save(record.encode())
    return record, slot


def _choose(files: Files, record: Record) -> tuple[Record, Slot | None]:
    if record.phase in (Phase.STAGED, Phase.TRIAL):
        record = _tried(files, record)
        if record.phase is Phase.TRIAL:
            return record, record.target
    if _intact(files, record, record.active):
        return record, record.active
    return _taken_over(files, record)


def _tried(files: Files, record: Record) -> Record:
    """Note one more start of the new image, or that there will be none."""
    before, after = version_in(record, record.active), version_in(record, record.target)
    back = replace(record.with_header(record.target, None), phase=Phase.IDLE, received=0, tries=0)
    if not _intact(files, record, record.target):
        return replace(back, report=Report(before, after, Result.DAMAGED))
    if record.tries >= TRIES:
        fell_back = max(record.fell_back, after)
        return replace(back, fell_back=fell_back, report=Report(before, after, Result.FELL_BACK))
    return replace(record, phase=Phase.TRIAL, tries=record.tries + 1)


def _taken_over(files: Files, record: Record) -> tuple[Record, Slot | None]:
    """What ran is damaged: the other image, or what is built in, but nothing that was left behind."""
    whole = record.target if record.phase is Phase.IDLE else Slot.BUILT_IN
    for slot in (whole, Slot.BUILT_IN):
        header = record.header(slot)
        security = builtin.SECURITY if header is None else header.security
        if slot is not record.active and security >= record.floor and _intact(files, record, slot):
            report = Report(version_in(record, record.active), version_in(record, slot), Result.TOOK_OVER)
            taken = replace(record, active=slot, phase=Phase.IDLE, received=0, report=report)
            return taken.with_header(record.active, None), slot
    return record, None


def _intact(files: Files, record: Record, slot: Slot) -> bool:
    """Whether a place holds, byte for byte, what its signed header says."""
    if slot is Slot.BUILT_IN:
        return True
    header = record.header(slot)
    return header is not None and header.describes(files.read(slot.file) or b"")


def command(folder: Path, slot: Slot, options: list[str]) -> list[str]:
    """The command line of a program in a place."""
    program = ["-m", "lockagent"] if slot is Slot.BUILT_IN else [str(folder / FOLDER / slot.file)]
    return [sys.executable, *program, "--folder", str(folder), "run", "--slot", slot.name.lower(), *options]


def main(arguments: list[str] | None = None) -> int:
    """Become the chosen program; returns only when there is none, or the folder is in use."""
    parser = argparse.ArgumentParser(prog="lockagent.firmware.loader", description="Start a Nyckelfri lock.")
    parser.add_argument("--folder", type=Path, default=Path("var/lock"), help="where keys and log are kept")
    parser.add_argument("options", nargs="*", help="options of `lockagent run`, after --")
    said = parser.parse_args(arguments)
    try:
        files = DiskFiles(said.folder / FOLDER)
        try:
            record, slot = prepare(files)
        finally:
            files.close()
    except (FolderBusyError, StorageError, OSError) as error:
        print(f"loader: {error}", file=sys.stderr)
        return 1
    if slot is not None:
        if record.phase is Phase.TRIAL:
            signal.alarm(TRIAL_SECONDS)  # outlives exec; the image calls it off when it has come up
        line = command(said.folder, slot, said.options)
        os.execv(line[0], line)  # noqa: S606 - no shell, and every word is ours or the operator's
    print("loader: the image is damaged, and every other one was left behind", file=sys.stderr)
    return NOTHING_TO_RUN_CODE


if __name__ == "__main__":
    sys.exit(main())

"""The few file operations the phone needs, each durable or not by name, with errors a person can act on.

Everything above builds on two promises only: data is durable after `sync`, and the entries of a folder are
durable after `sync_dir` and become so in the order they were changed. Tests replace this class with one
that cuts the power between any two calls.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mobile.engine.errors import DiskFullError, StorageError

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700


@contextmanager
def _explained() -> Iterator[None]:
    """Turn the operating system's errors into the engine's; a missing file stays FileNotFoundError."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFullError from error
        raise StorageError(errno=error.errno or 0) from error


class Disk:
    """The real file system. Raises DiskFullError, StorageError, and FileNotFoundError when reading."""

    def make_folder(self, folder: Path) -> None:
        """Make a folder that only this user may read."""
        with _explained():
            folder.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)

    def names(self, folder: Path) -> list[str]:
        """Names of the entries in a folder, sorted; an absent folder has none."""
        with _explained():
            return sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []

    def exists(self, path: Path) -> bool:
        """True when there is such a file."""
        return path.is_file()

    def read(self, path: Path, limit: int) -> bytes:
        """At most `limit` + 1 bytes, so that a caller sees when a file is too big to be true."""
        with _explained(), path.open("rb") as file:
            return file.read(limit + 1)

    def write(self, path: Path, data: bytes) -> None:
        """Make or replace a file's content. Not durable until `sync`."""
        with _explained():
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
            try:
                _write_all(handle, data)
            finally:
                os.close(handle)

    def write_at(self, path: Path, offset: int, data: bytes) -> None:
        """Overwrite bytes in place: needs no new space on a full disk. Not durable until `sync`."""
        with _explained():
            handle = os.open(path, os.O_WRONLY)
            try:
                os.lseek(handle, offset, os.SEEK_SET)
                _write_all(handle, data)
            finally:
                os.close(handle)

    def sync(self, path: Path) -> None:
        """Make a file's content durable."""
        with _explained():
            _fsync(path)

    def replace(self, source: Path, target: Path) -> None:
        """Rename over the target, atomically. Durable after `sync_dir`."""
        with _explained():
            source.replace(target)

    def remove(self, path: Path) -> None:
        """Delete a file if it is there. Durable after `sync_dir`."""
        with _explained():
            path.unlink(missing_ok=True)

    def sync_dir(self, folder: Path) -> None:
        """Make the folder's entries durable."""
        with _explained():
            _fsync(folder)


def _write_all(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def temporary(path: Path) -> Path:
    """Where the next content of `path` is written before it takes its place."""
    return path.with_name(path.name + ".new")


def previous(path: Path) -> Path:
    """Where the last good content of `path` stays until the new one is durable."""
    return path.with_name(path.name + ".old")


def replace_safely(disk: Disk, path: Path, data: bytes) -> None:
    """Give `path` new content; when this returns it is durable, and until then the old one still is.

    No hard links: Android forbids them to apps. So the old file steps aside under its own name, and a
    reader that finds `path` missing or damaged takes `previous(path)` (see `copies`).
    """
    fresh = temporary(path)
    try:
        disk.write(fresh, data)
        disk.sync(fresh)
    except (DiskFullError, StorageError):
        disk.remove(fresh)
        raise
    if disk.exists(path):
        disk.replace(path, previous(path))
    disk.replace(fresh, path)
    disk.sync_dir(path.parent)
    disk.remove(previous(path))


def copies(disk: Disk, path: Path, limit: int) -> Iterator[bytes]:
    """The content of `path` as far as it is there, then what it held before: the first good one counts."""
    for copy in (path, previous(path)):
        if disk.exists(copy):
            yield disk.read(copy, limit)

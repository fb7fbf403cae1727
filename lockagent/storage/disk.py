"""The file port on a real folder: pwrite, fdatasync, and rename for what must be replaced whole."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

from lockagent.storage.port import StorageError, StorageProblem

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class FolderBusyError(Exception):
    """Another agent already runs on this folder."""


class DiskFiles:
    """Files of one lock in one folder (mode 0700, files 0600), held by one process at a time."""

    def __init__(self, folder: Path) -> None:
        """Create the folder when it is missing and take it; raise FolderBusyError when it is taken."""
        self.folder = folder
        self._descriptors: dict[str, int] = {}
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._guard = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._guard)
            raise FolderBusyError(f"another lock agent already uses {folder}") from error

    def close(self) -> None:
        """Let go of every descriptor; the folder may be taken by another process."""
        for descriptor in self._descriptors.values():
            os.close(descriptor)
        self._descriptors.clear()
        os.close(self._guard)

    def read(self, name: str) -> bytes | None:
        """Return the whole file, or None when there is none."""
        try:
            return (self.folder / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _translated(error, name) from error

    def write(self, name: str, offset: int, data: bytes) -> None:
        """Write inside an existing file; not durable before `sync`."""
        try:
            descriptor = self._descriptor(name)
            done = 0
            while done < len(data):
                done += os.pwrite(descriptor, data[done:], offset + done)
        except OSError as error:
            raise _translated(error, name) from error

    def sync(self, name: str) -> None:
        """Flush the file's bytes to the disk."""
        try:
            os.fdatasync(self._descriptor(name))
        except OSError as error:
            raise _translated(error, name) from error

    def replace(self, name: str, data: bytes) -> None:
        """Write a new file beside the old one, flush it, and put it in its place."""
        beside = self.folder / f"{name}.new"
        try:
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                done = 0
                while done < len(data):
                    done += os.write(descriptor, data[done:])
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            beside.unlink(missing_ok=True)
            raise _translated(error, name) from error
        self.rename(f"{name}.new", name)

    def rename(self, name: str, new_name: str) -> None:
        """Move a file over another name and flush the folder."""
        for moved in (name, new_name):
            descriptor = self._descriptors.pop(moved, None)
            if descriptor is not None:
                os.close(descriptor)
        try:
            (self.folder / name).replace(self.folder / new_name)
            folder = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise _translated(error, name) from error

    def _descriptor(self, name: str) -> int:
        if name not in self._descriptors:
            self._descriptors[name] = os.open(self.folder / name, os.O_RDWR | os.O_CLOEXEC)
        return self._descriptors[name]


def _translated(error: OSError, name: str) -> StorageError:
    problem = StorageProblem.FULL if error.errno in _FULL else StorageProblem.IO
    return StorageError(problem, name, error.strerror or "")

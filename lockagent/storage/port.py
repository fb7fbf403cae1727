"""The file port: the five operations the store needs from whatever lies under it.

Kept this small so that a test can stand in for the disk and cut the power at every single write and fsync.
"""

from __future__ import annotations

from enum import Enum
from typing import Protocol


class StorageProblem(Enum):
    """Why an operation on the disk failed, as far as the lock can tell."""

    FULL = "disk full"
    IO = "input/output error"


class StorageError(Exception):
    """A read, write or fsync failed. Whether the bytes reached the disk is unknown."""

    def __init__(self, problem: StorageProblem, name: str, detail: str = "") -> None:
        super().__init__(f"{problem.value} on {name!r}" + (f": {detail}" if detail else ""))
        self.problem = problem
        self.name = name


class Files(Protocol):
    """A flat folder of small files. Every method may raise StorageError.

    Between `write` and the return of `sync` a power cut may leave the written range old, new or torn;
    bytes outside the written range are never harmed. `replace` is atomic: old file or new file.
    """

    def read(self, name: str) -> bytes | None:
        """Return the whole file, or None when there is none."""
        ...

    def write(self, name: str, offset: int, data: bytes) -> None:
        """Write inside an existing file; not durable before `sync`."""
        ...

    def sync(self, name: str) -> None:
        """Return only when every earlier `write` to the file is on the disk."""
        ...

    def replace(self, name: str, data: bytes) -> None:
        """Make the file hold exactly these bytes, atomically and durably."""
        ...

    def rename(self, name: str, new_name: str) -> None:
        """Move a file over another name, atomically and durably."""
        ...

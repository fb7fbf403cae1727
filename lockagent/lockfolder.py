"""A lock's folder: making a lock in it, and opening what is there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lockagent.core.context import Random
from lockagent.core.identity import LockSecrets
from lockagent.core.memory import BLANK
from lockagent.storage import keys
from lockagent.storage.disk import DiskFiles
from lockagent.storage.port import Files
from lockagent.storage.store import LockStore, NoStoreError
from protocol import identity, log
from protocol.entries import Entry
from protocol.errors import ProtocolError


class AlreadyALockError(Exception):
    """The folder holds a lock already; making another would destroy its keys and log."""


@dataclass
class LockFolder:
    """An opened lock. Close it to let another process have it."""

    files: DiskFiles
    secrets: LockSecrets
    store: LockStore

    def close(self) -> None:
        """Let go of the folder."""
        self.files.close()

    def identity_document(self) -> bytes:
        """The signed public identity that a server needs to commission this lock."""
        return identity.sign(self.secrets.identity, self.secrets.log_key)


def create(folder: Path, random: Random) -> LockFolder:
    """Make a blank lock with fresh keys; raises AlreadyALockError, StorageError or FolderBusyError."""
    files = DiskFiles(folder)
    try:
        if keys.load(files) is not None:
            raise AlreadyALockError(f"there is a lock in {folder} already")
        secrets = LockSecrets(random(32), random(32), random(32))
        store = store_over(files, secrets)
        store.create(BLANK.encode())
        # The keys come last: a power cut before leaves a folder in which init can start over.
        keys.save(files, secrets)
    except BaseException:
        files.close()
        raise
    return LockFolder(files, secrets, store)


def open_folder(folder: Path) -> LockFolder:
    """Open the lock in a folder; raises NoStoreError, KeysCorruptError, StorageError or FolderBusyError."""
    if not folder.is_dir():
        raise NoStoreError(f"there is no folder {folder}; run init first")
    files = DiskFiles(folder)
    try:
        secrets = keys.load(files)
        if secrets is None:
            raise NoStoreError(f"there is no lock in {folder}; run init first")
    except BaseException:
        files.close()
        raise
    return LockFolder(files, secrets, store_over(files, secrets))


def store_over(files: Files, secrets: LockSecrets) -> LockStore:
    """The store of the lock with these keys; its log chain begins with its lock id."""
    lock_id = secrets.identity.lock_id
    return LockStore(
        files, genesis=lambda epoch: log.genesis(lock_id, epoch), step=log.link, readable=_readable
    )


def _readable(entry: bytes) -> bool:
    try:
        Entry.decode(entry)
    except ProtocolError:
        return False
    return True

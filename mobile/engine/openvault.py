"""One bearer's vault while it is open: its content in memory, its keys, and a durable `save`."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from mobile.engine import faults
from mobile.engine.errors import DiskFullError, HardwareKeyError, LockedError, StorageError
from mobile.engine.storage import vaultfile
from mobile.engine.storage.attempts import AttemptFile
from mobile.engine.storage.disk import Disk, replace_safely
from mobile.engine.storage.vaultfile import Keys

T = TypeVar("T")


class OpenVault:
    """`older`: the file was an older copy than the phone has had (it was put back, or the disk lost one)."""

    def __init__(
        self,
        disk: Disk,
        path: Path,
        keys: Keys,
        content: bytes,
        *,
        counter: AttemptFile,
        random: Callable[[int], bytes],
        generation: int = 0,
        older: bool = False,
    ) -> None:
        self._disk, self._path, self._random, self._counter = disk, path, random, counter
        self._keys: Keys | None = keys
        self._generation = generation
        self._writing = threading.Lock()
        self._owed = False
        """A mark that the hardware did not take is left with the next save."""
        self.content, self.older = content, older

    def __repr__(self) -> str:
        return f"<vault {'open' if self._keys else 'shut'}>"

    @property
    def hardware_key(self) -> int:
        """The number of its key in the phone's hardware, 0 for none. Raises LockedError when shut."""
        if self._keys is None:
            raise LockedError
        return self._keys.hardware_key

    def while_still(self, work: Callable[[], T]) -> T:
        """Do it while nothing is being written."""
        with self._writing:
            return work()

    async def save(self, content: bytes, *, firmly: bool = False) -> None:
        """Replace the content; durable when this returns. On an error the old content stands.

        `firmly`: an older copy would give back what has been taken away, so the hardware is to remember too,
        now or as soon as it answers.
        """
        await asyncio.to_thread(self._save, content, firmly)

    def _save(self, content: bytes, firmly: bool) -> None:
        with self._writing:
            if self._keys is None:
                raise LockedError
            self._write(self._keys, content, firmly)
            self.content = content

    async def rekey(self, keys: Keys) -> None:
        """Seal the content under new keys (another PIN); the old keys are wiped."""
        await asyncio.to_thread(self._rekey, keys)

    def _rekey(self, keys: Keys) -> None:
        with self._writing:
            old = self._keys
            if old is None:
                raise LockedError
            self._write(keys, self.content, True)
            self._keys = keys
            old.wipe()

    def _write(self, keys: Keys, content: bytes, firmly: bool) -> None:
        nonce = self._random(vaultfile.NONCE_BYTES)
        sealed = vaultfile.seal(keys, nonce, content, self._generation + 1)
        if len(sealed) > vaultfile.MAX_VAULT_BYTES:
            raise StorageError("vault_too_big")
        replace_safely(self._disk, self._path, sealed)
        self._generation += 1
        self._remember(self._owed or firmly)

    def _remember(self, firmly: bool) -> None:
        """Have counter and hardware remember this generation.

        The vault itself is durable by now, so their trouble must not undo it: what is open would hold another
        content than the file. They are told anew at the next save.
        """
        self._owed = firmly
        try:
            self._counter.saw(self._generation, firmly=firmly)
        except (DiskFullError, HardwareKeyError, StorageError) as error:
            faults.log.warning("the vault's newest number is not remembered yet: %s", error.code)
        else:
            self._owed = False

    def close(self) -> None:
        """Forget the content and wipe the keys; waits for a write that is under way."""
        with self._writing:
            if self._keys is not None:
                self._keys.wipe()
            self._keys, self.content = None, b""

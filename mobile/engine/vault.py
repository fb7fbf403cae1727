"""The vaults of one phone: one encrypted file per bearer, opened by that bearer's PIN.

    vaults = Vaults(folder)
    vault = await vaults.create("b1", pin, content)     # weak PINs are refused
    vault = await vaults.unlock("b1", pin)              # counts before it tries
    await vault.save(content)                           # durable when it returns
    vault.close()                                       # wipes the keys

The slow key derivation and the disk run in worker threads, so the engine's loop never stalls. What an open
vault holds is bytes; what they mean is the engine's affair.
"""

from __future__ import annotations

import asyncio
import os
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path

from mobile.engine.errors import (
    LockedError,
    NotEnrolledError,
    PinDelayError,
    StorageError,
    VaultCorruptError,
    VaultWipedError,
    WrongPinError,
)
from mobile.engine.storage import vaultfile
from mobile.engine.storage.attempts import MAX_FAILURES, AttemptFile, Attempts
from mobile.engine.storage.disk import Disk, previous, replace_safely, temporary
from mobile.engine.storage.pin import check_new_pin, normalise
from mobile.engine.storage.vaultfile import Cost, Keys, Shut

_SAFE_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SUFFIX = ".vault"


def _wall_clock() -> int:
    return int(time.time())


class OpenVault:
    """One bearer's vault while it is open: its content in memory, its keys, and a durable `save`."""

    def __init__(
        self, disk: Disk, path: Path, keys: Keys, content: bytes, random: Callable[[int], bytes]
    ) -> None:
        self._disk, self._path, self._random = disk, path, random
        self._keys: Keys | None = keys
        self._writing = threading.Lock()
        self.content = content

    def __repr__(self) -> str:
        return f"<vault {'open' if self._keys else 'shut'}>"

    async def save(self, content: bytes) -> None:
        """Replace the content; durable when this returns. On an error the old content stands."""
        await asyncio.to_thread(self._save, content)

    def _save(self, content: bytes) -> None:
        with self._writing:
            if self._keys is None:
                raise LockedError
            sealed = vaultfile.seal(self._keys, self._random(vaultfile.NONCE_BYTES), content)
            if len(sealed) > vaultfile.MAX_VAULT_BYTES:
                raise StorageError("vault_too_big")
            replace_safely(self._disk, self._path, sealed)
            self.content = content

    async def rekey(self, keys: Keys) -> None:
        """Seal the content under new keys (another PIN); the old keys are wiped."""
        await asyncio.to_thread(self._rekey, keys)

    def _rekey(self, keys: Keys) -> None:
        with self._writing:
            old = self._keys
            if old is None:
                raise LockedError
            sealed = vaultfile.seal(keys, self._random(vaultfile.NONCE_BYTES), self.content)
            replace_safely(self._disk, self._path, sealed)
            self._keys = keys
            old.wipe()

    def close(self) -> None:
        """Forget the content and wipe the keys; waits for a write that is under way."""
        with self._writing:
            if self._keys is not None:
                self._keys.wipe()
            self._keys, self.content = None, b""


class Vaults:
    """All vaults in one folder. Clocks, randomness and disk are handed in so that tests own them.

    `now` is the phone's wall clock (Unix seconds), `monotonic` one that nobody can set. A wait must have
    passed on both, so setting the phone's clock forward does not shorten it while the app runs.
    """

    def __init__(
        self,
        folder: Path,
        *,
        disk: Disk | None = None,
        cost: Cost | None = None,
        now: Callable[[], int] = _wall_clock,
        monotonic: Callable[[], float] = time.monotonic,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._folder, self._disk, self._cost = folder, disk or Disk(), cost or Cost()
        self._now, self._monotonic, self._random = now, monotonic, random
        self._last_failure: dict[str, float] = {}
        self._one_at_a_time = asyncio.Lock()
        self._disk.make_folder(folder)

    def bearers(self) -> list[str]:
        """Identifiers of the bearers that have a vault here, whole or damaged."""
        names = self._disk.names(self._folder)
        found = {name.removesuffix(".old") for name in names if name.removesuffix(".old").endswith(_SUFFIX)}
        return sorted(name.removesuffix(_SUFFIX) for name in found)

    def attempts(self, bearer_id: str) -> Attempts:
        """How many tries are left."""
        return self._attempt_file(bearer_id).load()

    def wait_seconds(self, bearer_id: str) -> int:
        """How long until the next PIN may be tried."""
        attempts = self.attempts(bearer_id)
        if attempts.last_at > self._now():
            # The clock was set back: wait the whole delay once from here, not until the clock catches up.
            self._attempt_file(bearer_id).store(attempts.failed, self._now())
            attempts = self.attempts(bearer_id)
        waits = [attempts.wait(self._now())]
        if bearer_id in self._last_failure:
            waits.append(int(attempts.delay() - (self._monotonic() - self._last_failure[bearer_id]) + 0.999))
        return max(0, *waits)

    async def create(self, bearer_id: str, pin: str, content: bytes) -> OpenVault:
        """Make a vault; WeakPinError before anything is written. Replaces that bearer's old one."""
        check_new_pin(pin)
        keys = await asyncio.to_thread(self._derive_new, pin)
        vault = OpenVault(self._disk, self._path(bearer_id), keys, content, self._random)
        await asyncio.to_thread(self._attempt_file(bearer_id).create)
        await vault.save(content)
        self._last_failure.pop(bearer_id, None)
        return vault

    async def unlock(self, bearer_id: str, pin: str) -> OpenVault:
        """Open a vault. Every try is counted on disk before it is made, so killing the app wins nothing.

        Raises NotEnrolledError, PinDelayError, VaultCorruptError, VaultTooNewError (none of these counts),
        WrongPinError, and VaultWipedError at the tenth wrong PIN.
        """
        async with self._one_at_a_time:
            shut = await asyncio.to_thread(self._read, bearer_id)
            before = self.attempts(bearer_id)
            if before.failed >= MAX_FAILURES:
                # The tenth try was counted and then the app was killed before it could be judged wrong.
                await asyncio.to_thread(self.wipe, bearer_id)
                raise VaultWipedError
            if wait := self.wait_seconds(bearer_id):
                raise PinDelayError(wait_seconds=wait, attempts_left=before.left)
            counter = self._attempt_file(bearer_id)
            await asyncio.to_thread(counter.store, before.failed + 1, self._now())
            keys = await asyncio.to_thread(vaultfile.derive, normalise(pin), shut.salt, shut.cost)
            try:
                content = shut.open(keys)
            except WrongPinError:
                raise await self._wrong(bearer_id) from None
            await asyncio.to_thread(counter.store, 0, self._now())
            self._last_failure.pop(bearer_id, None)
            return OpenVault(self._disk, self._path(bearer_id), keys, content, self._random)

    async def change_pin(self, bearer_id: str, vault: OpenVault, old_pin: str, new_pin: str) -> None:
        """Seal an open vault under a new PIN; the old one is asked for again and counted like an unlock."""
        check_new_pin(new_pin)
        (await self.unlock(bearer_id, old_pin)).close()
        await vault.rekey(await asyncio.to_thread(self._derive_new, new_pin))

    def wipe(self, bearer_id: str) -> None:
        """Delete a bearer's vault and all its copies.

        Flash storage may keep old blocks until it reuses them; they stay encrypted under the PIN.
        """
        path = self._path(bearer_id)
        for copy in (path, previous(path), temporary(path), path.with_suffix(".tries")):
            self._disk.remove(copy)
        self._disk.sync_dir(self._folder)
        self._last_failure.pop(bearer_id, None)

    async def _wrong(self, bearer_id: str) -> WrongPinError | VaultWipedError:
        """The error to raise for a wrong PIN already counted on disk; wipes if it was the last."""
        attempts = self.attempts(bearer_id)
        self._last_failure[bearer_id] = self._monotonic()
        if attempts.failed >= MAX_FAILURES:
            await asyncio.to_thread(self.wipe, bearer_id)
            return VaultWipedError()
        return WrongPinError(attempts_left=attempts.left, wait_seconds=self.wait_seconds(bearer_id))

    def _read(self, bearer_id: str) -> Shut:
        """The newest whole copy; finishes what a power cut left half done."""
        path = self._path(bearer_id)
        damaged = False
        for copy in (path, previous(path)):
            try:
                shut = vaultfile.parse(self._disk.read(copy, vaultfile.MAX_VAULT_BYTES))
            except FileNotFoundError:
                continue
            except VaultCorruptError:
                damaged = True
                continue
            if copy != path:
                self._disk.replace(copy, path)
                self._disk.sync_dir(self._folder)
            self._disk.remove(previous(path))
            return shut
        raise VaultCorruptError if damaged else NotEnrolledError

    def _derive_new(self, pin: str) -> Keys:
        return vaultfile.derive(normalise(pin), self._random(vaultfile.SALT_BYTES), self._cost)

    def _attempt_file(self, bearer_id: str) -> AttemptFile:
        return AttemptFile(self._disk, self._path(bearer_id).with_suffix(".tries"))

    def _path(self, bearer_id: str) -> Path:
        if not _SAFE_NAME.fullmatch(bearer_id):
            raise NotEnrolledError(bearer=bearer_id[:64])
        return self._folder / f"{bearer_id}{_SUFFIX}"

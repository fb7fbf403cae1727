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
import time
from collections.abc import Callable
from pathlib import Path

from mobile.engine.errors import (
    HardwareKeyError,
    NotEnrolledError,
    PinDelayError,
    VaultCorruptError,
    VaultWipedError,
    WrongPinError,
)
from mobile.engine.openvault import OpenVault
from mobile.engine.storage import vaultfile
from mobile.engine.storage.attempts import FAILURES_WHEN_UNREADABLE, MAX_FAILURES, AttemptFile, Attempts
from mobile.engine.storage.disk import Disk, previous, temporary
from mobile.engine.storage.guard import Guard
from mobile.engine.storage.hardware import HardwareKeys
from mobile.engine.storage.pin import check_new_pin, normalise
from mobile.engine.storage.vaultfile import Cost, Keys, Shut

_SAFE_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SUFFIX = ".vault"


def _wall_clock() -> int:
    return int(time.time())


def _at_once(work: Callable[[], Shut]) -> Shut:
    return work()


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
        hardware: HardwareKeys | None = None,
        now: Callable[[], int] = _wall_clock,
        monotonic: Callable[[], float] = time.monotonic,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._folder, self._disk, self._cost = folder, disk or Disk(), cost or Cost()
        self._now, self._monotonic, self._random = now, monotonic, random
        self._hardware = hardware
        self._guards: dict[str, Guard] = {}
        self._counters: dict[str, AttemptFile] = {}
        self._last_failure: dict[str, float] = {}
        self._one_at_a_time = asyncio.Lock()
        self._disk.make_folder(folder)

    def bearers(self) -> list[str]:
        """Identifiers of the bearers that have a vault here, whole or damaged."""
        names = self._disk.names(self._folder)
        found = {name.removesuffix(".old") for name in names if name.removesuffix(".old").endswith(_SUFFIX)}
        return sorted(name.removesuffix(_SUFFIX) for name in found)

    def ask_hardware(self) -> None:
        """HardwareKeyError when there is key hardware and it does not answer."""
        if self._hardware is not None:
            self._hardware.names()

    def tidy(self) -> None:
        """Finish making or wiping a vault that the power cut short: nothing stays of one that is not here."""
        known = set(self.bearers())
        for name in self._disk.names(self._folder):
            if name.split(".")[0] not in known:
                self._disk.remove(self._folder / name)
        if self._hardware is not None:
            for name in self._hardware.names():
                if name.split(".")[0] not in known:
                    self._hardware.delete(name)

    def attempts(self, bearer_id: str) -> Attempts:
        """How many tries are left."""
        return self._counter(bearer_id).load()

    def wait_seconds(self, bearer_id: str) -> int:
        """How long until the next PIN may be tried."""
        attempts = self.attempts(bearer_id)
        if attempts.last_at > self._now():
            # The clock was set back: wait the whole delay once from here, not until the clock catches up.
            self._counter(bearer_id).store(attempts.failed, self._now())
            attempts = self.attempts(bearer_id)
        waits = [attempts.wait(self._now())]
        if bearer_id in self._last_failure:
            waits.append(int(attempts.delay() - (self._monotonic() - self._last_failure[bearer_id]) + 0.999))
        return max(0, *waits)

    async def create(self, bearer_id: str, pin: str, content: bytes) -> OpenVault:
        """Make a vault; WeakPinError before anything is written. Replaces that bearer's old one."""
        check_new_pin(pin)
        keys = await asyncio.to_thread(self._begin, bearer_id, pin)
        vault = self._opened(bearer_id, keys, content)
        await vault.save(content, firmly=True)
        await asyncio.to_thread(self._guard(bearer_id).forget_other_pin_keys, keys.hardware_key)
        self._last_failure.pop(bearer_id, None)
        return vault

    async def unlock(self, bearer_id: str, pin: str, *, beside: OpenVault | None = None) -> OpenVault:
        """Open a vault. Every try is counted on disk before it is made, so killing the app wins nothing.

        `beside`: the same vault, which is open; reading mends what a power cut left, and a save that is under
        way looks just like that.

        Raises NotEnrolledError, PinDelayError, VaultCorruptError, VaultTooNewError, HardwareKeyError (none of
        these counts), WrongPinError, and VaultWipedError at the tenth wrong PIN.
        """
        async with self._one_at_a_time:
            still = beside.while_still if beside is not None else _at_once
            shut = await asyncio.to_thread(still, lambda: self._read(bearer_id))
            before = await asyncio.to_thread(self._attempts_against, bearer_id, shut)
            if before.failed >= MAX_FAILURES:
                # The tenth try was counted and then the app was killed before it could be judged wrong.
                await asyncio.to_thread(self.wipe, bearer_id)
                raise VaultWipedError
            if wait := await asyncio.to_thread(self.wait_seconds, bearer_id):
                raise PinDelayError(wait_seconds=wait, attempts_left=before.left)
            counter = self._counter(bearer_id)
            await asyncio.to_thread(counter.store, before.failed + 1, self._now())
            try:
                keys = await asyncio.to_thread(self._derive, bearer_id, pin, shut)
            except HardwareKeyError:
                await asyncio.to_thread(counter.store, before.failed, before.last_at)
                raise
            try:
                content = shut.open(keys)
            except WrongPinError:
                raise await self._wrong(bearer_id) from None
            await asyncio.to_thread(counter.store, 0, self._now(), shut.generation)
            await asyncio.to_thread(self._guard(bearer_id).forget_other_pin_keys, keys.hardware_key)
            self._last_failure.pop(bearer_id, None)
            return self._opened(bearer_id, keys, content, shut.generation, before.seen)

    async def change_pin(self, bearer_id: str, vault: OpenVault, old_pin: str, new_pin: str) -> None:
        """Seal an open vault under a new PIN; the old one is asked for again and counted like an unlock.

        Where there is hardware the new PIN gets a new key and the old one is destroyed: no copy of the vault
        from before can be opened again, not even with the old PIN.
        """
        check_new_pin(new_pin)
        (await self.unlock(bearer_id, old_pin, beside=vault)).close()
        keys = await asyncio.to_thread(self._derive_new, bearer_id, new_pin)
        await vault.rekey(keys)
        await asyncio.to_thread(self._guard(bearer_id).forget_other_pin_keys, keys.hardware_key)

    def wipe(self, bearer_id: str) -> None:
        """Destroy a bearer's hardware keys, then delete the vault and all its copies.

        Flash storage may keep old blocks until it reuses them; they stay encrypted, and with a hardware key
        they can never be opened again.
        """
        path = self._path(bearer_id)
        try:
            self._guard(bearer_id).destroy()
        finally:  # also when the hardware does not answer
            for copy in (path, previous(path), temporary(path), path.with_suffix(".tries")):
                self._disk.remove(copy)
            self._disk.sync_dir(self._folder)
            self._last_failure.pop(bearer_id, None)

    async def _wrong(self, bearer_id: str) -> WrongPinError | VaultWipedError:
        """The error to raise for a wrong PIN already counted on disk; wipes if it was the last."""
        attempts = await asyncio.to_thread(self.attempts, bearer_id)
        self._last_failure[bearer_id] = self._monotonic()
        if attempts.failed >= MAX_FAILURES:
            await asyncio.to_thread(self.wipe, bearer_id)
            return VaultWipedError()
        await asyncio.to_thread(self._guard(bearer_id).mark, attempts.mark)
        return WrongPinError(attempts_left=attempts.left, wait_seconds=self.wait_seconds(bearer_id))

    def _attempts_against(self, bearer_id: str, shut: Shut) -> Attempts:
        """The tries so far. A counting file that lags behind the vault has been put back: half way, at least.

        It may lag by one: the power can go between the vault's write and the counter's.
        """
        attempts = self.attempts(bearer_id)
        if attempts.seen + 1 >= shut.generation or attempts.failed >= FAILURES_WHEN_UNREADABLE:
            return attempts
        return self._counter(bearer_id).store(FAILURES_WHEN_UNREADABLE, self._now(), shut.generation)

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

    def _begin(self, bearer_id: str, pin: str) -> Keys:
        self._path(bearer_id)
        keys = self._derive_new(bearer_id, pin)
        self._counter(bearer_id).create()
        return keys

    def _derive_new(self, bearer_id: str, pin: str) -> Keys:
        guard = self._guard(bearer_id)
        guard.begin()
        number = guard.new_pin_key()
        salt = self._random(vaultfile.SALT_BYTES)
        return vaultfile.derive(normalise(pin), salt, self._cost, number, guard.asker(number))

    def _derive(self, bearer_id: str, pin: str, shut: Shut) -> Keys:
        ask = self._guard(bearer_id).asker(shut.hardware_key)
        return vaultfile.derive(normalise(pin), shut.salt, shut.cost, shut.hardware_key, ask)

    def _opened(
        self, bearer_id: str, keys: Keys, content: bytes, generation: int = 0, seen: int = 0
    ) -> OpenVault:
        return OpenVault(
            self._disk,
            self._path(bearer_id),
            keys,
            content,
            counter=self._counter(bearer_id),
            random=self._random,
            generation=max(generation, seen),
            older=generation < seen,
        )

    def _guard(self, bearer_id: str) -> Guard:
        return self._guards.setdefault(bearer_id, Guard(self._hardware, bearer_id))

    def _counter(self, bearer_id: str) -> AttemptFile:
        path = self._path(bearer_id).with_suffix(".tries")
        made = AttemptFile(self._disk, path, self._guard(bearer_id))
        return self._counters.setdefault(bearer_id, made)

    def _path(self, bearer_id: str) -> Path:
        if not _SAFE_NAME.fullmatch(bearer_id):
            raise NotEnrolledError(bearer=bearer_id[:64])
        return self._folder / f"{bearer_id}{_SUFFIX}"

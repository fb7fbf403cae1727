"""The open vault as the engine uses it: the content of now, and one durable change at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from mobile.engine import content as codec
from mobile.engine.content import Content
from mobile.engine.errors import LockedError
from mobile.engine.openvault import OpenVault

Change = Callable[[Content], Content]


class Keyring:
    """Nothing readable stays here after `close`. Holds no vault until `open`."""

    def __init__(self) -> None:
        self._vault: OpenVault | None = None
        self._content: Content | None = None
        self._encoder = codec.Encoder()
        self._changing = asyncio.Lock()

    def __repr__(self) -> str:
        return f"<keyring {'open' if self._vault else 'shut'}>"

    @property
    def is_open(self) -> bool:
        """True while a vault is open."""
        return self._content is not None

    @property
    def content(self) -> Content:
        """What the open vault holds. Raises LockedError when it is shut."""
        if self._content is None:
            raise LockedError
        return self._content

    @property
    def vault(self) -> OpenVault:
        """The open vault itself, for another PIN. Raises LockedError when it is shut."""
        if self._vault is None:
            raise LockedError
        return self._vault

    async def open(self, vault: OpenVault, wanted: Callable[[], bool] = lambda: True) -> None:
        """Take over an unlocked vault; VaultCorruptError or VaultTooNewError leave it shut.

        LockedError when it is not `wanted` any more: the app was locked while its content was being read.
        """
        try:
            content = await asyncio.to_thread(codec.decode, vault.content)
            if not wanted():
                raise LockedError
        except BaseException:
            vault.close()
            raise
        self._vault, self._content = vault, content

    def hold(self) -> Callable[[], None]:
        """Note whose vault is open, before waiting for anything that concerns its person.

        The returned function raises LockedError unless it is open still: on a phone that several share the
        answer to one person's question must not reach another's vault.
        """
        mine = self.vault

        def still() -> None:
            if self._vault is not mine:
                raise LockedError

        return still

    async def change(self, change: Change) -> Content:
        """Make a change and store it whole. When this raises, both vault and memory are as before."""
        still = self.hold()
        async with self._changing:
            still()
            vault, new = self.vault, change(self.content)
            taken = _takes_away(self.content, new)
            await vault.save(await asyncio.to_thread(self._encoder.encode, new), firmly=taken)
            if self._vault is vault:
                self._content = new
            return new

    async def note(self, change: Change) -> None:
        """Make a change that may be lost: kept in memory, stored together with the next real one."""
        still = self.hold()
        async with self._changing:
            still()
            self._content = change(self.content)

    def abandon(self) -> None:
        """The vault's files have been wiped: from now on nothing may be saved. Wipes the keys at once."""
        vault, self._vault, self._content = self._vault, None, None
        self._encoder = codec.Encoder()
        if vault is not None:
            vault.close()

    async def close(self) -> None:
        """Wait for a change under way, then forget everything and wipe the keys."""
        async with self._changing:
            vault, self._vault, self._content = self._vault, None, None
            self._encoder = codec.Encoder()
        if vault is not None:
            await asyncio.to_thread(vault.close)


def _takes_away(old: Content, new: Content) -> bool:
    """Whether an older copy of the vault would give back a right or a session that is gone."""
    return bool(old.rights.keys() - new.rights.keys()) or (bool(old.session) and old.session != new.session)

"""Role keys in the database, each sealed under the server's encryption keys (`server.tenancy.custody`).

Opening a key costs an AES-GCM decryption; issuing a thousand tokens shall pay that once. What is held open is
bounded in number and age, and a key is found by its sealed bytes, so a re-sealed row is opened anew.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict

from protocol.keys import Signer, SigningKey, x25519_public
from server.tenancy import custody
from server.tenancy.keepers.port import KeyMissingError
from server.tenancy.models import RoleKey

MAX_OPEN_KEYS = 64
MAX_AGE_S = 300.0

_open: OrderedDict[tuple[int, bytes], tuple[float, bytes]] = OrderedDict()
_guard = threading.Lock()


def context_of(key: RoleKey) -> str:
    """Return what a sealed private key is bound to: its municipality, role and name."""
    return f"rolekey:{key.municipality_id}:{key.role}:{bytes(key.kid).hex()}"


def private_half(key: RoleKey) -> bytes:
    """Return the 32-byte private key, from memory or unsealed; raises `KeyMissingError`, `SealError`."""
    if key.sealed_private_key is None:
        raise KeyMissingError(f"role key {bytes(key.kid).hex()} has no private half here")
    name = (key.pk, bytes(key.sealed_private_key))
    now = time.monotonic()
    with _guard:
        found = _open.get(name)
        if found is not None and now - found[0] < MAX_AGE_S:
            _open.move_to_end(name)
            return found[1]
    secret = custody.unseal(bytes(key.sealed_private_key), context_of(key))
    with _guard:
        _open[name] = (now, secret)
        _open.move_to_end(name)
        while len(_open) > MAX_OPEN_KEYS:
            _open.popitem(last=False)
    return secret


class DatabaseKeeper:
    """Sealed in the row itself."""

    def make(self, key: RoleKey) -> None:
        """Draw a private key; it is sealed before it touches the database."""
        private = secrets.token_bytes(32)
        sealing = key.role == RoleKey.Role.SEALING
        public = x25519_public(private) if sealing else SigningKey.from_seed(bytes(key.kid), private).public
        key.public_key = public
        key.sealed_private_key = custody.seal(private, context_of(key))

    def signer(self, key: RoleKey) -> Signer:
        """Return the opened key."""
        return SigningKey.from_seed(bytes(key.kid), private_half(key)).private

    def erase(self, key: RoleKey) -> None:
        """Leave nothing in the row. Back-ups hold it until they are gone."""
        key.sealed_private_key = None
        self.forget()

    def forget(self) -> None:
        """Drop every opened key."""
        with _guard:
            _open.clear()

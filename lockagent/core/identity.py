"""The lock's own keys, as the core uses them."""

from __future__ import annotations

from dataclasses import dataclass, field

from protocol import suites
from protocol.identity import LockIdentity
from protocol.keys import SigningKey, x25519_public


@dataclass(frozen=True)
class LockSecrets:
    """Three private keys of 32 bytes that never leave the lock."""

    static_private: bytes = field(repr=False)
    """X25519, proves the lock in the handshake."""
    log_seed: bytes = field(repr=False)
    """Ed25519, signs the log."""
    seal_private: bytes = field(repr=False)
    """X25519, opens the secrets inside bulletins."""

    @property
    def identity(self) -> LockIdentity:
        """The public halves."""
        return LockIdentity(
            static_public=x25519_public(self.static_private),
            log_public=SigningKey.from_seed(b"\0", self.log_seed).public,
            seal_public=x25519_public(self.seal_private),
            suites=suites.ALL,
        )

    @property
    def log_key(self) -> SigningKey:
        """The key that signs log batches, under the lock id."""
        return SigningKey.from_seed(self.identity.lock_id, self.log_seed)

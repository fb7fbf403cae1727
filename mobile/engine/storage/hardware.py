"""The port to keys that the phone's hardware holds and never hands out (on Android: the Keystore).

A vault made where there is such hardware takes one step more than Argon2id: a keyed hash (HMAC-SHA256) whose
key lives in the hardware alone (a "pepper"). NIST SP 800-63B-4, 3.1.1.2, recommends it to whoever checks
passwords: one more keyed hash, under a key kept apart in protected hardware. It is chosen before a wrapped
key, because that must be unwrapped into memory to be used, and who has seen it once guesses elsewhere for
ever; here every single guess must ask this phone. How the answer is mixed in stands in
`mobile.engine.storage.vaultfile`.

It also holds, where the server takes such keys, the bearer's own: a P-256 key for suite 2 of the door
protocol, which is gone with the phone.

The names of the keys serve a second time: they are the one place on the phone outside the app's own files, so
that an older copy of those files can be told from the newest (`mobile.engine.storage.guard`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class HardwareKeys(Protocol):
    """Keys for HMAC-SHA256 and ECDSA that cannot be read, copied or restored from a backup.

    Every method may block for some tenths of a second and is called from a worker thread, one at a time for
    each vault. All raise `mobile.engine.errors.HardwareKeyError` when the hardware does not answer. A name is
    made of A-Z, a-z, 0-9, "-", "_" and ".", and is at most 128 characters.
    """

    @property
    def level(self) -> str:
        """Where the keys live: "strongbox" (a chip of its own) or "tee" (the processor's guarded part)."""
        ...

    def create(self, name: str) -> None:
        """Make a key; it is durable when this returns. One that is there already is left as it is."""
        ...

    def mac(self, name: str, message: bytes) -> bytes:
        """HMAC-SHA256 of at most 64 bytes, 32 bytes. HardwareKeyGoneError when there is no such key."""
        ...

    def create_signer(self, name: str) -> bytes | None:
        """Make a P-256 key; durable when this returns. One of that name that is there already is replaced.

        Returns its public half as a compressed point, 33 bytes; None where only software would hold it.
        """
        ...

    def sign(self, name: str, message: bytes) -> bytes:
        """ECDSA with SHA-256 as ASN.1 DER. HardwareKeyGoneError when there is no such key.

        May be asked while another of these calls is under way: a door is opened while the vault is saved.
        """
        ...

    def names(self) -> Sequence[str]:
        """The names of this app's keys, in any order."""
        ...

    def delete(self, name: str) -> None:
        """Destroy a key for good; durable when this returns. One that is not there is no error."""
        ...

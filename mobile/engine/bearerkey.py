"""The bearer's own key: where it lives decides its type, and its type the suite of every handshake.

A phone with key hardware makes a P-256 key there when the server takes such keys. It never leaves the chip:
a copied vault opens no door, whatever the PIN. Every other phone makes an X25519 key that lies in the vault.
That is settled once, at enrolment; there is no falling back at a door.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from mobile.engine.content import Identity
from mobile.engine.errors import HardwareKeyError
from mobile.engine.storage.hardware import HardwareKeys
from protocol.errors import ProtocolError
from protocol.keys import HolderKey, KeyType, x25519_public
from protocol.phonekeys import PhoneKey, X25519Key


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was made for one enrolment."""

    holder: HolderKey
    private: bytes = field(default=b"", repr=False)
    name: str = ""
    """In the hardware; "" for a key in software."""


@dataclass(frozen=True, slots=True)
class ChipKey:
    """`protocol.phonekeys.ProvingKey`, asked of the phone's hardware."""

    hardware: HardwareKeys
    name: str
    holder: HolderKey

    def sign(self, message: bytes) -> bytes:
        """See `ProvingKey`; takes some tenths of a second. Raises HardwareKeyError."""
        return self.hardware.sign(self.name, message)


def make(
    bearer: str, hardware: HardwareKeys | None, taken: Collection[int], random: Callable[[int], bytes]
) -> NewKey:
    """Make the best key that this phone can hold and the server takes (`taken`: key types). May block."""
    if hardware is not None and KeyType.P256 in taken:
        name = f"{bearer}.door"
        public = hardware.create_signer(name)
        if public is not None:
            return NewKey(_held(public), name=name)
    private = random(32)
    return NewKey(HolderKey(KeyType.X25519, x25519_public(private)), private=private)


def _held(public: bytes) -> HolderKey:
    try:
        return HolderKey(KeyType.P256, public)
    except ProtocolError as error:
        raise HardwareKeyError(why="no point of the curve") from error


def holder_of(identity: Identity) -> HolderKey:
    """The key that this bearer's tokens are bound to."""
    if identity.hardware_key:
        return HolderKey(KeyType.P256, identity.public_key)
    return HolderKey(KeyType.X25519, x25519_public(identity.private_key))


def of(identity: Identity, hardware: HardwareKeys | None) -> PhoneKey:
    """The key to shake hands with. Raises HardwareKeyError when it lives in hardware that is not here."""
    if not identity.hardware_key:
        return X25519Key(identity.private_key)
    if hardware is None:
        raise HardwareKeyError(why="no hardware")
    return ChipKey(hardware, identity.hardware_key, holder_of(identity))

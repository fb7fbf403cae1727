"""A phone's own key, whose type chooses the suite: X25519 in software, or P-256 wherever it lives."""

from dataclasses import dataclass, field
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from protocol import fields
from protocol.errors import ProtocolError
from protocol.keys import HolderKey, KeyType, x25519_public


@dataclass(frozen=True)
class X25519Key:
    """Suite 1: 32 private bytes in the phone's vault."""

    private: bytes = field(repr=False)

    def __post_init__(self) -> None:
        fields.octets(self.private, 32, "X25519 private key")

    @property
    def holder(self) -> HolderKey:
        """The public half."""
        return HolderKey(KeyType.X25519, x25519_public(self.private))


class ProvingKey(Protocol):
    """Suite 2: a P-256 key that signs and is never seen; on Android the Keystore holds it."""

    @property
    def holder(self) -> HolderKey:
        """The public half, of type P256."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return ECDSA with SHA-256 over `message` as ASN.1 DER (X9.62). May block on hardware."""
        ...


class P256Key:
    """Suite 2 in software: what simulated phones and the vectors use."""

    def __init__(self, private: bytes) -> None:
        """`private`: the scalar, 32 bytes, from 1 to the group's order less 1."""
        number = int.from_bytes(fields.octets(private, 32, "P-256 private key"), "big")
        try:
            self._key = ec.derive_private_key(number, ec.SECP256R1())
        except ValueError:
            raise ProtocolError("P-256 private key is out of range") from None

    @property
    def holder(self) -> HolderKey:
        """See `ProvingKey`."""
        public = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
        return HolderKey(KeyType.P256, public)

    def sign(self, message: bytes) -> bytes:
        """See `ProvingKey`; the nonce is that of RFC 6979, so the handshake stays a pure function."""
        return self._key.sign(message, ec.ECDSA(SHA256(), deterministic_signing=True))


PhoneKey = X25519Key | ProvingKey

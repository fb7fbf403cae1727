"""Signing keys and the keys that phones hold, with their secrets kept out of every ``repr``."""

import hashlib
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from protocol import fields
from protocol.errors import ProtocolError, SignatureError

KID_LENGTH = 2
"""Role keys are named by two bytes, unique per role in one manifest; short, for they ride in every token."""

PUBLIC_KEY_LENGTH = 32
SIGNATURE_LENGTH = 64


class KeyType(IntEnum):
    """What kind of key a phone holds; it alone chooses the handshake suite."""

    X25519 = 1
    """Software key, suite 1."""
    P256 = 2
    """Key that hardware may hold, suite 2."""


_HOLDER_KEY_LENGTH = {KeyType.X25519: 32, KeyType.P256: 33}
_P256_FIELD = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
"""The prime of P-256 (NIST SP 800-186 section 3.2.1.3)."""
_COMPRESSED = (2, 3)
"""First byte of a compressed point: y even, y odd (SEC 1 version 2, section 2.3.3)."""


@dataclass(frozen=True)
class HolderKey:
    """A phone's public key, to which a token is bound (RFC 8747 semantics, carried outside the token)."""

    key_type: KeyType
    public: bytes

    def __post_init__(self) -> None:
        fields.octets(self.public, _HOLDER_KEY_LENGTH[self.key_type], "holder key")
        if self.key_type is KeyType.P256:
            _check_point(self.public)

    @property
    def encoded(self) -> bytes:
        """Key type byte followed by the key: the form that is signed and hashed."""
        return bytes([self.key_type]) + self.public

    @property
    def fingerprint(self) -> bytes:
        """First 8 bytes of SHA-256 over the encoded key: how log entries name a phone."""
        return hashlib.sha256(self.encoded).digest()[:8]


@dataclass(frozen=True)
class VerifyKey:
    """An Ed25519 public key (RFC 8032) with its key id."""

    kid: bytes
    public: bytes

    def __post_init__(self) -> None:
        fields.octets(self.public, PUBLIC_KEY_LENGTH, "Ed25519 public key")

    def verify(self, signature: bytes, message: bytes) -> None:
        """Raise SignatureError unless ``signature`` over ``message`` holds."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError):
            raise SignatureError("signature does not hold") from None


class Signer(Protocol):
    """Whatever signs with an Ed25519 private key: the key itself, or a module that keeps it to itself."""

    def sign(self, data: bytes, /) -> bytes:
        """Return the 64-byte signature over ``data``."""

    def public_key(self) -> Ed25519PublicKey:
        """Return the public half."""


@dataclass(frozen=True)
class SigningKey:
    """An Ed25519 private key, or who signs with it, under its key id."""

    kid: bytes
    private: Signer = field(repr=False)

    @classmethod
    def from_seed(cls, kid: bytes, seed: bytes) -> "SigningKey":
        """Make the key from its 32-byte seed (RFC 8032 section 5.1.5)."""
        return cls(kid, Ed25519PrivateKey.from_private_bytes(fields.octets(seed, 32, "Ed25519 seed")))

    @property
    def public(self) -> bytes:
        """The 32-byte public key."""
        return self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @property
    def verify_key(self) -> VerifyKey:
        """The public half under the same key id."""
        return VerifyKey(self.kid, self.public)

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature over ``message``."""
        return self.private.sign(message)


def x25519_public(private: bytes) -> bytes:
    """Return the public key of a 32-byte X25519 private key (RFC 7748)."""
    key = X25519PrivateKey.from_private_bytes(fields.octets(private, 32, "X25519 private key"))
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def _check_point(point: bytes) -> None:
    """Raise ProtocolError unless these 33 bytes are the one compressed form of a point on P-256."""
    if point[0] not in _COMPRESSED or int.from_bytes(point[1:], "big") >= _P256_FIELD:
        raise ProtocolError("not a compressed point")
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError:
        raise ProtocolError("not a point of the curve") from None


def holder_key(key_type: int, public: bytes) -> HolderKey:
    """Parse a phone's public key from outside."""
    try:
        return HolderKey(KeyType(key_type), public)
    except ValueError as error:
        if isinstance(error, ProtocolError):
            raise
        raise ProtocolError("unknown key type") from None

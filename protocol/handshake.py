"""Suite 1: ``Noise_KXpsk1_25519_AESGCM_SHA256`` (Noise revision 34), the lock speaking first.

    lock -> phone  m0 = e, psk                        48 bytes
    phone -> lock  m1 = mac1 || e, ee, se, s, es      request inside
    both           a channel, see ``Channel``

The lock is the Noise initiator, its static key known to the phone from the lock record. The pre-shared key
and the mac1 key come from the binding's adv_key, which everybody with that door shares: they keep strangers
out cheaply and authenticate nobody. ``noiseprotocol`` runs the handshake; whatever it raises ends the object.
"""

import hashlib
import hmac
from collections.abc import Callable
from enum import Enum
from typing import TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from noise.connection import Keypair, NoiseConnection
from noise.exceptions import (
    NoiseHandshakeError,
    NoiseInvalidMessage,
    NoiseMaxNonceError,
    NoiseValueError,
)

from protocol import fields, gatt
from protocol.errors import ChannelError, HandshakeFailedError, ProtocolError
from protocol.keys import KeyType

SUITE = 1
KEY_TYPE = KeyType.X25519
"""Suite 1 carries tokens bound to X25519 keys and no others."""

ADV_KEY_LENGTH = 32
MAC1_LENGTH = 8
M0_LENGTH = 48
M1_OVERHEAD = MAC1_LENGTH + 32 + 48 + 16
"""mac1, the phone's ephemeral, its encrypted static key, and the tag of the request."""
TAG_LENGTH = 16

_NAME = b"Noise_KXpsk1_25519_AESGCM_SHA256"
_NOISE_ERRORS = (
    InvalidTag,
    ValueError,
    NoiseValueError,
    NoiseHandshakeError,
    NoiseInvalidMessage,
    NoiseMaxNonceError,
)
_Result = TypeVar("_Result")


class Step(Enum):
    """Where a handshake failed; for counters, never told to the peer."""

    LENGTH = "length"
    MAC1 = "mac1"
    AEAD = "aead"


class M1Error(HandshakeFailedError):
    """An m1 that did not authenticate a phone."""

    def __init__(self, step: Step) -> None:
        super().__init__(f"handshake failed at {step.value}")
        self.step = step


class Channel:
    """The two directions of an established session (AES-256-GCM, Noise transport messages)."""

    def __init__(self, noise: NoiseConnection) -> None:
        self._noise: NoiseConnection | None = noise

    def encrypt(self, plaintext: bytes) -> bytes:
        """Return the sealed message: plaintext plus 16 bytes of tag."""
        return bytes(self._call(lambda noise: noise.encrypt(plaintext)))

    def decrypt(self, message: bytes) -> bytes:
        """Open the peer's next message; after a failure the channel stays dead."""
        return bytes(self._call(lambda noise: noise.decrypt(message)))

    def _call(self, operation: Callable[[NoiseConnection], bytes]) -> bytes:
        if self._noise is None:
            raise ChannelError("session has ended")
        try:
            return operation(self._noise)
        except _NOISE_ERRORS:
            self._noise = None
            raise ChannelError("message does not belong to this session") from None


class LockHandshake:
    """The lock's side: made with fresh randomness for one m0, good for one m1."""

    def __init__(self, *, static_private: bytes, adv_key: bytes, binding: bytes, ephemeral: bytes) -> None:
        """Every argument but the 8-byte ``binding`` is 32 secret bytes; ``ephemeral`` must be fresh."""
        self._mac_key = _derive(adv_key, "mac")
        noise = _noise(adv_key, binding)
        noise.set_as_initiator()
        noise.set_keypair_from_private_bytes(Keypair.STATIC, fields.octets(static_private, 32, "static key"))
        _start(noise, ephemeral)
        self.m0 = bytes(noise.write_message(b""))
        self._noise: NoiseConnection | None = noise

    def mac1_holds(self, m1: bytes) -> bool:
        """Say whether ``m1`` was made by somebody with this door's adv_key for this m0; costs one HMAC."""
        expected = _mac1(self._mac_key, self.m0, m1[MAC1_LENGTH:])
        return hmac.compare_digest(expected, m1[:MAC1_LENGTH])

    def read_m1(self, m1: bytes) -> tuple[bytes, bytes, Channel]:
        """Return (the phone's static public key, the request, the channel).

        Checks length, mac1 and AEAD in this order and raises M1Error naming the first that failed. One m1
        per m0: the object is spent afterwards, whatever came of it.
        """
        noise, self._noise = self._noise, None
        if noise is None:
            raise ProtocolError("this m0 has had its m1")
        if not M1_OVERHEAD < len(m1) <= gatt.MAX_HANDSHAKE_MESSAGE:
            raise M1Error(Step.LENGTH)
        if not self.mac1_holds(m1):
            raise M1Error(Step.MAC1)
        handshake_state = noise.noise_protocol.handshake_state
        request = _guard(lambda: bytes(noise.read_message(m1[MAC1_LENGTH:])))
        return bytes(handshake_state.rs.public_bytes), request, Channel(noise)


class PhoneHandshake:
    """The phone's side: one attempt at one door."""

    def __init__(
        self, *, static_private: bytes, lock_static: bytes, adv_key: bytes, binding: bytes, ephemeral: bytes
    ) -> None:
        """``lock_static`` is the lock's public key from its lock record; ``ephemeral`` must be fresh."""
        self._mac_key = _derive(adv_key, "mac")
        noise = _noise(adv_key, binding)
        noise.set_as_responder()
        noise.set_keypair_from_private_bytes(Keypair.STATIC, fields.octets(static_private, 32, "static key"))
        noise.set_keypair_from_public_bytes(
            Keypair.REMOTE_STATIC, fields.octets(lock_static, 32, "lock static")
        )
        _start(noise, ephemeral)
        self._noise: NoiseConnection | None = noise

    def answer(self, m0: bytes, request: bytes) -> tuple[bytes, Channel]:
        """Return (m1 carrying ``request``, the channel); raises HandshakeFailedError for a foreign m0."""
        noise, self._noise = self._noise, None
        if noise is None:
            raise ProtocolError("this handshake is spent")
        if len(m0) != M0_LENGTH:
            raise M1Error(Step.LENGTH)
        _guard(lambda: noise.read_message(m0))
        rest = _guard(lambda: bytes(noise.write_message(request)))
        return _mac1(self._mac_key, m0, rest) + rest, Channel(noise)


def m0_hash(m0: bytes) -> bytes:
    """SHA-256 of m0: what a fresh time statement is signed over."""
    return hashlib.sha256(m0).digest()


def _mac1(key: bytes, m0: bytes, rest: bytes) -> bytes:
    return hmac.digest(key, m0 + rest, "sha256")[:MAC1_LENGTH]


def _noise(adv_key: bytes, binding: bytes) -> NoiseConnection:
    noise = NoiseConnection.from_name(_NAME)
    noise.set_prologue(prologue(binding))
    noise.set_psks(_derive(adv_key, "psk"))
    return noise


def _start(noise: NoiseConnection, ephemeral: bytes) -> None:
    """Begin with an ephemeral key from outside.

    Randomness is the caller's, so that the handshake stays a pure function; the library's own way of
    presetting the key is meant for its tests and warns.
    """
    noise.start_handshake()
    state = noise.noise_protocol.handshake_state
    state.e = noise.noise_protocol.dh_fn.klass.from_private_bytes(fields.octets(ephemeral, 32, "ephemeral"))


def prologue(binding: bytes) -> bytes:
    """Return the Noise prologue: protocol version, suite and binding."""
    return b"nyckelfri" + bytes([gatt.PROTOCOL_VERSION, SUITE]) + fields.octets(binding, 8, "binding")


def _derive(adv_key: bytes, label: str) -> bytes:
    """HKDF-SHA256 (RFC 5869) without salt, info ``nyckelfri-<label>-1``, 32 bytes."""
    fields.octets(adv_key, ADV_KEY_LENGTH, "adv_key")
    return HKDF(SHA256(), 32, None, f"nyckelfri-{label}-1".encode()).derive(adv_key)


def _guard(operation: Callable[[], _Result]) -> _Result:
    try:
        return operation()
    except _NOISE_ERRORS:
        raise M1Error(Step.AEAD) from None

"""The handshake of both suites (Noise revision 34), the lock speaking first.

    lock -> phone  m0 = e, psk                            48 bytes
    phone -> lock  m1 = mac1 || e, ee, se, s, es          suite 1 (KXpsk1): request inside
                   m1 = mac1 || e, ee, se                 suite 2 (KNpsk1): proof, key and request inside
    both           a channel, see ``Channel``

The lock is the Noise initiator, its static key known to the phone from the lock record. The pre-shared key
and the mac1 key come from the binding's adv_key, which everybody with that door shares: they keep strangers
out cheaply and authenticate nobody. ``noiseprotocol`` runs the handshake; whatever it raises ends the object.
"""

import copy
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

from protocol import fields, gatt, possession, suites
from protocol.errors import ChannelError, HandshakeFailedError, ProtocolError
from protocol.keys import HolderKey, KeyType
from protocol.phonekeys import PhoneKey, X25519Key
from protocol.suites import SUITE_1, Suite

ADV_KEY_LENGTH = 32
MAC1_LENGTH = 8
M0_LENGTH = 48
TAG_LENGTH = 16

_EPHEMERAL_LENGTH = 32
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
    PROOF = "proof"
    """Suite 2 only: the phone's key or its proof does not hold."""


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


class LockDoor:
    """What a lock's handshakes of one suite at one door have in common, computed once."""

    def __init__(
        self,
        *,
        static_private: bytes,
        adv_key: bytes,
        binding: bytes,
        suite: Suite = SUITE_1,
        identity: bytes = b"",
    ) -> None:
        """Both keys are 32 secret bytes, ``binding`` is 8. ``identity``: said with m0 by a lock in setup."""
        self.suite, self.identity = suite, identity
        self.binding = fields.octets(binding, 8, "binding")
        self.mac_key = _derive(adv_key, "mac")
        self._begun = _noise(suite, _derive(adv_key, "psk"), self.binding)
        private = fields.octets(static_private, 32, "static key")
        self._begun.set_keypair_from_private_bytes(Keypair.STATIC, private)

    def begin(self) -> NoiseConnection:
        """Return a handshake as far as all of this door's go: everything but what is drawn anew each time."""
        begun, protocol = copy.copy(self._begun), copy.copy(self._begun.noise_protocol)
        begun.noise_protocol, protocol.psks = protocol, list(protocol.psks)
        begun.set_as_initiator()
        return begun


class LockHandshake:
    """The lock's side: made with fresh randomness for one m0, good for one m1 that passes mac1."""

    def __init__(self, door: LockDoor, *, ephemeral: bytes) -> None:
        """``ephemeral``: 32 fresh secret bytes."""
        self.door = door
        noise = door.begin()
        _start(noise, ephemeral)
        self.m0 = bytes(noise.write_message(b""))
        self._noise: NoiseConnection | None = noise

    @property
    def hello(self) -> bytes:
        """What is said: m0, and in setup the lock's identity behind it."""
        return self.m0 + self.door.identity

    @property
    def untried(self) -> bool:
        """Whether no m1 has come as far as the ephemeral key of this m0."""
        return self._noise is not None

    def mac1_holds(self, m1: bytes) -> bool:
        """Say whether ``m1`` was made by somebody with this door's adv_key for this m0; costs one HMAC."""
        expected = _mac1(self.door.mac_key, self.m0, m1[MAC1_LENGTH:])
        return hmac.compare_digest(expected, m1[:MAC1_LENGTH])

    def read_m1(self, m1: bytes) -> tuple[HolderKey, bytes, Channel]:
        """Return (the phone's key, the request, the channel).

        Checks length, mac1, AEAD and in suite 2 the proof, in this order, and raises M1Error naming the first
        that failed. One m1 per m0: the object is spent by the first that passes mac1. One that does not has
        touched no key of the handshake, so it leaves the m0 as good as it was and costs the lock one HMAC.
        """
        if self._noise is None:
            raise ProtocolError("this m0 has had its m1")
        suite = self.door.suite
        if not suite.m1_overhead < len(m1) <= gatt.MAX_HANDSHAKE_MESSAGE:
            raise M1Error(Step.LENGTH)
        if not self.mac1_holds(m1):
            raise M1Error(Step.MAC1)
        noise, self._noise = self._noise, None
        state = noise.noise_protocol.handshake_state
        rest = m1[MAC1_LENGTH:]
        transcript = _transcript(noise, rest[:_EPHEMERAL_LENGTH])
        payload = _guard(lambda: bytes(noise.read_message(rest)))
        if suite.key_type is KeyType.P256:
            holder, request = _proved(transcript, payload)
        else:
            holder, request = HolderKey(KeyType.X25519, bytes(state.rs.public_bytes)), payload
        return holder, request, Channel(noise)


class PhoneHandshake:
    """The phone's side: one attempt at one door, in the suite of its key."""

    def __init__(
        self, *, key: PhoneKey, lock_static: bytes, adv_key: bytes, binding: bytes, ephemeral: bytes
    ) -> None:
        """``lock_static`` is the lock's public key from its lock record; ``ephemeral`` must be fresh."""
        self._key, self._mac_key = key, _derive(adv_key, "mac")
        noise = _noise(suites.of_key(key.holder.key_type), _derive(adv_key, "psk"), binding)
        noise.set_as_responder()
        if isinstance(key, X25519Key):
            noise.set_keypair_from_private_bytes(Keypair.STATIC, key.private)
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
        payload = self._payload(noise, request)
        rest = _guard(lambda: bytes(noise.write_message(payload)))
        return _mac1(self._mac_key, m0, rest) + rest, Channel(noise)

    def _payload(self, noise: NoiseConnection, request: bytes) -> bytes:
        """What m1 carries: the request, in suite 2 behind the proof that this phone holds its key."""
        if isinstance(self._key, X25519Key):
            return request
        mine = bytes(noise.noise_protocol.handshake_state.e.public_bytes)
        return possession.prove(self._key, _transcript(noise, mine), request)


def m0_hash(m0: bytes) -> bytes:
    """SHA-256 of m0: what a fresh time statement is signed over."""
    return hashlib.sha256(m0).digest()


def _mac1(key: bytes, m0: bytes, rest: bytes) -> bytes:
    return hmac.digest(key, m0 + rest, "sha256")[:MAC1_LENGTH]


def _noise(suite: Suite, psk: bytes, binding: bytes) -> NoiseConnection:
    noise = NoiseConnection.from_name(suite.noise)
    noise.set_prologue(prologue(suite, binding))
    noise.set_psks(psk)
    return noise


def _start(noise: NoiseConnection, ephemeral: bytes) -> None:
    """Begin with an ephemeral key from outside.

    Randomness is the caller's, so that the handshake stays a pure function; the library's own way of
    presetting the key is meant for its tests and warns.
    """
    noise.start_handshake()
    state = noise.noise_protocol.handshake_state
    state.e = noise.noise_protocol.dh_fn.klass.from_private_bytes(fields.octets(ephemeral, 32, "ephemeral"))


def prologue(suite: Suite, binding: bytes) -> bytes:
    """Return the Noise prologue: protocol version, suite and binding."""
    return b"nyckelfri" + bytes([gatt.PROTOCOL_VERSION, suite.number]) + fields.octets(binding, 8, "binding")


def _derive(adv_key: bytes, label: str) -> bytes:
    """HKDF-SHA256 (RFC 5869) without salt, info ``nyckelfri-<label>-1``, 32 bytes."""
    fields.octets(adv_key, ADV_KEY_LENGTH, "adv_key")
    return HKDF(SHA256(), 32, None, f"nyckelfri-{label}-1".encode()).derive(adv_key)


def _transcript(noise: NoiseConnection, phone_ephemeral: bytes) -> bytes:
    """The handshake hash that suite 2 signs; to be taken between m0 and m1."""
    after_m0 = bytes(noise.noise_protocol.handshake_state.symmetric_state.h)
    return possession.transcript(after_m0, phone_ephemeral)


def _proved(transcript: bytes, payload: bytes) -> tuple[HolderKey, bytes]:
    try:
        return possession.check(transcript, payload)
    except ProtocolError:
        raise M1Error(Step.PROOF) from None


def _guard(operation: Callable[[], _Result]) -> _Result:
    try:
        return operation()
    except _NOISE_ERRORS:
        raise M1Error(Step.AEAD) from None

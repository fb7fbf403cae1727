"""Sections 10 and 24 from the Noise specification, revision 34, with bare primitives."""

import hashlib
import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.protocol.independent import p256
from tests.protocol.independent.form import limit
from tests.protocol.independent.trust import aad

_NAMES = {1: b"Noise_KXpsk1_25519_AESGCM_SHA256", 2: b"Noise_KNpsk1_25519_AESGCM_SHA256"}


class HandshakeError(Exception):
    """The step that failed."""


def public(private: bytes) -> bytes:
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def dh(private: bytes, peer: bytes) -> bytes:
    try:
        return X25519PrivateKey.from_private_bytes(private).exchange(X25519PublicKey.from_public_bytes(peer))
    except ValueError:  # all zero
        raise HandshakeError("aead") from None


def _mac(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, hashlib.sha256).digest()


def hkdf(chaining: bytes, material: bytes, outputs: int) -> list[bytes]:
    """Noise section 4.3."""
    temp, out = _mac(chaining, material), [b""]
    for number in range(1, outputs + 1):
        out.append(_mac(temp, out[-1] + bytes([number])))
    return out[1:]


def derive(adv_key: bytes, label: str) -> bytes:
    """RFC 5869 with SHA-256, no salt (32 zero bytes), one block."""
    return _mac(_mac(bytes(32), adv_key), f"nyckelfri-{label}-1".encode() + b"\x01")


class Cipher:
    def __init__(self, key: bytes) -> None:
        self._key, self._n = AESGCM(key), 0

    def _nonce(self) -> bytes:
        self._n += 1
        return bytes(4) + (self._n - 1).to_bytes(8, "big")

    def seal(self, data: bytes, ad: bytes = b"") -> bytes:
        return self._key.encrypt(self._nonce(), data, ad)

    def open(self, data: bytes, ad: bytes = b"") -> bytes:
        try:
            return self._key.decrypt(self._nonce(), data, ad)
        except (InvalidTag, ValueError):
            raise HandshakeError("aead") from None


class Handshake:
    """The symmetric state, after prologue and the lock's static key."""

    def __init__(self, suite: int, binding: bytes, lock_static: bytes) -> None:
        self._h = self._ck = _NAMES[suite]
        self._cipher: Cipher | None = None
        self._hash(b"nyckelfri\x01" + bytes([suite]) + binding)
        self._hash(lock_static)

    @property
    def hash(self) -> bytes:
        return self._h

    def _hash(self, data: bytes) -> None:
        self._h = hashlib.sha256(self._h + data).digest()

    def ephemeral(self, key: bytes) -> None:
        self._hash(key)
        self.mix(key)

    def mix(self, material: bytes) -> None:
        self._ck, key = hkdf(self._ck, material, 2)
        self._cipher = Cipher(key)

    def psk(self, key: bytes) -> None:
        self._ck, extra, fresh = hkdf(self._ck, key, 3)
        self._hash(extra)
        self._cipher = Cipher(fresh)

    def seal(self, data: bytes) -> bytes:
        sealed = self._live.seal(data, self._h)
        self._hash(sealed)
        return sealed

    def open(self, sealed: bytes) -> bytes:
        data = self._live.open(sealed, self._h)
        self._hash(sealed)
        return data

    @property
    def _live(self) -> Cipher:
        assert self._cipher is not None
        return self._cipher

    def split(self) -> tuple[Cipher, Cipher]:
        """(lock to phone, phone to lock)."""
        first, second = hkdf(self._ck, b"", 2)
        return Cipher(first), Cipher(second)


class Lock:
    def __init__(
        self, static: bytes, ephemeral: bytes, adv_key: bytes, binding: bytes, suite: int = 1
    ) -> None:
        self._static, self._ephemeral, self._adv_key, self._suite = static, ephemeral, adv_key, suite
        self._state = Handshake(suite, binding, public(static))
        self._state.ephemeral(public(ephemeral))
        self._state.psk(derive(adv_key, "psk"))
        self.m0 = public(ephemeral) + self._state.seal(b"")

    def read(self, m1: bytes) -> tuple[bytes, bytes, Cipher, Cipher]:
        """(the phone's key, the request, lock to phone, phone to lock)."""
        if not {1: 104, 2: 153}[self._suite] < len(m1) <= limit("m1"):
            raise HandshakeError("length")
        rest, state = m1[8:], self._state
        if not hmac.compare_digest(_mac(derive(self._adv_key, "mac"), self.m0 + rest)[:8], m1[:8]):
            raise HandshakeError("mac1")
        theirs = rest[:32]
        state.ephemeral(theirs)
        state.mix(dh(self._ephemeral, theirs))  # ee
        state.mix(dh(self._static, theirs))  # se: the initiator's static, the responder's ephemeral
        if self._suite == 2:
            return self._proved(rest[32:])
        phone = state.open(rest[32:80])  # s
        state.mix(dh(self._ephemeral, phone))  # es
        request = state.open(rest[80:])
        return phone, request, *state.split()

    def _proved(self, sealed: bytes) -> tuple[bytes, bytes, Cipher, Cipher]:
        state = self._state
        before = state.hash
        payload = state.open(sealed)
        proof, phone, request = payload[:64], payload[64:97], payload[97:]
        try:
            p256.verify(phone, proof, aad("possession", before, b"\x02", phone, request))
        except p256.ProofError:
            raise HandshakeError("proof") from None
        return phone, request, *state.split()


class Phone:
    def __init__(self, static: bytes, ephemeral: bytes, adv_key: bytes, binding: bytes, lock: bytes) -> None:
        self._static, self._ephemeral, self._adv_key, self._lock = static, ephemeral, adv_key, lock
        self._state = Handshake(1, binding, lock)

    def answer(self, m0: bytes, request: bytes) -> tuple[bytes, Cipher, Cipher]:
        """(m1, lock to phone, phone to lock)."""
        if len(m0) != 48:
            raise HandshakeError("length")
        state, theirs = self._state, m0[:32]
        state.ephemeral(theirs)
        state.psk(derive(self._adv_key, "psk"))
        if state.open(m0[32:]) != b"":
            raise HandshakeError("aead")
        mine = public(self._ephemeral)
        state.ephemeral(mine)
        state.mix(dh(self._ephemeral, theirs))
        state.mix(dh(self._ephemeral, self._lock))
        rest = mine + state.seal(public(self._static))
        state.mix(dh(self._static, theirs))
        rest += state.seal(request)
        return _mac(derive(self._adv_key, "mac"), m0 + rest)[:8] + rest, *state.split()

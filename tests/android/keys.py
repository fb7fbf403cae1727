"""AndroidKeyStore with HMAC and P-256 keys that nobody gets to see."""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.android.java import ByteArray, JavaException

SPEC = "android.security.keystore.KeyGenParameterSpec"


class HasKeys(Protocol):
    """As much of the telephone as keys need."""

    keys: dict[str, bytes]
    key_fault: str
    signers_in_software: bool
    strongbox: bool
    hardware: bool

    def wrap(self, name: str, fake: Any) -> Any: ...


def _fail(phone: HasKeys) -> None:
    if phone.key_fault:
        raise JavaException(phone.key_fault, "the message may quote anything")


class Builder:
    """Says what a key is to be."""

    def __init__(self, phone: HasKeys, alias: str, purposes: int) -> None:
        self._phone, self.alias, self.purposes = phone, alias, purposes

    def setIsStrongBoxBacked(self, _strongbox: bool) -> Any:  # noqa: N802
        return self._phone.wrap(f"{SPEC}$Builder", self)

    def setDigests(self, digests: list[str]) -> Any:  # noqa: N802
        self.digests = digests
        return self._phone.wrap(f"{SPEC}$Builder", self)

    def setAlgorithmParameterSpec(self, spec: Any) -> Any:  # noqa: N802
        self.curve = spec.fake
        return self._phone.wrap(f"{SPEC}$Builder", self)

    def build(self) -> Any:
        return self._phone.wrap(SPEC, self)


class Generator:
    """Makes a key inside."""

    def __init__(self, phone: HasKeys) -> None:
        self._phone = phone

    def init(self, spec: Any) -> None:
        self._alias = spec.fake.alias

    def generateKey(self) -> None:  # noqa: N802
        _fail(self._phone)
        self._phone.keys[self._alias] = os.urandom(32)


class PairGenerator:
    """Makes a key pair inside, as its specification asks: P-256, and signing with SHA-256 only."""

    def __init__(self, phone: HasKeys) -> None:
        self._phone = phone

    def initialize(self, spec: Any) -> None:
        assert (spec.fake.curve, spec.fake.digests, spec.fake.purposes) == ("secp256r1", ["SHA-256"], 4)
        self._alias = spec.fake.alias

    def generateKeyPair(self) -> Any:  # noqa: N802
        _fail(self._phone)
        scalar = self._phone.keys[self._alias] = os.urandom(32)
        encoded = _private(scalar).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        public = SimpleNamespace(getEncoded=lambda: ByteArray(encoded))
        pair = SimpleNamespace(getPublic=lambda: self._phone.wrap("java.security.PublicKey", public))
        return self._phone.wrap("java.security.KeyPair", pair)


def _private(scalar: bytes) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(scalar), ec.SECP256R1())


class Signature:
    """Signs inside, with a nonce of its own and whatever s comes of it."""

    def __init__(self, phone: HasKeys) -> None:
        self._phone = phone

    def initSign(self, key: Any) -> None:  # noqa: N802
        _fail(self._phone)
        self._alias = key.fake.alias

    def update(self, message: bytes) -> None:
        self._message = message

    def sign(self) -> ByteArray:
        key = _private(self._phone.keys[self._alias])
        return ByteArray(key.sign(self._message, ec.ECDSA(SHA256())))


class Mac:
    """Uses a key inside."""

    def __init__(self, phone: HasKeys) -> None:
        self._phone = phone

    def init(self, key: Any) -> None:
        _fail(self._phone)
        self._alias = key.fake.alias

    def doFinal(self, message: bytes) -> ByteArray:  # noqa: N802
        return ByteArray(hmac.digest(self._phone.keys[self._alias], message, "sha256"))


class Store:
    """The list of keys."""

    def __init__(self, phone: HasKeys) -> None:
        self._phone = phone

    def load(self, _parameter: None) -> None:
        """There is nothing to load."""

    def containsAlias(self, alias: str) -> bool:  # noqa: N802
        _fail(self._phone)
        return alias in self._phone.keys

    def getKey(self, alias: str, _password: None) -> Any:  # noqa: N802
        _fail(self._phone)
        key = SimpleNamespace(alias=alias, getAlgorithm=lambda: "HmacSHA256")
        return self._phone.wrap("java.security.Key", key) if alias in self._phone.keys else None

    def deleteEntry(self, alias: str) -> None:  # noqa: N802
        _fail(self._phone)
        self._phone.keys.pop(alias, None)

    def aliases(self) -> Any:
        _fail(self._phone)
        left = list(self._phone.keys)
        return SimpleNamespace(hasMoreElements=lambda: bool(left), nextElement=lambda: left.pop(0))


def keystore(phone: HasKeys) -> dict[str, Any]:
    """The classes of the Keystore, for one telephone."""
    level = 2 if phone.strongbox else 1 if phone.hardware else 0
    info = SimpleNamespace(getSecurityLevel=lambda: level, isInsideSecureHardware=lambda: phone.hardware)
    factory = SimpleNamespace(getKeySpec=lambda _key, _kind: phone.wrap("java.security.spec.KeySpec", info))
    soft = SimpleNamespace(getSecurityLevel=lambda: 0, isInsideSecureHardware=lambda: False)
    signers = SimpleNamespace(
        getKeySpec=lambda _key, _kind: phone.wrap(
            "java.security.spec.KeySpec", soft if phone.signers_in_software else info
        )
    )

    def one(name: str, make: Callable[[HasKeys], Any]) -> Any:
        return SimpleNamespace(getInstance=lambda *_: phone.wrap(name, make(phone)))

    return {
        f"{SPEC}$Builder": lambda alias, purposes: Builder(phone, alias, purposes),
        "java.security.KeyStore": one("java.security.KeyStore", Store),
        "java.security.KeyFactory": one("java.security.KeyFactory", lambda _: signers),
        "java.security.KeyPairGenerator": one("java.security.KeyPairGenerator", PairGenerator),
        "java.security.Signature": one("java.security.Signature", Signature),
        "java.security.spec.ECGenParameterSpec": lambda name: name,
        "javax.crypto.KeyGenerator": one("javax.crypto.KeyGenerator", Generator),
        "javax.crypto.Mac": one("javax.crypto.Mac", Mac),
        "javax.crypto.SecretKeyFactory": one("javax.crypto.SecretKeyFactory", lambda _: factory),
    }

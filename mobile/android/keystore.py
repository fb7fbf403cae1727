"""Keys that the phone's hardware holds: the port `mobile.engine.storage.hardware` on Android's Keystore.

The keys are for HMAC-SHA256 or, the bearer's own, for ECDSA on P-256, and are made inside the hardware: in a
chip of its own (StrongBox, from Android 9 on) where there is one, else in the processor's guarded part. A
phone that would hold them in software alone gets none: the app then runs, and says so, as on a phone without
hardware. https://developer.android.com/privacy-and-security/keystore
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from cryptography.hazmat.primitives import serialization

from mobile.android import java
from mobile.engine.errors import HardwareKeyError, HardwareKeyGoneError

T = TypeVar("T")
PROVIDER = "AndroidKeyStore"
ALGORITHM = "HmacSHA256"
SIGNING = "EC"
SIGNATURE = "SHA256withECDSA"
DIGEST = "SHA-256"
CURVE = "secp256r1"
CURVE_SPEC = "java.security.spec.ECGenParameterSpec"
PREFIX = "nyckelfri."
PROBE = "probe"
"""The key of the try at the start; one that a power cut left behind counts as nobody's."""
STRONGBOX_FEATURE = "android.hardware.strongbox_keystore"
STRONGBOX_SINCE = 28
LEVELS_SINCE = 31
GONE = frozenset(
    {"KeyPermanentlyInvalidatedException", "UnrecoverableKeyException", "UnrecoverableEntryException"}
)
BUILDER = "android.security.keystore.KeyGenParameterSpec$Builder"
PROPERTIES = "android.security.keystore.KeyProperties"


class Keystore:
    """`mobile.engine.storage.hardware.HardwareKeys`; get it from `hardware_keys`."""

    def __init__(self, *, strongbox: bool) -> None:
        self._strongbox = strongbox

    @property
    def level(self) -> str:
        """See `HardwareKeys`."""
        return "strongbox" if self._strongbox else "tee"

    def create(self, name: str) -> None:
        """See `HardwareKeys`."""
        _told(lambda: self._create(name))

    def mac(self, name: str, message: bytes) -> bytes:
        """See `HardwareKeys`."""
        return _told(lambda: _mac(name, message))

    def create_signer(self, name: str) -> bytes | None:
        """See `HardwareKeys`."""
        return _told(lambda: self._create_signer(name))

    def sign(self, name: str, message: bytes) -> bytes:
        """See `HardwareKeys`."""
        return _told(lambda: _sign(name, message))

    def names(self) -> list[str]:
        """See `HardwareKeys`."""
        return _told(_names)

    def delete(self, name: str) -> None:
        """See `HardwareKeys`."""
        _told(lambda: _store().deleteEntry(PREFIX + name))

    def _create(self, name: str) -> None:
        if _store().containsAlias(PREFIX + name):
            return
        generator = java.find("javax.crypto.KeyGenerator").getInstance(ALGORITHM, PROVIDER)
        generator.init(self._builder(name).build())
        generator.generateKey()

    def _create_signer(self, name: str) -> bytes | None:
        builder = self._builder(name).setDigests([DIGEST])
        builder = builder.setAlgorithmParameterSpec(java.find(CURVE_SPEC)(CURVE))
        generator = java.find("java.security.KeyPairGenerator").getInstance(SIGNING, PROVIDER)
        generator.initialize(builder.build())
        public = bytes(generator.generateKeyPair().getPublic().getEncoded().tolist())
        if not _secure(_signer(name), "java.security.KeyFactory"):
            _store().deleteEntry(PREFIX + name)
            return None
        return _compressed(public)

    def _builder(self, name: str) -> Any:
        builder = java.find(BUILDER)(PREFIX + name, java.find(PROPERTIES).PURPOSE_SIGN)
        return builder.setIsStrongBoxBacked(True) if self._strongbox else builder


def hardware_keys() -> Keystore | None:
    """The best keys that this phone's hardware offers, found by making one; None when there are none."""
    for strongbox in (True, False):
        if strongbox and not _has_strongbox():
            continue
        keys = Keystore(strongbox=strongbox)
        try:
            keys.create(PROBE)
            inside = _told(lambda: _in_hardware(PROBE))
            keys.delete(PROBE)
        except HardwareKeyError:
            continue  # a StrongBox that is full or refuses: the other may still do
        if inside:
            return keys
    return None


def _has_strongbox() -> bool:
    manager = java.activity().getPackageManager()
    return java.sdk() >= STRONGBOX_SINCE and bool(manager.hasSystemFeature(STRONGBOX_FEATURE))


def _store() -> Any:
    store = java.find("java.security.KeyStore").getInstance(PROVIDER)
    store.load(None)
    return store


def _key(name: str) -> Any:
    key = _store().getKey(PREFIX + name, None)
    if key is None:
        raise HardwareKeyGoneError
    return java.cast("javax.crypto.SecretKey", key)


def _mac(name: str, message: bytes) -> bytes:
    mac = java.find("javax.crypto.Mac").getInstance(ALGORITHM)
    mac.init(_key(name))
    return bytes(mac.doFinal(message).tolist())


def _signer(name: str) -> Any:
    key = _store().getKey(PREFIX + name, None)
    if key is None:
        raise HardwareKeyGoneError
    return java.cast("java.security.PrivateKey", key)


def _sign(name: str, message: bytes) -> bytes:
    signature = java.find("java.security.Signature").getInstance(SIGNATURE)
    signature.initSign(_signer(name))
    signature.update(message)
    return bytes(signature.sign().tolist())


def _compressed(encoded: bytes) -> bytes:
    """The point of a SubjectPublicKeyInfo (RFC 5480), compressed."""
    try:
        key = serialization.load_der_public_key(encoded)
        point = serialization.PublicFormat.CompressedPoint
        return key.public_bytes(serialization.Encoding.X962, point)
    except ValueError:
        raise HardwareKeyError(why="public key") from None


def _names() -> list[str]:
    aliases, found = _store().aliases(), []
    while aliases.hasMoreElements():
        found.append(str(aliases.nextElement()))
    own = {name.removeprefix(PREFIX) for name in found if name.startswith(PREFIX)}
    return sorted(own - {PROBE})


def _in_hardware(name: str) -> bool:
    return _secure(_key(name), "javax.crypto.SecretKeyFactory")


def _secure(key: Any, factories: str) -> bool:
    """Whether a key lives where the system itself cannot read it."""
    factory = java.find(factories).getInstance(key.getAlgorithm(), PROVIDER)
    kind = "android.security.keystore.KeyInfo"
    info = java.cast(kind, factory.getKeySpec(key, java.find(kind)))
    if java.sdk() < LEVELS_SINCE:
        return bool(info.isInsideSecureHardware())
    properties = java.find(PROPERTIES)
    secure = (properties.SECURITY_LEVEL_TRUSTED_ENVIRONMENT, properties.SECURITY_LEVEL_STRONGBOX)
    return info.getSecurityLevel() in secure


def _told(work: Callable[[], T]) -> T:
    """Do it, and tell Java's errors as the engine's."""
    try:
        return work()
    except java.JavaException as error:
        why = java.short(error)
        raise (HardwareKeyGoneError(why=why) if why in GONE else HardwareKeyError(why=why)) from None

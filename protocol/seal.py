"""Sealing to a public key: HPKE base mode (RFC 9180), X25519, HKDF-SHA256, AES-256-GCM.

Used by the lock (logs to the server) and the server (secrets to a lock). Phones only carry sealed bytes and
never import this module: their ``cryptography`` may be too old to have HPKE.
"""

from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from protocol import cbor, cose, fields, gatt, lockrecord
from protocol.errors import ProtocolError
from protocol.keys import KID_LENGTH
from protocol.manifest import RoleKey

OVERHEAD = 32 + 16
"""Encapsulated key and tag (bytes)."""
MAX_LOG = gatt.MAX_SEALED_LOG
_VERSION = 1
_SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)


@dataclass(frozen=True)
class SealedLog:
    """A sealed log batch as a courier sees it: the key it is sealed to, and noise."""

    kid: bytes
    ciphertext: bytes

    def open(self, private: bytes) -> bytes:
        """Return the signed batch; ``private`` is the 32-byte X25519 key named by ``kid``."""
        return _open(self.ciphertext, private, cose.context("log", self.kid))


def seal_log(batch: bytes, key: RoleKey) -> bytes:
    """Seal a signed batch to the manifest's sealing key; the key id stays in clear beside it."""
    ciphertext = _seal(batch, key.public, cose.context("log", key.kid))
    return cbor.encode([_VERSION, key.kid, ciphertext])


def parse_log(data: bytes) -> SealedLog:
    """Parse the envelope of a sealed batch."""
    version, kid, ciphertext = fields.array(cbor.decode(data, max_size=MAX_LOG), 3, "sealed log")
    if version != _VERSION or isinstance(version, bool):
        raise ProtocolError("sealed log of another version")
    if len(fields.blob(ciphertext, MAX_LOG, "sealed log")) <= OVERHEAD:
        raise ProtocolError("sealed log is shorter than its key and tag")
    return SealedLog(fields.octets(kid, KID_LENGTH, "sealing key id"), ciphertext)


def seal_adv_keys(adv_keys: tuple[bytes, ...], lock_seal_public: bytes, binding: bytes, seq: int) -> bytes:
    """Seal a door's adv_keys into the bulletin number ``seq`` of ``binding``."""
    plaintext = cbor.encode(list(lockrecord.adv_keys(list(adv_keys))))
    return _seal(plaintext, lock_seal_public, _secrets_info(binding, seq))


def open_adv_keys(sealed: bytes, private: bytes, binding: bytes, seq: int) -> tuple[bytes, ...]:
    """Open what ``seal_adv_keys`` sealed, with the lock's 32-byte seal key."""
    return lockrecord.adv_keys(cbor.decode(_open(sealed, private, _secrets_info(binding, seq)), max_size=128))


def _secrets_info(binding: bytes, seq: int) -> bytes:
    return cose.context("secrets", binding, fields.uint(seq, fields.MAX_COUNTER, "seq").to_bytes(4, "big"))


def _seal(plaintext: bytes, public: bytes, info: bytes) -> bytes:
    try:
        return _SUITE.encrypt(plaintext, X25519PublicKey.from_public_bytes(public), info=info)
    except ValueError:
        raise ProtocolError("cannot seal to this key") from None


def _open(ciphertext: bytes, private: bytes, info: bytes) -> bytes:
    try:
        return _SUITE.decrypt(ciphertext, X25519PrivateKey.from_private_bytes(private), info=info)
    except (InvalidTag, ValueError):
        raise ProtocolError("sealed bytes do not open") from None

"""Section 3.3, with pyhpke."""

from pyhpke import AEADId, CipherSuite, KDFId, KEMId
from pyhpke.exceptions import PyHPKEError

from tests.protocol.independent.form import MalformedError, shaped

_SUITE = CipherSuite.new(KEMId.DHKEM_X25519_HKDF_SHA256, KDFId.HKDF_SHA256, AEADId.AES256_GCM)


class SealError(Exception):
    """Sealed bytes that do not open."""


def unseal(sealed: bytes, private: bytes, info: bytes) -> bytes:
    if len(sealed) < 48:
        raise SealError("shorter than key and tag")
    try:
        key = _SUITE.kem.deserialize_private_key(private)
        return bytes(_SUITE.create_recipient_context(sealed[:32], key, info).open(sealed[32:], b""))
    except (PyHPKEError, ValueError):
        raise SealError("does not open") from None


def open_log(data: bytes, private: bytes) -> tuple[bytes, bytes]:
    """Section 18.3: (kid, signed batch)."""
    _, kid, sealed = shaped("sealed-log", data, 5120)
    return kid, unseal(sealed, private, b"nyckelfri-log-1\x00" + kid)


def open_adv_keys(sealed: bytes, private: bytes, binding: bytes, number: int) -> list[bytes]:
    """Section 16: the adv_keys inside a bulletin."""
    info = b"nyckelfri-secrets-1\x00" + binding + number.to_bytes(4, "big")
    keys: list[bytes] = shaped("adv-keys", unseal(sealed, private, info))
    if len(set(keys)) != len(keys):
        raise MalformedError("adv_key twice")
    return keys

"""Sections 5.1 and 5.2: labels, setup keys, orders to end a binding."""

import hashlib
import hmac

from tests.protocol.independent.form import MalformedError, limit
from tests.protocol.independent.trust import BULLETIN, InvalidError, Manifest, aad, signed

_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def _hkdf(secret: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869 with SHA-256, no salt, one block."""
    extracted = hmac.new(bytes(32), secret, hashlib.sha256).digest()
    return hmac.new(extracted, info + b"\x01", hashlib.sha256).digest()[:length]


def label(lock_id: bytes, seal_private: bytes) -> str:
    code = _hkdf(seal_private, b"nyckelfri-label-1" + lock_id, 11)
    data = lock_id + code + hashlib.sha256(b"nyckelfri-label" + lock_id + code).digest()[:1]
    bits = "".join(f"{octet:08b}" for octet in data)
    letters = "".join(_LETTERS[int(bits[at : at + 5], 2)] for at in range(0, 160, 5))
    return "-".join(letters[at : at + 4] for at in range(0, 32, 4))


def read_label(text: str) -> tuple[bytes, bytes]:
    """(lock id, code)."""
    kept = text.upper().replace("O", "0").replace("I", "1").replace("L", "1")
    kept = "".join(letter for letter in kept if letter not in "- \n")
    if len(kept) != 32 or set(kept) - set(_LETTERS):
        raise MalformedError("not a label")
    bits = "".join(f"{_LETTERS.index(letter):05b}" for letter in kept)
    data = bytes(int(bits[at : at + 8], 2) for at in range(0, 160, 8))
    if hashlib.sha256(b"nyckelfri-label" + data[:19]).digest()[:1] != data[19:]:
        raise MalformedError("misread")
    return data[:8], data[8:19]


def setup_key(lock_id: bytes, code: bytes) -> bytes:
    return _hkdf(code, b"nyckelfri-setup-1" + lock_id, 32)


def retired(order: bytes, lock_id: bytes, binding: bytes, held: Manifest) -> str:
    """The reason that answers an order, where the log is receipted and nobody acts."""
    try:
        message = signed("retire-order", order, limit("retire order"))
        message.verify(held.key(BULLETIN, message.kid), aad("retire"))
    except (MalformedError, InvalidError):
        return "retire_invalid"
    return "granted" if message.body[:2] == [lock_id, binding] else "retire_wrong_lock"

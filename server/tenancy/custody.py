"""Sealing secrets at rest: private role keys, advert keys, TOTP secrets.

AES-256-GCM under a key derived (HKDF-SHA256, RFC 5869) from settings.KEY_ENCRYPTION_KEYS. Layout: version 1
(1 B) ‖ key fingerprint (4 B) ‖ nonce (12 B) ‖ ciphertext and tag. The context (which kind of secret) is
authenticated, so a sealed value cannot be passed off as another kind. The first key seals; all of them open,
for rotation.
"""

from __future__ import annotations

import hashlib
import secrets
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

VERSION = b"\x01"
NONCE_LENGTH = 12
HEADER_LENGTH = 5


class SealError(Exception):
    """A sealed secret cannot be opened: wrong key, wrong context, or damaged."""


@lru_cache(maxsize=16)
def _cipher(key_text: str) -> tuple[bytes, AESGCM]:
    """Return (fingerprint 4 B, cipher) of one configured key."""
    if not key_text:
        raise SealError("KEY_ENCRYPTION_KEYS holds an empty key")
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"nyckelfri custody 1").derive(
        key_text.encode()
    )
    return hashlib.sha256(b"id" + key).digest()[:4], AESGCM(key)


def seal(secret: bytes, context: str) -> bytes:
    """Return `secret` encrypted under the first configured key, bound to `context`."""
    fingerprint, cipher = _cipher(settings.KEY_ENCRYPTION_KEYS[0])
    nonce = secrets.token_bytes(NONCE_LENGTH)
    return VERSION + fingerprint + nonce + cipher.encrypt(nonce, secret, context.encode())


def is_current(sealed: bytes | memoryview) -> bool:
    """Say whether a secret rests under the first configured key, so that older ones are not needed for it."""
    fingerprint, _cipher_now = _cipher(settings.KEY_ENCRYPTION_KEYS[0])
    return bytes(sealed)[1:HEADER_LENGTH] == fingerprint


def reseal(sealed: bytes | memoryview, context: str) -> bytes:
    """Return the same secret under the first configured key; raises `SealError`."""
    return seal(unseal(sealed, context), context)


def unseal(sealed: bytes | memoryview, context: str) -> bytes:
    """Return the secret; raises `SealError` when no configured key opens it in this context."""
    sealed = bytes(sealed)
    if sealed[:1] != VERSION:
        raise SealError("unknown sealing version")
    fingerprint, nonce = sealed[1:HEADER_LENGTH], sealed[HEADER_LENGTH : HEADER_LENGTH + NONCE_LENGTH]
    for key_text in settings.KEY_ENCRYPTION_KEYS:
        known, cipher = _cipher(key_text)
        if known != fingerprint:
            continue
        try:
            return cipher.decrypt(nonce, sealed[HEADER_LENGTH + NONCE_LENGTH :], context.encode())
        except InvalidTag as error:
            raise SealError("damaged, or sealed for another purpose") from error
    raise SealError("sealed under a key that is not configured")

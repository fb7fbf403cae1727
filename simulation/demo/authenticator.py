"""The second factor as a person's authenticator shows it (TOTP, RFC 6238), from a cryptographic library."""

import base64

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

PERIOD_SECONDS = 30
DIGITS = 6


def code(secret: str, now: float) -> str:
    """Return the six digits that ``secret`` (base32) gives at ``now``, seconds since 1970 UTC."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    # SHA-1 is what authenticator apps implement; HMAC does not rest on its collision resistance.
    totp = TOTP(key, DIGITS, SHA1(), PERIOD_SECONDS, enforce_key_length=False)  # noqa: S303
    return totp.generate(int(now)).decode()

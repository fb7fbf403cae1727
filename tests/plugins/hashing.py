"""Passwords in tests: hashed as the server hashes them, but once over instead of a million times."""

from __future__ import annotations

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class HashedOnce(PBKDF2PasswordHasher):
    """What a test signs in with is no secret; a sign-in took seconds of a busy core."""

    iterations = 1

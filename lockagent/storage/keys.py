"""The lock's private keys on disk: made once, readable by their owner only, never printed."""

from __future__ import annotations

import hashlib

from lockagent.core.identity import LockSecrets
from lockagent.storage.port import Files

NAME = "identity"
_MAGIC = b"NK\x01\x00"
_KEY = 32
_SIZE = len(_MAGIC) + 3 * _KEY + 32


class KeysCorruptError(Exception):
    """The key file is damaged: this lock cannot prove any more who it is."""


def save(files: Files, secrets: LockSecrets) -> None:
    """Write the key file, atomically; the folder's files are of mode 0600."""
    body = _MAGIC + secrets.static_private + secrets.log_seed + secrets.seal_private
    files.replace(NAME, body + hashlib.sha256(body).digest())


def load(files: Files) -> LockSecrets | None:
    """Read the key file; None when there is none."""
    blob = files.read(NAME)
    if blob is None:
        return None
    body, digest = blob[:-32], blob[-32:]
    if len(blob) != _SIZE or not body.startswith(_MAGIC) or hashlib.sha256(body).digest() != digest:
        raise KeysCorruptError("the key file is damaged; make a new lock and commission it")
    keys = body[len(_MAGIC) :]
    return LockSecrets(keys[:_KEY], keys[_KEY : 2 * _KEY], keys[2 * _KEY :])

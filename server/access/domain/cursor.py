"""The sync cursor: what a phone holds, remembered by the phone itself and signed by the server.

It names tokens, bulletin numbers, doors (with a hash of what was said of them) and the manifest's version.
The next answer is the difference between that and the truth of the moment, so nothing is missed whatever
happened in between, and the server keeps no state per phone. It is no secret and grants nothing.

The same truth gives the same text, so a phone that only looks for news sends a hash of it, its mark.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.crypto import salted_hmac

from protocol import cbor, fields
from protocol.errors import ProtocolError
from server.problems import Problem

VERSION = 2
MAX_LENGTH = 512 * 1024
"""Characters; a bearer of 4 000 rights needs about 150 000."""
TAG_LENGTH = 16
DOOR_HASH_LENGTH = 6
MARK_LENGTH = 16


@dataclass(frozen=True)
class Cursor:
    """What the phone holds after an answer; empty before the first."""

    manifest_version: int = 0
    tokens: frozenset[int] = frozenset()
    """Primary keys of tokens."""
    bulletins: Mapping[int, int] = field(default_factory=dict)
    """Bulletin number by binding id."""
    doors: Mapping[int, bytes] = field(default_factory=dict)
    """Hash of the door's data by door id."""
    plan: bytes = b""
    """Hash of what every answer tells whole: shift, visits, alarms, support."""

    def encode(self, bearer_id: int) -> str:
        """Return the cursor as text, good for this bearer only."""
        body = cbor.encode(
            [
                VERSION,
                bearer_id,
                self.manifest_version,
                sorted(self.tokens),
                dict(self.bulletins),
                dict(self.doors),
                self.plan,
            ]
        )
        return base64.urlsafe_b64encode(_tag(body) + body).decode()


def mark(text: str) -> bytes:
    """Return what stands for a whole cursor when a phone only asks whether anything has changed."""
    return hashlib.sha256(text.encode()).digest()[:MARK_LENGTH]


def decode(text: str | None, bearer_id: int) -> Cursor:
    """Return the cursor a phone sent, an empty one for None; raises `Problem` cursor_invalid."""
    if text is None:
        return Cursor()
    try:
        data = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
        tag, body = data[:TAG_LENGTH], data[TAG_LENGTH:]
        if not hmac.compare_digest(tag, _tag(body)):
            raise Problem("cursor_invalid")
        return _parse(body, bearer_id)
    except (UnicodeEncodeError, binascii.Error, ProtocolError) as error:
        raise Problem("cursor_invalid") from error


def _parse(body: bytes, bearer_id: int) -> Cursor:
    values = fields.array(cbor.decode(body, max_size=MAX_LENGTH), 7, "cursor")
    version, owner, manifest_version, tokens, bulletins, doors, plan = values
    if version != VERSION or owner != bearer_id:
        raise Problem("cursor_invalid")
    return Cursor(manifest_version, frozenset(tokens), bulletins, doors, plan)


def _tag(body: bytes) -> bytes:
    return salted_hmac("nyckelfri.sync-cursor", body, algorithm="sha256").digest()[:TAG_LENGTH]

"""Bulletins: server-signed news for one binding, carried to its lock by any phone.

A bulletin is whole, not a difference: the newest one alone tells the lock everything that still matters.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from protocol import cbor, cose, fields, manifest, receipt
from protocol.errors import ProtocolError, SignatureError
from protocol.identity import LOCK_ID_LENGTH
from protocol.keys import KID_LENGTH, SigningKey
from protocol.manifest import Manifest, Role
from protocol.settings import LockSettings
from protocol.token import BINDING_LENGTH, MAX_GRP, TOKEN_ID_LENGTH

MAX_SIZE = 8192
MAX_REVOKED = 256
"""With more live revoked tokens at one binding the server moves the not-before of a grp instead."""
MAX_GRPS = 128
REVOKED_LENGTH = 8
MAX_SECRETS = 192
STALE_AFTER = 24 * 3600
"""A lock whose newest bulletin is this much older than a token's issue asks for an update (seconds)."""

_CONTEXT = cose.context("bulletin")
_BINDING, _LOCK, _SEQ, _TIME, _REVOKED, _GRP_NOT_BEFORE, _NOT_BEFORE, _SETTINGS = 1, 2, 3, 4, 5, 6, 7, 8
_MANIFEST, _RECEIPT, _SECRETS = 9, 10, 11
_REQUIRED = {_BINDING, _LOCK, _SEQ, _TIME, _REVOKED, _GRP_NOT_BEFORE, _NOT_BEFORE, _SETTINGS}


@dataclass(frozen=True)
class Bulletin:
    """The news for one binding; ``seq`` starts at 1 and never goes back."""

    binding: bytes
    lock_id: bytes
    seq: int
    time: int
    settings: LockSettings
    revoked: frozenset[bytes] = frozenset()
    """Hashes of revoked token ids that have not expired, see ``revoked_hash``."""
    grp_not_before: Mapping[int, int] | None = None
    """Per grp: tokens issued before this time are dead."""
    not_before: int = 0
    """The same for every token; used only when a token key has leaked."""
    manifest: bytes | None = None
    receipt: bytes | None = None
    secrets: bytes | None = None
    """New adv_keys, sealed to the lock; see ``protocol.seal``."""

    def revokes(self, token_id: bytes) -> bool:
        """Say whether the token is on this bulletin's list."""
        return revoked_hash(self.binding, token_id) in self.revoked

    def ends(self, grp: int, issued_at: int) -> bool:
        """Say whether tokens of ``grp`` issued at that time are dead."""
        return issued_at < max(self.not_before, (self.grp_not_before or {}).get(grp, 0))


@dataclass(frozen=True)
class UnverifiedBulletin:
    """A well-formed bulletin that has not been verified."""

    message: cose.Sign1
    body: Bulletin

    def verify(self, current: Manifest) -> tuple[Bulletin, Manifest]:
        """Return (the bulletin, the manifest that now holds); raises ProtocolError or SignatureError.

        A newer manifest inside is taken first, so that a bulletin signed by a rotated key brings along
        what is needed to trust it.
        """
        holding = current
        if self.body.manifest is not None:
            holding = _newer(self.body.manifest, current)
        key = holding.verify_key(Role.BULLETIN, self.message.kid)
        if key is None:
            raise SignatureError("bulletin is signed by an unknown key")
        self.message.verify(key, _CONTEXT)
        return self.body, holding


def revoked_hash(binding: bytes, token_id: bytes) -> bytes:
    """SHA-256(binding || token id)[:8]: a courier cannot tell from it whose token it is."""
    fields.octets(token_id, TOKEN_ID_LENGTH, "token id")
    return hashlib.sha256(binding + token_id).digest()[:REVOKED_LENGTH]


def sign(bulletin: Bulletin, key: SigningKey) -> bytes:
    """Return the bulletin signed by the server's bulletin key."""
    body: dict[int, Any] = {
        _BINDING: bulletin.binding,
        _LOCK: bulletin.lock_id,
        _SEQ: bulletin.seq,
        _TIME: bulletin.time,
        _REVOKED: sorted(bulletin.revoked),
        _GRP_NOT_BEFORE: dict(bulletin.grp_not_before or {}),
        _NOT_BEFORE: bulletin.not_before,
        _SETTINGS: bulletin.settings.as_map(),
    }
    optional = {_MANIFEST: bulletin.manifest, _RECEIPT: bulletin.receipt, _SECRETS: bulletin.secrets}
    body |= {number: value for number, value in optional.items() if value is not None}
    encoded = cose.sign1(cbor.encode(body), key, _CONTEXT)
    parse(encoded)  # whatever a lock would refuse must fail here, at the server
    return encoded


def parse(data: bytes) -> UnverifiedBulletin:
    """Parse a bulletin strictly, without verifying it."""
    message = cose.parse1(data, max_size=MAX_SIZE)
    fields.octets(message.kid, KID_LENGTH, "bulletin key id")
    body = fields.table(
        cbor.decode(message.payload, max_size=MAX_SIZE),
        _REQUIRED,
        {_MANIFEST, _RECEIPT, _SECRETS},
        "bulletin",
    )
    seq = fields.uint(body[_SEQ], fields.MAX_COUNTER, "bulletin number")
    if seq < 1:
        raise ProtocolError("bulletin numbers start at 1")
    bulletin = Bulletin(
        binding=fields.octets(body[_BINDING], BINDING_LENGTH, "binding"),
        lock_id=fields.octets(body[_LOCK], LOCK_ID_LENGTH, "lock"),
        seq=seq,
        time=fields.time(body[_TIME], "bulletin time"),
        settings=LockSettings.from_map(body[_SETTINGS]),
        revoked=_revoked(body[_REVOKED]),
        grp_not_before=_grps(body[_GRP_NOT_BEFORE]),
        not_before=fields.time(body[_NOT_BEFORE], "not-before"),
        manifest=_optional(body, _MANIFEST, manifest.MAX_SIZE, "manifest"),
        receipt=_optional(body, _RECEIPT, receipt.MAX_SIZE, "receipt"),
        secrets=_optional(body, _SECRETS, MAX_SECRETS, "sealed secrets"),
    )
    return UnverifiedBulletin(message, bulletin)


def _newer(data: bytes, current: Manifest) -> Manifest:
    """Return the manifest inside a bulletin if it is newer, else ``current``; never an older one."""
    try:
        return manifest.accept(data, current)
    except SignatureError:
        raise
    except ProtocolError:
        held = manifest.verify(data, current.roots)
        if held.municipality != current.municipality:
            raise
        return current


def _revoked(value: Any) -> frozenset[bytes]:
    hashes = [
        fields.octets(one, REVOKED_LENGTH, "revoked hash")
        for one in fields.items(value, MAX_REVOKED, "revoked list")
    ]
    if hashes != sorted(set(hashes)):
        raise ProtocolError("revoked list is not sorted or names a token twice")
    return frozenset(hashes)


def _grps(value: Any) -> dict[int, int]:
    if not isinstance(value, dict) or len(value) > MAX_GRPS:
        raise ProtocolError(f"grp not-before must be a map of at most {MAX_GRPS}")
    return {fields.uint(k, MAX_GRP, "grp"): fields.time(v, "grp not-before") for k, v in value.items()}


def _optional(body: Mapping[int, Any], key: int, at_most: int, what: str) -> bytes | None:
    """Return what may be left out; a null in its place is not leaving it out."""
    return fields.blob(body[key], at_most, what) if key in body else None

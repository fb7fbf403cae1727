"""Tokens and other signed messages taken apart, so that a case can alter one thing and sign it anew.

CBOR is put together here by hand: what a case needs is just what a deterministic encoder never writes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from protocol import cbor, cose
from protocol.keys import HolderKey, KeyType, SigningKey

AUD, EXP, NBF, IAT, CTI, SCOPE = (bytes([label]) for label in (3, 4, 5, 6, 7, 9))
GRP = cbor.encode(-65537)
_SHORT, _BYTE, _WORD = 24, 1 << 8, 1 << 16
_BSTR, _ARRAY, _MAP = 2, 4, 5
EMPTY_MAP = b"\xa0"


def head(major: int, argument: int) -> bytes:
    """Return the shortest initial bytes of an item (RFC 8949 section 3), for arguments below 65536."""
    if argument < _SHORT:
        return bytes([major << 5 | argument])
    if argument < _BYTE:
        return bytes([major << 5 | 24, argument])
    return bytes([major << 5 | 25]) + argument.to_bytes(2, "big")


def blob(data: bytes) -> bytes:
    """Return a byte string item."""
    return head(_BSTR, len(data)) + data


def array(*items: bytes) -> bytes:
    """Return an array of encoded items."""
    return head(_ARRAY, len(items)) + b"".join(items)


def table(*pairs: tuple[bytes, bytes]) -> bytes:
    """Return a map of encoded pairs in the order given."""
    return head(_MAP, len(pairs)) + b"".join(key + value for key, value in pairs)


def _as_is(data: bytes) -> bytes:
    return data


@dataclass
class Forge:
    """One COSE_Sign1, part by part. ``bytes()`` of it signs whatever the parts have become."""

    claims: list[tuple[bytes, bytes]]
    """(encoded label, encoded value), in the order in which they are written."""
    key: SigningKey
    aad: bytes
    header: list[tuple[bytes, bytes]] = field(default_factory=list)
    unprotected: bytes = EMPTY_MAP
    protect: Callable[[bytes], bytes] = _as_is
    """Alters the protected header's bytes before signing."""
    spoil: Callable[[bytes], bytes] = _as_is
    """Alters the payload's bytes before signing."""
    swap: Callable[[bytes], bytes] = _as_is
    """Alters the payload's bytes after signing."""
    sign: Callable[[bytes], bytes] = _as_is
    """Alters the signature."""
    outer: Callable[[list[bytes]], bytes] = lambda items: array(*items)
    """Puts the four items together."""

    def __post_init__(self) -> None:
        self.header = self.header or [(b"\x01", cbor.encode(cose.EDDSA)), (b"\x04", blob(self.key.kid))]

    def put(self, label: bytes, value: bytes) -> None:
        """Replace one claim's encoded value."""
        self.claims = [(one, value if one == label else old) for one, old in self.claims]

    def drop(self, label: bytes) -> None:
        """Leave one claim out."""
        self.claims = [pair for pair in self.claims if pair[0] != label]

    def add(self, label: bytes, value: bytes) -> None:
        """Add a claim in its place in the order."""
        self.claims = sorted([*self.claims, (label, value)])

    def __bytes__(self) -> bytes:
        protected = self.protect(table(*self.header))
        payload = self.spoil(table(*self.claims))
        signature = self.key.sign(cbor.encode(["Signature1", protected, self.aad, payload]))
        items = [blob(protected), self.unprotected, blob(self.swap(payload)), blob(self.sign(signature))]
        return self.outer(items)


def token_forge(
    *,
    binding: bytes,
    holder: bytes,
    key: SigningKey,
    now: int,
    token_id: bytes,
    begins: int | None = None,
    ends: int | None = None,
    issued: int | None = None,
    grp: int = 1,
    scope: int = 3,
) -> Forge:
    """Return a good token's parts. ``holder``: the phone's X25519 key, 32 bytes. Times: Unix seconds."""
    begins = now - 600 if begins is None else begins
    claims = [
        (AUD, blob(binding)),
        (EXP, cbor.encode(begins + 8 * 3600 if ends is None else ends)),
        (NBF, cbor.encode(begins)),
        (IAT, cbor.encode(now - 600 if issued is None else issued)),
        (CTI, blob(token_id)),
        (SCOPE, cbor.encode(scope)),
        (GRP, cbor.encode(grp)),
    ]
    return Forge(claims, key, cose.context("token", HolderKey(KeyType.X25519, holder).encoded))

"""Minting many tokens with one key: the same bytes as ``token.issue``, without encoding the same parts anew.

A morning's tokens differ in binding, window, id, grp and holder only. Everything else, in the token and in
what is signed (RFC 9052 section 4.4), is laid out once per key and holder.
"""

from protocol import cbor, cose, fields, token
from protocol.errors import ProtocolError
from protocol.keys import KID_LENGTH, HolderKey, SigningKey
from protocol.token import TokenClaims

_MAP_OF_SEVEN = b"\xa7"
_AUD, _EXP, _NBF, _IAT, _CTI, _SCOPE = (
    b"\x03\x48",
    b"\x04\x1a",
    b"\x05\x1a",
    b"\x06\x1a",
    b"\x07\x48",
    b"\x09",
)
_GRP = b"\x3a\x00\x01\x00\x00"
"""Labels in bytewise order, each with the head of a value whose length is always the same: 8 bytes, or a time
of 4 bytes (every time after 1970-01-01 18:12:15 needs them)."""
_SHORTEST_4_BYTE_INT = 0x10000


class Minter:
    """Signs tokens with one issuer key; holders' layouts are kept, so use one minter for one batch."""

    def __init__(self, key: SigningKey) -> None:
        fields.octets(key.kid, KID_LENGTH, "token key id")
        self._sign = key.private.sign
        self._protected = cbor.encode(cose.protected_header(key.kid))
        self._head = b"\x84" + self._protected + b"\xa0"
        self._prefixes: dict[HolderKey, bytes] = {}

    def mint(self, claims: TokenClaims, holder: HolderKey) -> bytes:
        """Return the encoded token for ``holder``; raises ProtocolError for claims no lock would accept."""
        payload = _payload(claims)
        prefix = self._prefixes.get(holder)
        if prefix is None:
            prefix = self._prefixes[holder] = self._prefix(holder)
        sized = b"\x58" + bytes([len(payload)]) + payload
        return self._head + sized + b"\x58\x40" + self._sign(prefix + sized)

    def _prefix(self, holder: HolderKey) -> bytes:
        """Everything of the Sig_structure before the payload."""
        aad = cbor.encode(token.holder_context(holder))
        return b"\x84" + cbor.encode("Signature1") + self._protected + aad


def _payload(claims: TokenClaims) -> bytes:
    token.check(claims)
    times = (claims.expires, claims.not_before, claims.issued_at)
    if min(times) < _SHORTEST_4_BYTE_INT:
        raise ProtocolError("token times must lie after 1970-01-01 18:12:15")
    return b"".join(
        (
            _MAP_OF_SEVEN,
            _AUD,
            claims.binding,
            _EXP,
            claims.expires.to_bytes(4, "big"),
            _NBF,
            claims.not_before.to_bytes(4, "big"),
            _IAT,
            claims.issued_at.to_bytes(4, "big"),
            _CTI,
            claims.token_id,
            _SCOPE,
            bytes([int(claims.scope)]),
            _GRP,
            _uint(claims.grp),
        )
    )


def _uint(number: int) -> bytes:
    """The shortest encoding of 0 to 65535 (RFC 8949 section 4.2.1)."""
    if number < 24:
        return bytes([number])
    return b"\x18" + bytes([number]) if number < 0x100 else b"\x19" + number.to_bytes(2, "big")

"""The access token: a CWT (RFC 8392) profile, bound to the phone's key by COSE external_aad.

The bound key is not inside: the lock takes it from the handshake, where the phone proved that it holds the
private half. That gives the semantics of a ``cnf`` claim (RFC 8747) and saves 43 bytes in every opening.
"""

from dataclasses import dataclass
from enum import IntFlag

from protocol import cbor, cose, fields
from protocol.errors import ProtocolError
from protocol.keys import KID_LENGTH, HolderKey, SigningKey, VerifyKey

MAX_SIZE = 160
BINDING_LENGTH = 8
TOKEN_ID_LENGTH = 8
MAX_LIFETIME = 48 * 3600
"""No token is valid for longer, whatever the issuer thinks (seconds)."""
MAX_GRP = 0xFFFF

_AUD, _EXP, _NBF, _IAT, _CTI, _SCOPE = 3, 4, 5, 6, 7, 9
_GRP = -65537
"""First label of the private-use range of the CWT claims registry (RFC 8392 section 9.1)."""


class Scope(IntFlag):
    """The operations a token permits."""

    OPEN = 1
    LOCK = 2
    SERVICE = 4
    """An installer's operations at the lock, none of which moves a bolt."""


_KNOWN_SCOPE = int(Scope.OPEN | Scope.LOCK | Scope.SERVICE)


@dataclass(frozen=True)
class TokenClaims:
    """This binding, this window, these operations; times are seconds since 1970 UTC."""

    binding: bytes
    not_before: int
    expires: int
    issued_at: int
    token_id: bytes
    grp: int
    """Stands for the care provider at this binding; meaningless elsewhere."""
    scope: Scope


@dataclass(frozen=True)
class UnverifiedToken:
    """A well-formed token; nothing in it may be acted on before ``verify``."""

    message: cose.Sign1
    claims: TokenClaims

    @property
    def kid(self) -> bytes:
        """The issuer key it claims to be signed with."""
        return self.message.kid

    def verify(self, key: VerifyKey, holder: HolderKey) -> TokenClaims:
        """Return the claims if ``key`` signed them for ``holder``; raise SignatureError if not.

        A tampered token and another phone's token cannot be told apart, by design.
        """
        self.message.verify(key, holder_context(holder))
        return self.claims


def issue(claims: TokenClaims, key: SigningKey, holder: HolderKey) -> bytes:
    """Return the encoded token for ``holder``; raises ProtocolError for claims no lock would accept."""
    fields.octets(key.kid, KID_LENGTH, "token key id")
    encoded = cose.sign1(_encode(claims), key, holder_context(holder))
    if len(encoded) > MAX_SIZE:
        raise ProtocolError("token is too large")
    return encoded


def parse(data: bytes) -> UnverifiedToken:
    """Parse a token strictly, without verifying it."""
    message = cose.parse1(data, max_size=MAX_SIZE)
    fields.octets(message.kid, KID_LENGTH, "token key id")
    body = fields.table(
        cbor.decode(message.payload, max_size=MAX_SIZE),
        {_AUD, _EXP, _NBF, _IAT, _CTI, _SCOPE, _GRP},
        (),
        "token claims",
    )
    scope = fields.uint(body[_SCOPE], _KNOWN_SCOPE, "scope")
    claims = TokenClaims(
        binding=body[_AUD],
        not_before=body[_NBF],
        expires=body[_EXP],
        issued_at=body[_IAT],
        token_id=body[_CTI],
        grp=body[_GRP],
        scope=Scope(scope),
    )
    check(claims)
    return UnverifiedToken(message, claims)


def _encode(claims: TokenClaims) -> bytes:
    check(claims)
    return cbor.encode(
        {
            _AUD: claims.binding,
            _EXP: claims.expires,
            _NBF: claims.not_before,
            _IAT: claims.issued_at,
            _CTI: claims.token_id,
            _SCOPE: int(claims.scope),
            _GRP: claims.grp,
        }
    )


def check(claims: TokenClaims) -> None:
    """Raise ProtocolError for claims no lock would accept, whoever wrote them."""
    fields.octets(claims.binding, BINDING_LENGTH, "aud")
    fields.time(claims.not_before, "nbf")
    fields.time(claims.expires, "exp")
    fields.time(claims.issued_at, "iat")
    fields.octets(claims.token_id, TOKEN_ID_LENGTH, "cti")
    fields.uint(claims.grp, MAX_GRP, "grp")
    fields.uint(claims.scope, _KNOWN_SCOPE, "scope")
    if not 0 < claims.expires - claims.not_before <= MAX_LIFETIME:
        raise ProtocolError(f"token window must be 1 to {MAX_LIFETIME} seconds")
    if claims.issued_at >= claims.expires:
        raise ProtocolError("token is issued after it expires")
    if not claims.scope:
        raise ProtocolError("token permits nothing")


def holder_context(holder: HolderKey) -> bytes:
    """Return the external_aad of a token for ``holder``: what binds the token to the phone's key."""
    return cose.context("token", holder.encoded)

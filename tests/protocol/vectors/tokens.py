"""Vectors for the access token."""

from dataclasses import replace
from typing import Any

from protocol import cbor, cose, token
from protocol.token import Scope
from tests.protocol.vectors import world
from tests.protocol.vectors.world import seed


def raw_claims(**changes: Any) -> dict[int, Any]:
    """The claims map, with ``c3=...`` changing claim 3 and so on; None takes one away."""
    claims = cbor.decode(cose.parse1(world.TOKEN, max_size=160).payload, max_size=160)
    claims |= {int(name[1:]): value for name, value in changes.items()}
    return {label: value for label, value in claims.items() if value is not None}


def raw_token(claims: dict[int, Any] | bytes, name: str = "token") -> bytes:
    """A token over any claims, properly signed."""
    payload = claims if isinstance(claims, bytes) else cbor.encode(claims)
    return cose.sign1(payload, world.TOKEN_KEY, cose.context(name, world.PHONE_KEY.encoded))


def _unsorted() -> bytes:
    good = cbor.encode(raw_claims())
    return good[:1] + good[11:17] + good[1:11] + good[17:]  # exp (04) before aud (03)


def malformed_tokens() -> list[tuple[str, bytes]]:
    """Properly signed tokens whose form is wrong, and bytes that are no token."""
    now, parts = world.NOW, cbor.decode(world.TOKEN, max_size=160)
    return [
        ("a claim left out", raw_token(raw_claims(c9=None))),
        ("a claim too many", raw_token(raw_claims() | {2: b"sub"})),
        ("scope of nothing", raw_token(raw_claims(c9=0))),
        ("unknown scope", raw_token(raw_claims(c9=8))),
        ("scope as a boolean", raw_token(raw_claims(c9=True))),
        ("aud as text", raw_token(raw_claims(c3="12345678"))),
        ("aud of 7 bytes", raw_token(raw_claims(c3=world.BINDING[:7]))),
        ("exp before nbf", raw_token(raw_claims(c4=now - 1))),
        ("window of no length", raw_token(raw_claims(c4=now))),
        ("window longer than 48 hours", raw_token(raw_claims(c4=now + 172_801))),
        ("issued when it expires", raw_token(raw_claims(c6=now + 9 * 3600))),
        ("exp beyond 32 bits", raw_token(raw_claims(c4=2**32))),
        ("negative iat", raw_token(raw_claims(c6=-1))),
        ("grp beyond 16 bits", raw_token(raw_claims() | {-65537: 65536})),
        ("claims out of order", raw_token(_unsorted())),
        ("unprotected header", cbor.encode([parts[0], {1: -8}, parts[2], parts[3]])),
        ("kid of three bytes", cbor.encode([cose.protected_header(b"abc"), {}, parts[2], parts[3]])),
        ("algorithm ES256", cbor.encode([cbor.encode({1: -7, 4: b"\x10\x01"}), {}, parts[2], parts[3]])),
        ("COSE tag 18", b"\xd2" + world.TOKEN),
        ("a byte after it", world.TOKEN + b"\0"),
        ("cut short", world.TOKEN[:-1]),
    ]


def token_file() -> dict[str, Any]:
    claims = world.CLAIMS
    widest = replace(claims, grp=65535, scope=Scope.OPEN, expires=claims.not_before + 172_800)
    return {
        "about": "Section 11. For the phone and the token key of keys.json.",
        "holder": world.PHONE_KEY.encoded,
        "external_aad": cose.context("token", world.PHONE_KEY.encoded),
        "accepted": [
            {"name": "plain", "bytes": world.TOKEN, "kid": world.TOKEN_KEY.kid, "claims": _claims(claims)},
            {
                "name": "longest window, largest grp",
                "bytes": token.issue(widest, world.TOKEN_KEY, world.PHONE_KEY),
                "kid": world.TOKEN_KEY.kid,
                "claims": _claims(widest),
            },
        ],
        "malformed": [{"name": name, "bytes": data} for name, data in malformed_tokens()],
        "token_invalid": [{"name": name, "bytes": data} for name, data in invalid_tokens()],
    }


def invalid_tokens() -> list[tuple[str, bytes]]:
    """Well-formed tokens whose signature does not hold for this phone."""
    return [
        ("another phone's", token.issue(world.CLAIMS, world.TOKEN_KEY, world.OTHER_PHONE_KEY)),
        ("for a key of the other type", world.P256_TOKEN),
        ("signature changed", world.TOKEN[:-1] + bytes([world.TOKEN[-1] ^ 1])),
        ("signed as a bulletin", raw_token(raw_claims(), "bulletin")),
        ("claims changed", world.TOKEN.replace(world.CLAIMS.token_id, seed("other cti", 8))),
    ]


def _claims(claims: token.TokenClaims) -> dict[str, Any]:
    return {
        "aud": claims.binding,
        "exp": claims.expires,
        "nbf": claims.not_before,
        "iat": claims.issued_at,
        "cti": claims.token_id,
        "scope": int(claims.scope),
        "grp": claims.grp,
    }

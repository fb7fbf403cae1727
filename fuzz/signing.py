"""The fuzzer holds every key: it signs what it has altered, as the municipality or the lock would."""

from __future__ import annotations

from typing import Any

from fuzz.mutations import MAX_READ, Sign
from protocol import cbor, cose
from protocol.keys import SigningKey
from tests.protocol.vectors import world

ROOTS = {key.kid: key for key in (*world.ROOTS, *world.NEW_ROOTS)}
TOKEN_KEYS = {key.kid: key for key in (world.TOKEN_KEY, world.NEXT_TOKEN_KEY)}
BULLETIN_KEYS = {key.kid: key for key in (world.BULLETIN_KEY, world.NEXT_BULLETIN_KEY)}
_TOKEN_AAD = cose.context("token", world.PHONE_KEY.encoded)


def one_signer(aad: bytes, *keys: SigningKey) -> Sign:
    """Sign a COSE_Sign1: with the key it names, or with the first when it names none of them."""
    by_kid = {key.kid: key for key in keys}

    def sign(tree: Any) -> Any:
        protected, unprotected, payload, _ = tree
        kid = cbor.decode(protected, max_size=64).get(4)
        key = by_kid.get(kid, keys[0]) if isinstance(kid, bytes) else keys[0]
        structure = cbor.encode(["Signature1", protected, aad, payload])
        return [protected, unprotected, payload, key.sign(structure)]

    return sign


def roots(tree: Any) -> Any:
    """Sign a manifest again with every root it names that is known."""
    protected, unprotected, payload, signatures = tree
    made = []
    for header, empty, old in signatures:
        kid = cbor.decode(header, max_size=64).get(4)
        key = ROOTS.get(kid) if isinstance(kid, bytes) else None
        structure = cbor.encode(["Signature", b"", header, cose.context("manifest"), payload])
        made.append([header, empty, old if key is None else key.sign(structure)])
    return [protected, unprotected, payload, made]


token = one_signer(_TOKEN_AAD, world.TOKEN_KEY, world.NEXT_TOKEN_KEY)
bulletin_alone = one_signer(cose.context("bulletin"), world.BULLETIN_KEY, world.NEXT_BULLETIN_KEY)


def _inside(data: bytes, sign: Sign) -> bytes:
    return cbor.encode(sign(cbor.decode(data, max_size=MAX_READ)))


def bulletin(tree: Any) -> Any:
    """Sign a bulletin, and the manifest inside it if there is one."""
    protected, unprotected, payload, signature = tree
    body = cbor.decode(payload, max_size=MAX_READ)
    if isinstance(body, dict) and isinstance(body.get(9), bytes):
        body[9] = _inside(body[9], roots)
        payload = cbor.encode(body)
    return bulletin_alone([protected, unprotected, payload, signature])


def request(tree: Any) -> Any:
    """Sign the token inside a request."""
    command, request_id, encoded = tree
    return [command, request_id, _inside(encoded, token)]


def commission(tree: Any) -> Any:
    """Sign manifest and bulletin inside a package."""
    version, keys, threshold, manifest, news = tree
    return [version, keys, threshold, _inside(manifest, roots), _inside(news, bulletin)]

"""Sections 3 to 6: COSE, manifest, lock identity, commissioning, lock record."""

import hashlib
from dataclasses import dataclass
from typing import Any

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.protocol.independent import sealing
from tests.protocol.independent.form import MalformedError, limit, read, shaped

TOKEN, BULLETIN, RECEIPT, SEALING, FIRMWARE = 1, 2, 3, 4, 5


class InvalidError(Exception):
    """Well formed, and not to be believed."""


def aad(name: str, *parts: bytes) -> bytes:
    return b"nyckelfri-" + name.encode() + b"-1" + b"\x00" + b"".join(parts)


def _check(public: bytes, signature: bytes, structure: list[Any]) -> None:
    try:
        # an array of text and byte strings has one definite, shortest encoding: cbor2's
        Ed25519PublicKey.from_public_bytes(public).verify(signature, cbor2.dumps(structure))
    except InvalidSignature:
        raise InvalidError("signature") from None


@dataclass
class Signed:
    """A COSE_Sign1 of the page's form."""

    kid: bytes
    body: Any
    _parts: list[Any]

    def verify(self, public: bytes | None, external_aad: bytes) -> None:
        if public is None:
            raise InvalidError("unknown key")
        protected, _, payload, signature = self._parts
        _check(public, signature, ["Signature1", protected, external_aad, payload])


def signed(rule: str, data: bytes, at_most: int | None) -> Signed:
    parts = shaped(rule, data, at_most)
    header = read(parts[0])
    return Signed(header[4], read(parts[2]), parts)


@dataclass
class Manifest:
    version: int
    municipality: bytes
    issued_at: int
    roots: list[bytes]
    threshold: int
    role_keys: list[list[Any]]

    def key(self, role: int, kid: bytes) -> bytes | None:
        return next((public for r, k, public in self.role_keys if (r, k) == (role, kid)), None)

    @property
    def root_set(self) -> tuple[list[bytes], int]:
        return self.roots, self.threshold


def manifest(data: bytes, *trusted: tuple[list[bytes], int]) -> Manifest:
    """Section 4, verification under the trusted root set and the manifest's own."""
    parts = shaped("manifest", data, limit("manifest"))
    body = read(parts[2])
    made = Manifest(*(body[number] for number in range(1, 7)))
    _well_formed(made)
    signatures = [(read(protected)[4], protected, one) for protected, _, one in parts[3]]
    if len({kid for kid, _, _ in signatures}) != len(signatures):
        raise MalformedError("two signatures with one kid")
    for roots, threshold in (*trusted, made.root_set):
        by_kid = {hashlib.sha256(root).digest()[:8]: root for root in roots}
        count = 0
        for kid, protected, signature in signatures:
            if kid in by_kid:
                structure = ["Signature", b"", protected, aad("manifest"), parts[2]]
                _check(by_kid[kid], signature, structure)
                count += 1
        if count < threshold:
            raise InvalidError("too few roots")
    return made


def _well_formed(made: Manifest) -> None:
    if made.roots != sorted(set(made.roots)) or made.threshold > len(made.roots):
        raise MalformedError("roots")
    if made.role_keys != sorted(made.role_keys):
        raise MalformedError("role keys not ascending")
    names = {(role, kid) for role, kid, _ in made.role_keys}
    publics = {public for _, _, public in made.role_keys}
    if len(names) != len(made.role_keys) or len(publics) != len(made.role_keys):
        raise MalformedError("role key twice")
    if sum(role == SEALING for role, _, _ in made.role_keys) != 1:
        raise MalformedError("not one sealing key")


def successor(data: bytes, held: Manifest) -> Manifest:
    """Section 4, acceptance; the held manifest itself when the other is not newer."""
    made = manifest(data, held.root_set)
    if made.municipality != held.municipality:
        raise InvalidError("another municipality's")
    return made if made.version > held.version else held


def identity(data: bytes) -> tuple[bytes, dict[int, Any]]:
    """Section 5: (lock id, the fields)."""
    message = signed("lock-identity", data, limit("lock identity"))
    body = message.body
    digest = hashlib.sha256(b"nyckelfri-lock-1" + body[2] + body[3] + body[4]).digest()
    if digest[:8] != message.kid:
        raise InvalidError("lock id")
    message.verify(body[3], aad("lock-identity"))
    return message.kid, body


def lock_record(data: bytes, held: Manifest) -> dict[int, Any]:
    """Section 6."""
    message = signed("lock-record", data, limit("lock record"))
    message.verify(held.key(BULLETIN, message.kid), aad("lock-record"))
    keys = message.body[5]
    if len(set(keys)) != len(keys):
        raise MalformedError("adv_key twice")
    body: dict[int, Any] = message.body
    return body


def commission(
    data: bytes, lock_id: bytes, seal_private: bytes, held: tuple[Manifest, dict[int, Any]] | None
) -> str:
    """Section 5: the reason that answers a package; ``held`` is (manifest, newest bulletin's body)."""
    try:
        _, roots, threshold, manifest_bytes, news_bytes = shaped("commission", data, limit("commission"))
        made = manifest(manifest_bytes, (roots, threshold))
        if made.root_set != (roots, threshold):
            raise InvalidError("other roots than the manifest's")
        message = signed("bulletin", news_bytes, limit("bulletin"))
        news = message.body
        if 9 in news and successor(news[9], made) is not made:
            raise InvalidError("a newer manifest inside")
        message.verify(made.key(BULLETIN, message.kid), aad("bulletin"))
        sealed = news[11]
    except (MalformedError, InvalidError, KeyError):
        return "commission_invalid"
    if news[2] != lock_id:
        return "commission_wrong_lock"
    reason = "granted" if held is None else _follows(manifest_bytes, made, news, *held)
    try:
        sealing.open_adv_keys(sealed, seal_private, news[1], news[3])
    except (MalformedError, sealing.SealError):
        return "commission_wrong_lock" if reason == "granted" else reason
    return reason


def _follows(
    manifest_bytes: bytes, made: Manifest, news: dict[int, Any], held: Manifest, newest: dict[int, Any]
) -> str:
    try:
        manifest(manifest_bytes, held.root_set)
        if made.municipality != held.municipality:
            return "commission_root_mismatch"
    except InvalidError:
        return "commission_root_mismatch"
    old = made.version < held.version or news[1] == newest[1] or news[4] < newest[4]
    return "commission_old" if old else "granted"

"""The role-key manifest: which keys of a municipality may sign what, itself signed by its offline root keys.

As in The Update Framework: a threshold of roots signs, the version only goes up, and a manifest that brings
new roots must be signed by a threshold of the old and of the new ones.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from protocol import cbor, cose, fields
from protocol.errors import ProtocolError, SignatureError
from protocol.keys import KID_LENGTH, PUBLIC_KEY_LENGTH, SigningKey, VerifyKey

MAX_SIZE = 2048
MAX_ROOTS = 5
MAX_ROLE_KEYS = 16
MUNICIPALITY_LENGTH = 8
ROOT_KID_LENGTH = 8

_CONTEXT = cose.context("manifest")
_VERSION, _MUNICIPALITY, _ISSUED_AT, _ROOTS, _THRESHOLD, _ROLE_KEYS = 1, 2, 3, 4, 5, 6


class Role(IntEnum):
    """What a role key is for; a key never has two roles."""

    TOKEN = 1
    BULLETIN = 2
    """Statements to and about locks: bulletins, lock records, fresh time."""
    RECEIPT = 3
    SEALING = 4
    """X25519 key to which locks seal their logs (HPKE); a manifest names exactly one."""
    FIRMWARE = 5


@dataclass(frozen=True, order=True)
class RoleKey:
    """One public role key: Ed25519, or X25519 for sealing."""

    role: Role
    kid: bytes
    public: bytes


@dataclass(frozen=True)
class RootSet:
    """The root public keys (Ed25519, 32 bytes each) and how many of them must sign."""

    keys: tuple[bytes, ...]
    threshold: int

    def __post_init__(self) -> None:
        if len(set(self.keys)) != len(self.keys) or not 1 <= len(self.keys) <= MAX_ROOTS:
            raise ProtocolError(f"a root set has 1 to {MAX_ROOTS} different keys")
        if not 1 <= self.threshold <= len(self.keys):
            raise ProtocolError("threshold lies outside the number of root keys")
        for key in self.keys:
            fields.octets(key, PUBLIC_KEY_LENGTH, "root key")

    @property
    def fingerprint(self) -> bytes:
        """SHA-256 over threshold and sorted keys: what a person compares at enrolment."""
        return hashlib.sha256(bytes([self.threshold]) + b"".join(sorted(self.keys))).digest()

    def verify_keys(self) -> list[VerifyKey]:
        """The root keys under their key ids."""
        return [VerifyKey(root_kid(key), key) for key in self.keys]


@dataclass(frozen=True)
class Manifest:
    """A municipality's role keys; ``version`` starts at 1 and only goes up."""

    version: int
    municipality: bytes
    issued_at: int
    roots: RootSet
    role_keys: tuple[RoleKey, ...]

    def verify_key(self, role: Role, kid: bytes) -> VerifyKey | None:
        """Return the Ed25519 key of ``role`` named ``kid``, or None if the manifest has none such."""
        for key in self.role_keys:
            if key.role == role and key.kid == kid:
                return VerifyKey(key.kid, key.public)
        return None

    @property
    def sealing_key(self) -> RoleKey:
        """The X25519 key that logs are sealed to."""
        return next(key for key in self.role_keys if key.role is Role.SEALING)


def root_kid(public: bytes) -> bytes:
    """Root keys are named by the first 8 bytes of their SHA-256."""
    return hashlib.sha256(public).digest()[:ROOT_KID_LENGTH]


def root_signing_key(seed: bytes) -> SigningKey:
    """Make a root signing key, with its key id, from a 32-byte Ed25519 seed."""
    public = SigningKey.from_seed(b"\0", seed).public
    return SigningKey.from_seed(root_kid(public), seed)


def payload_of(manifest: Manifest) -> bytes:
    """Return what the roots sign; raises ProtocolError for what a lock or a phone would refuse."""
    payload = cbor.encode(
        {
            _VERSION: manifest.version,
            _MUNICIPALITY: manifest.municipality,
            _ISSUED_AT: manifest.issued_at,
            _ROOTS: sorted(manifest.roots.keys),
            _THRESHOLD: manifest.roots.threshold,
            _ROLE_KEYS: [[key.role, key.kid, key.public] for key in sorted(manifest.role_keys)],
        }
    )
    read_payload(payload)
    return payload


def sign(manifest: Manifest, signers: Sequence[SigningKey]) -> bytes:
    """Return the encoded manifest signed by ``signers`` (root keys)."""
    encoded = cose.sign(payload_of(manifest), signers, _CONTEXT)
    cose.parse(encoded, max_size=MAX_SIZE)
    return encoded


def countersign(payload: bytes, key: SigningKey) -> cose.Signature:
    """Return one root's signature over ``payload``, made where that root key is kept."""
    return cose.countersign(payload, key, _CONTEXT)


def assemble(payload: bytes, signatures: Sequence[cose.Signature]) -> bytes:
    """Return the encoded manifest of signatures that the roots made apart from one another."""
    encoded = cose.assemble(payload, sorted(signatures))
    cose.parse(encoded, max_size=MAX_SIZE)
    return encoded


def signed_by(data: bytes, keys: Sequence[bytes]) -> set[bytes]:
    """Return those of the root public ``keys`` whose signature is on a manifest.

    Raises SignatureError when one of them signed something else.
    """
    by_kid = {root_kid(key): key for key in keys}
    known = [VerifyKey(kid, key) for kid, key in by_kid.items()]
    return {by_kid[kid] for kid in cose.parse(data, max_size=MAX_SIZE).signers(known, _CONTEXT)}


def verify(data: bytes, trusted: RootSet) -> Manifest:
    """Return the manifest if a threshold of ``trusted``, and of its own roots, signed it.

    Raises ProtocolError when malformed, SignatureError when too few valid signatures are on it.
    """
    message = cose.parse(data, max_size=MAX_SIZE)
    for _, kid, _ in message.signatures:
        fields.octets(kid, ROOT_KID_LENGTH, "root key id")
    manifest = read_payload(message.payload)
    for roots in (trusted, manifest.roots):
        if len(message.signers(roots.verify_keys(), _CONTEXT)) < roots.threshold:
            raise SignatureError("too few root keys signed the manifest")
    return manifest


def body_of(data: bytes) -> Manifest:
    """Return what a manifest says, without asking who signed it: for whoever verified it before."""
    return read_payload(cose.parse(data, max_size=MAX_SIZE).payload)


def roots_in(data: bytes) -> RootSet:
    """Return the root set that a manifest names, trusted by nobody yet: compare its fingerprint."""
    return body_of(data).roots


def accept(data: bytes, current: Manifest) -> Manifest:
    """Verify a successor of ``current``: same municipality, a higher version, signed by current's roots."""
    candidate = verify(data, current.roots)
    if candidate.municipality != current.municipality:
        raise ProtocolError("manifest of another municipality")
    if candidate.version <= current.version:
        raise ProtocolError("manifest is not newer")
    return candidate


def read_payload(payload: bytes) -> Manifest:
    """Parse what a manifest says, signed by nobody yet."""
    keys = {_VERSION, _MUNICIPALITY, _ISSUED_AT, _ROOTS, _THRESHOLD, _ROLE_KEYS}
    body = fields.table(cbor.decode(payload, max_size=MAX_SIZE), keys, (), "manifest")
    roots = tuple(
        fields.octets(key, PUBLIC_KEY_LENGTH, "root key")
        for key in fields.items(body[_ROOTS], MAX_ROOTS, "roots")
    )
    manifest = Manifest(
        version=fields.uint(body[_VERSION], fields.MAX_COUNTER, "manifest version"),
        municipality=fields.octets(body[_MUNICIPALITY], MUNICIPALITY_LENGTH, "municipality"),
        issued_at=fields.time(body[_ISSUED_AT], "manifest time"),
        roots=RootSet(roots, fields.uint(body[_THRESHOLD], MAX_ROOTS, "threshold")),
        role_keys=tuple(_role_key(one) for one in fields.items(body[_ROLE_KEYS], MAX_ROLE_KEYS, "role keys")),
    )
    _check(manifest)
    if list(roots) != sorted(roots) or list(manifest.role_keys) != sorted(manifest.role_keys):
        raise ProtocolError("manifest keys are not sorted")
    return manifest


def _role_key(value: object) -> RoleKey:
    role, kid, public = fields.array(value, 3, "role key")
    return RoleKey(
        fields.member(role, Role, "role"),
        fields.octets(kid, KID_LENGTH, "role key id"),
        fields.octets(public, PUBLIC_KEY_LENGTH, "role key"),
    )


def _check(manifest: Manifest) -> None:
    if manifest.version < 1:
        raise ProtocolError("manifest versions start at 1")
    if len({(key.role, key.kid) for key in manifest.role_keys}) != len(manifest.role_keys):
        raise ProtocolError("manifest names a role key id twice")
    if len({key.public for key in manifest.role_keys}) != len(manifest.role_keys):
        raise ProtocolError("manifest gives one key two roles")
    if sum(key.role is Role.SEALING for key in manifest.role_keys) != 1:
        raise ProtocolError("manifest must name exactly one sealing key")

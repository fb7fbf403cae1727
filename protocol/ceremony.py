"""The signing of a new manifest: what goes to the holders of the root keys, and what comes back from them.

The keys lie offline and with different people, so the file travels: each holder adds one signature, in any
order or each on a copy of their own, and the server puts them together. Nothing in it is secret.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from protocol import cbor, cose, fields, manifest
from protocol.errors import ProtocolError, SignatureError
from protocol.keys import SIGNATURE_LENGTH, SigningKey
from protocol.manifest import Manifest, RoleKey, RootSet

NAME = "nyckelfri-ceremony"
MAX_SIZE = 8192
_VERSION = 1
_MAX_PROTECTED = 32


@dataclass(frozen=True)
class Ceremony:
    """A manifest on its way to being signed."""

    held: bytes | None
    """The manifest in force, so that whoever signs sees what changes; None for the first one."""
    payload: bytes
    """What is signed: the new manifest's body, encoded."""
    signatures: tuple[cose.Signature, ...] = ()

    @property
    def proposed(self) -> Manifest:
        """The new manifest as it would be."""
        return manifest.read_payload(self.payload)

    @property
    def signed(self) -> bytes:
        """The manifest with the signatures so far, which may be too few."""
        return manifest.assemble(self.payload, self.signatures)

    def encode(self) -> bytes:
        """Return the file."""
        listed = [list(one) for one in self.signatures]
        return cbor.encode([NAME, _VERSION, self.held, self.payload, listed])


def parse(data: bytes) -> Ceremony:
    """Read a ceremony file strictly; no signature is checked."""
    name, version, held, payload, signatures = fields.array(
        cbor.decode(data, max_size=MAX_SIZE), 5, "ceremony"
    )
    if name != NAME or version != _VERSION or isinstance(version, bool):
        raise ProtocolError("not a ceremony file of this version")
    if not isinstance(signatures, list) or len(signatures) > cose.MAX_SIGNATURES:
        raise ProtocolError("ceremony signatures must be a list")
    read = Ceremony(
        held=None if held is None else fields.blob(held, manifest.MAX_SIZE, "held manifest"),
        payload=fields.blob(payload, manifest.MAX_SIZE, "manifest body"),
        signatures=tuple(_signature(one) for one in signatures),
    )
    manifest.read_payload(read.payload)
    if read.signatures:
        cose.parse(read.signed, max_size=MAX_SIZE)
    return read


def _signature(value: object) -> cose.Signature:
    protected, signature = fields.array(value, 2, "ceremony signature")
    return (
        fields.blob(protected, _MAX_PROTECTED, "protected header"),
        fields.octets(signature, SIGNATURE_LENGTH, "signature"),
    )


def in_force(ceremony: Ceremony) -> Manifest | None:
    """Return the manifest that would be replaced, verified under its own roots; None for a first one.

    Raises ProtocolError when what is proposed could not follow it: another municipality, no newer version.
    Whether these roots are the municipality's own is for a person to say, who compares the fingerprint.
    """
    if ceremony.held is None:
        return None
    held = manifest.verify(ceremony.held, manifest.roots_in(ceremony.held))
    proposed = ceremony.proposed
    if proposed.municipality != held.municipality:
        raise ProtocolError("the new manifest is another municipality's")
    if proposed.version <= held.version:
        raise ProtocolError("the new manifest is not newer")
    return held


def add_signature(ceremony: Ceremony, key: SigningKey) -> Ceremony:
    """Return the ceremony with one root's signature on it; signing twice changes nothing."""
    added = manifest.countersign(ceremony.payload, key)
    return replace(ceremony, signatures=tuple(sorted({*ceremony.signatures, added})))


def signers(ceremony: Ceremony, roots: Iterable[bytes]) -> set[bytes]:
    """Return which of these root public keys have signed; raises SignatureError for a signature of none.

    A stranger's signature is refused, not passed over: the file has been tampered with, or is of another
    ceremony, and whoever brought it should hear of it.
    """
    if not ceremony.signatures:
        return set()
    found = manifest.signed_by(ceremony.signed, list(roots))
    if len(found) != len(ceremony.signatures):
        raise SignatureError("a signature is by none of the root keys")
    return found


def missing(ceremony: Ceremony, root_sets: Sequence[RootSet]) -> list[tuple[RootSet, int]]:
    """Return every root set that must still sign, with how many more of its keys."""
    every = {key for roots in root_sets for key in roots.keys}
    present = signers(ceremony, every)
    lacking = [(roots, roots.threshold - len(present & set(roots.keys))) for roots in root_sets]
    return [(roots, number) for roots, number in lacking if number > 0]


@dataclass(frozen=True)
class Changes:
    """What the new manifest changes, for the eyes of whoever signs it."""

    added: tuple[RoleKey, ...]
    removed: tuple[RoleKey, ...]
    kept: tuple[RoleKey, ...]
    new_roots: bool


def changes(ceremony: Ceremony) -> Changes:
    """Compare the new manifest with the one in force."""
    held, proposed = in_force(ceremony), ceremony.proposed
    before = set(held.role_keys) if held else set()
    after = set(proposed.role_keys)
    return Changes(
        added=tuple(sorted(after - before)),
        removed=tuple(sorted(before - after)),
        kept=tuple(sorted(after & before)),
        new_roots=held is not None and held.roots.fingerprint != proposed.roots.fingerprint,
    )

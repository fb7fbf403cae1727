"""Role keys to sign and open with, and the manifest in force; who keeps the private halves is behind it."""

from __future__ import annotations

from functools import lru_cache

from protocol import manifest as protocol_manifest
from protocol.keys import SigningKey
from protocol.manifest import Manifest, RootSet
from server.tenancy import keepers
from server.tenancy.keepers import KeyMissingError
from server.tenancy.models import Manifest as StoredManifest
from server.tenancy.models import Municipality, RoleKey
from server.tenancy.queries import active_key, key_named, newest_manifest
from server.tenancy.scoping import require_whole

__all__ = [
    "KeyMissingError",
    "current_manifest",
    "forget",
    "root_set",
    "sealing_private",
    "signing_key",
]


def forget() -> None:
    """Drop every opened key."""
    keepers.forget()


def signing_key(municipality_id: int, role: str) -> SigningKey:
    """Return the Ed25519 key that signs for `role` (`RoleKey.Role`) now; raises `KeyMissingError`.

    Every signature of the server passes here, so here it is made sure that none rests on a narrow view.
    """
    require_whole("signing")
    try:
        return keepers.signing_key(active_key(municipality_id, role))
    except RoleKey.DoesNotExist as error:
        raise KeyMissingError(f"no active key for {role}") from error


def sealing_private(municipality_id: int, kid: bytes) -> bytes:
    """Return the X25519 private key that logs naming `kid` were sealed to; retired ones still open."""
    key = key_named(municipality_id, RoleKey.Role.SEALING, kid)
    if key is None:
        raise KeyMissingError("no such sealing key")
    return keepers.opening_key(key)


@lru_cache(maxsize=32)
def _verified(document: bytes, roots: tuple[bytes, ...], threshold: int) -> Manifest:
    return protocol_manifest.verify(document, RootSet(roots, threshold))


def root_set(municipality: Municipality) -> RootSet:
    """Return the municipality's root public keys and threshold."""
    keys = tuple(bytes.fromhex(key) for key in municipality.root_public_keys)
    return RootSet(keys, municipality.root_threshold)


def current_manifest(municipality: Municipality) -> tuple[Manifest, bytes]:
    """Return the newest manifest, verified under the municipality's roots, and its document."""
    try:
        document = bytes(newest_manifest(municipality.pk).document)
    except StoredManifest.DoesNotExist as error:
        raise KeyMissingError("no manifest") from error
    roots = root_set(municipality)
    return _verified(document, roots.keys, roots.threshold), document

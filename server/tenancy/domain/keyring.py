"""Opened role keys, kept in memory for a short while and never shown.

Opening a key costs a database row and an AES-GCM decryption; issuing a thousand tokens shall pay that once.
What is cached is bounded in number and age, and a key is found by its sealed bytes, so a rotated or re-sealed
row is opened anew.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from functools import lru_cache

from protocol import manifest as protocol_manifest
from protocol.keys import SigningKey
from protocol.manifest import Manifest, RootSet
from server.problems import Problem
from server.tenancy import custody
from server.tenancy.models import Manifest as StoredManifest
from server.tenancy.models import Municipality, RoleKey
from server.tenancy.queries import active_key, key_named, newest_manifest
from server.tenancy.scoping import require_whole

MAX_OPEN_KEYS = 64
MAX_AGE_S = 300.0

_open: OrderedDict[tuple[int, bytes], tuple[float, bytes]] = OrderedDict()
_guard = threading.Lock()


class KeyMissingError(Problem):
    """A role key, its private half, or the manifest is not here."""

    def __init__(self, what: str) -> None:
        super().__init__("keys_missing", what=what)


def context_of(key: RoleKey) -> str:
    """Return what a sealed private key is bound to: its municipality, role and name."""
    return f"rolekey:{key.municipality_id}:{key.role}:{bytes(key.kid).hex()}"


def forget() -> None:
    """Drop every opened key."""
    with _guard:
        _open.clear()


def _private(key: RoleKey) -> bytes:
    """Return the 32-byte private key, from the cache or unsealed."""
    if key.sealed_private_key is None:
        raise KeyMissingError(f"role key {bytes(key.kid).hex()} has no private half here")
    name = (key.pk, bytes(key.sealed_private_key))
    now = time.monotonic()
    with _guard:
        found = _open.get(name)
        if found is not None and now - found[0] < MAX_AGE_S:
            _open.move_to_end(name)
            return found[1]
    secret = custody.unseal(bytes(key.sealed_private_key), context_of(key))
    with _guard:
        _open[name] = (now, secret)
        _open.move_to_end(name)
        while len(_open) > MAX_OPEN_KEYS:
            _open.popitem(last=False)
    return secret


def signing_key(municipality_id: int, role: str) -> SigningKey:
    """Return the Ed25519 key that signs for `role` (`RoleKey.Role`) now; raises `KeyMissingError`.

    Every signature of the server passes here, so here it is made sure that none rests on a narrow view.
    """
    require_whole("signing")
    try:
        key = active_key(municipality_id, role)
    except RoleKey.DoesNotExist as error:
        raise KeyMissingError(f"no active key for {role}") from error
    return SigningKey.from_seed(bytes(key.kid), _private(key))


def sealing_private(municipality_id: int, kid: bytes) -> bytes:
    """Return the X25519 private key that logs naming `kid` were sealed to; retired ones still open."""
    key = key_named(municipality_id, RoleKey.Role.SEALING, kid)
    if key is None:
        raise KeyMissingError("no such sealing key")
    return _private(key)


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

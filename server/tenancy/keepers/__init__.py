"""Where the private halves of role keys are kept: one port, one module for each kind of place.

`make_role_key` chooses where a new key lives; an existing one stays where it was made until it is erased.
"""

from __future__ import annotations

from django.conf import settings

from protocol.keys import SigningKey, x25519_public
from server.tenancy.keepers import database, pkcs11
from server.tenancy.keepers.port import Keeper, KeyMissingError
from server.tenancy.models import Municipality, RoleKey

__all__ = ["KeyMissingError", "erase", "forget", "make_role_key", "opening_key", "signing_key"]

_KEEPERS: dict[str, Keeper] = {
    RoleKey.Keeper.DATABASE: database.DatabaseKeeper(),
    RoleKey.Keeper.PKCS11: pkcs11.Pkcs11Keeper(),
}


def _keeper(key: RoleKey) -> Keeper:
    return _KEEPERS[key.keeper]


def chosen_for(role: str) -> str:
    """Return where a new key of `role` is kept.

    The sealing key opens logs (X25519 under HPKE), which security modules do not offer: it stays sealed in
    the database whatever is chosen for the keys that sign.
    """
    sealing = role == RoleKey.Role.SEALING
    return RoleKey.Keeper.DATABASE if sealing else RoleKey.Keeper(settings.ROLE_KEYS_KEPT_IN)


def make_role_key(*, municipality: Municipality, role: str, kid: bytes) -> RoleKey:
    """Make a key pair and save its row, not active yet; raises `KeyMissingError` when the keeper is away."""
    key = RoleKey(municipality=municipality, role=role, kid=kid, keeper=chosen_for(role))
    _keeper(key).make(key)
    key.save(force_insert=True)
    return key


def signing_key(key: RoleKey) -> SigningKey:
    """Return the key to sign with; raises `KeyMissingError`."""
    return SigningKey(bytes(key.kid), _keeper(key).signer(key))


def opening_key(key: RoleKey) -> bytes:
    """Return the 32-byte private key that opens what was sealed to `key`; raises `KeyMissingError`."""
    private = database.private_half(key)
    if x25519_public(private) != bytes(key.public_key):
        raise KeyMissingError("the private half is another key's")
    return private


def erase(key: RoleKey) -> None:
    """Destroy the private half where it is kept; saving the row is the caller's."""
    _keeper(key).erase(key)


def forget() -> None:
    """Drop everything opened from memory."""
    for keeper in _KEEPERS.values():
        keeper.forget()

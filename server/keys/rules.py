"""Which role keys the next manifest names: pure, so that every case can be tried."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from protocol.manifest import Manifest, RootSet
from protocol.manifest import Role as WireRole
from protocol.manifest import RoleKey as WireKey
from server.tenancy.models import RoleKey

WIRE_ROLES = {
    RoleKey.Role.TOKEN: WireRole.TOKEN,
    RoleKey.Role.BULLETIN: WireRole.BULLETIN,
    RoleKey.Role.RECEIPT: WireRole.RECEIPT,
    RoleKey.Role.SEALING: WireRole.SEALING,
    RoleKey.Role.FIRMWARE: WireRole.FIRMWARE,
}


def as_wire(key: RoleKey) -> WireKey:
    """Return a role key as a manifest names it."""
    return WireKey(WIRE_ROLES[RoleKey.Role(key.role)], bytes(key.kid), bytes(key.public_key))


def next_manifest(
    held: Manifest,
    *,
    keys: Sequence[RoleKey],
    new: Sequence[RoleKey],
    dropped: Collection[bytes],
    roots: RootSet,
    issued_at: int,
    skip: int = 0,
) -> Manifest:
    """Return the successor of `held`: `keys` it names already without `dropped`, and the `new` ones.

    `skip`: how many versions are left out, for a database that went back in time.

    A manifest has exactly one sealing key, so a new one takes the old one's place; an old key that signs
    stays beside the new one, for what it signed shall hold until that has ended.
    """
    replaced = {RoleKey.Role.SEALING} & {key.role for key in new}
    kept = [key for key in keys if bytes(key.kid) not in dropped and key.role not in replaced]
    return Manifest(
        version=held.version + 1 + skip,
        municipality=held.municipality,
        issued_at=max(issued_at, held.issued_at),
        roots=roots,
        role_keys=tuple(sorted(as_wire(key) for key in [*kept, *new])),
    )


def roles_without_a_key(body: Manifest) -> list[WireRole]:
    """Return the roles that nobody could sign or seal for any more under this manifest."""
    named = {key.role for key in body.role_keys}
    return [role for role in WireRole if role not in named]

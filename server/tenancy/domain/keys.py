"""Founding a municipality: root keys made offline, role keys made here, the first manifest signed.

The root private keys are made and used in memory only. Whoever calls `found_municipality` keeps them
(`manage.py create_municipality` writes one file per key, to be carried to different people); the database
sees their public halves. What happens to keys later is `server.keys`.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from protocol import manifest
from protocol.keys import SigningKey
from protocol.manifest import Manifest as ProtocolManifest
from protocol.manifest import Role, RootSet
from protocol.manifest import RoleKey as ProtocolRoleKey
from server.audit import actions
from server.audit.domain import record
from server.people.models import User
from server.tenancy import keepers
from server.tenancy.models import Manifest, Municipality, RoleKey

FOUNDED = actions.register("municipality.founded", _("municipality founded, role keys made"))

ROOTS = 3
THRESHOLD = 2

_PROTOCOL_ROLES = {
    RoleKey.Role.TOKEN: Role.TOKEN,
    RoleKey.Role.BULLETIN: Role.BULLETIN,
    RoleKey.Role.RECEIPT: Role.RECEIPT,
    RoleKey.Role.SEALING: Role.SEALING,
    RoleKey.Role.FIRMWARE: Role.FIRMWARE,
}


@dataclass(frozen=True)
class Founding:
    """A new municipality and what must leave this machine: the seeds of its root keys."""

    municipality: Municipality
    root_seeds: tuple[bytes, ...] = field(repr=False)


def municipality_id_bytes(slug: str) -> bytes:
    """Return the 8 bytes that name a municipality in its manifests; fixed by the first one."""
    digest = hashlib.sha256(b"nyckelfri-municipality-1" + slug.encode()).digest()
    return digest[: manifest.MUNICIPALITY_LENGTH]


@transaction.atomic
def found_municipality(
    *,
    slug: str,
    name: str,
    at: datetime,
    root_seeds: Sequence[bytes] | None = None,
    actor: User | None = None,
) -> Founding:
    """Create a municipality with 3 roots (2 must sign), one key per role and manifest version 1.

    `root_seeds`: three 32-byte Ed25519 seeds, made at random when None.
    """
    seeds = tuple(root_seeds or (secrets.token_bytes(32) for _number in range(ROOTS)))
    roots = [manifest.root_signing_key(seed) for seed in seeds]
    municipality = Municipality.objects.create(
        slug=slug,
        name=name,
        root_public_keys=sorted(root.public.hex() for root in roots),
        root_threshold=THRESHOLD,
    )
    keys = [
        keepers.make_role_key(municipality=municipality, role=role, kid=number.to_bytes(2, "big"))
        for number, role in enumerate(RoleKey.Role, 1)
    ]
    RoleKey.unscoped.filter(pk__in=[key.pk for key in keys]).update(active_from=at)
    _sign_first_manifest(municipality, keys, roots, at)
    record(action=FOUNDED, target=municipality, actor=actor, after={"slug": slug})
    return Founding(municipality, seeds)


def _sign_first_manifest(
    municipality: Municipality, keys: Sequence[RoleKey], roots: Sequence[SigningKey], at: datetime
) -> None:
    body = ProtocolManifest(
        version=1,
        municipality=municipality_id_bytes(municipality.slug),
        issued_at=int(at.timestamp()),
        roots=RootSet(tuple(sorted(root.public for root in roots)), THRESHOLD),
        role_keys=tuple(
            ProtocolRoleKey(_PROTOCOL_ROLES[RoleKey.Role(key.role)], bytes(key.kid), bytes(key.public_key))
            for key in keys
        ),
    )
    document = manifest.sign(body, roots[:THRESHOLD])
    manifest.verify(document, body.roots)
    Manifest.unscoped.create(municipality=municipality, version=1, document=document)

"""Look-ups of manifests and role keys."""

from __future__ import annotations

from datetime import datetime

from server.tenancy.models import Manifest, Municipality, RoleKey


def newest_manifest(municipality_id: int) -> Manifest:
    """Return the municipality's manifest of the highest version; raises `Manifest.DoesNotExist`."""
    manifest: Manifest = Manifest.unscoped.filter(municipality=municipality_id).latest("version")
    return manifest


def active_key(municipality_id: int, role: str) -> RoleKey:
    """Return the key that signs for `role` now; raises `RoleKey.DoesNotExist`."""
    key: RoleKey = RoleKey.unscoped.filter(
        municipality=municipality_id,
        role=role,
        active_from__isnull=False,
        superseded_at__isnull=True,
        retired_at__isnull=True,
    ).latest("active_from", "pk")
    return key


def key_named(municipality_id: int, role: str, kid: bytes) -> RoleKey | None:
    """Return the key of `role` named `kid`, retired or not, or None."""
    return RoleKey.unscoped.filter(municipality=municipality_id, role=role, kid=kid).first()


def tokens_not_before(municipality_id: int) -> datetime | None:
    """Return before when every access token is dead, as it stands at this very moment."""
    found: datetime | None = Municipality.objects.values_list("tokens_not_before", flat=True).get(
        pk=municipality_id
    )
    return found

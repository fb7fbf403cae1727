"""Bringing a signed manifest into force: from this moment the new keys sign, and the old ones do not.

One transaction moves everything that must agree: the manifest, the root set, which key signs, and, when a
token key had leaked, before when every token is dead. What follows from it (`server.keys.domain.following`)
can be done over and over, and is.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from protocol import manifest as wire
from protocol.errors import ProtocolError
from server.audit import actions
from server.audit.domain import record
from server.keys.domain.proposing import hold_open
from server.keys.domain.signatures import ceremony_of, lacking
from server.people.models import User
from server.problems import Problem
from server.tenancy.domain.keyring import current_manifest
from server.tenancy.models import Manifest, ManifestDraft, Municipality, RoleKey
from server.tenancy.scoping import whole_municipality

PUBLISHED = actions.register("keys.published", _("key manifest in force"))

_SECOND = timedelta(seconds=1)


@transaction.atomic
@whole_municipality()
def publish(*, draft: ManifestDraft, at: datetime, actor: User | None = None) -> Manifest:
    """Bring the draft into force; raises `Problem` ceremony_unsigned, ceremony_closed, manifest_refused."""
    municipality = Municipality.objects.select_for_update(no_key=True).get(pk=draft.municipality_id)
    held = hold_open(draft)
    if lacking(held):
        raise Problem("ceremony_unsigned")
    document = ceremony_of(held).signed
    before, _document = current_manifest(municipality)
    try:
        body = wire.accept(document, before)
    except ProtocolError as error:
        raise Problem("manifest_refused") from error
    municipality.root_public_keys = sorted(key.hex() for key in body.roots.keys)
    municipality.root_threshold = body.roots.threshold
    if RoleKey.Role.TOKEN in _leaked_roles(held):
        # A second past: a token of this very second, by the old key, must be issued anew as well.
        municipality.tokens_not_before = at.replace(microsecond=0) + _SECOND
    municipality.save(update_fields=["root_public_keys", "root_threshold", "tokens_not_before"])
    _turn_keys(municipality, body, at)
    held.outcome, held.closed_at = ManifestDraft.Outcome.PUBLISHED, at
    held.save(update_fields=["outcome", "closed_at"])
    made: Manifest = Manifest.objects.create(
        municipality=municipality, version=body.version, document=document
    )
    after = {"version": body.version, "roots": body.roots.fingerprint.hex(), "leaked": held.leaked}
    record(action=PUBLISHED, target=made, actor=actor, before={"version": before.version}, after=after)
    return made


def _leaked_roles(draft: ManifestDraft) -> set[str]:
    named = [bytes.fromhex(kid) for kid in draft.leaked]
    rows = RoleKey.unscoped.filter(municipality=draft.municipality_id, kid__in=named)
    return set(rows.values_list("role", flat=True))


def _turn_keys(municipality: Municipality, body: wire.Manifest, at: datetime) -> None:
    """Make the keys' rows say what the manifest says."""
    named = {bytes(key.kid) for key in body.role_keys}
    keys = RoleKey.objects.filter(municipality=municipality, retired_at__isnull=True)
    RoleKey.objects.filter(pk__in=[key.pk for key in keys if bytes(key.kid) not in named]).update(
        retired_at=at
    )
    new = list(keys.filter(active_from__isnull=True))
    RoleKey.objects.filter(pk__in=[key.pk for key in new]).update(active_from=at)
    older = RoleKey.objects.filter(
        Q(retired_at=at) | Q(role__in=[key.role for key in new]), municipality=municipality
    )
    older.exclude(pk__in=[key.pk for key in new]).filter(superseded_at__isnull=True).update(superseded_at=at)

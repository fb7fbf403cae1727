"""Proposing a manifest: what changes is decided here, but only the roots can make it true.

New key pairs are made at once, where role keys are kept, and sign nothing until a manifest names them. The
file that goes to the holders of the root keys (`protocol.ceremony`) holds nothing secret.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from protocol import manifest as wire
from protocol.ceremony import Ceremony
from protocol.errors import ProtocolError
from protocol.manifest import RootSet
from server.audit import actions
from server.audit.domain import record
from server.keys.queries import is_needed, keys_in_manifest, open_draft
from server.keys.rules import next_manifest, roles_without_a_key
from server.people.models import User
from server.problems import Problem
from server.tenancy import keepers
from server.tenancy.domain.keyring import current_manifest, root_set
from server.tenancy.models import ManifestDraft, Municipality, RoleKey
from server.tenancy.scoping import whole_municipality

PROPOSED = actions.register("keys.proposed", _("new key manifest proposed"))
WITHDRAWN = actions.register("keys.withdrawn", _("proposed key manifest withdrawn"))


@transaction.atomic
@whole_municipality()
def propose(
    *,
    municipality: Municipality,
    at: datetime,
    renew: Collection[str] = (),
    leaked: Collection[bytes] = (),
    dropped: Collection[bytes] = (),
    roots: RootSet | None = None,
    skip: int = 0,
    actor: User | None = None,
) -> ManifestDraft:
    """Make the new keys and the manifest that names them; returns the draft, which the roots must sign.

    `renew`: roles (`RoleKey.Role`) that get a new key beside the old, or instead for sealing. `leaked`: ids
    of keys that are given up at once; the role of one that signs now is renewed as well. `dropped`: ids of
    other keys that leave. Superseded keys that nothing rests on any more leave by themselves. `roots`: the
    root keys from then on. `skip`: versions to leave out (`server.keys.domain.restoring`). Raises `Problem`:
    ceremony_open, ceremony_empty, key_unknown_here, key_last, manifest_too_large.
    """
    held_row = Municipality.objects.select_for_update(no_key=True).get(pk=municipality.pk)
    if open_draft(held_row.pk) is not None:
        raise Problem("ceremony_open")
    keys = keys_in_manifest(held_row.pk)
    given_up = _named(keys, leaked)
    roles = {*renew, *(key.role for key in given_up if key.superseded_at is None)}
    idle = [key for key in keys if not is_needed(key, at=at)]
    leaving = {bytes(key.kid) for key in [*given_up, *_named(keys, dropped), *idle]}
    if not (roles or leaving or roots):
        raise Problem("ceremony_empty")
    held, document = current_manifest(held_row)
    new = [_make(held_row, role, skip) for role in RoleKey.Role.values if role in roles]
    body = next_manifest(
        held,
        keys=keys,
        new=new,
        dropped=leaving,
        roots=roots or root_set(held_row),
        issued_at=int(at.timestamp()),
        skip=skip,
    )
    if roles_without_a_key(body):
        raise Problem("key_last", roles=[role.name.lower() for role in roles_without_a_key(body)])
    draft: ManifestDraft = ManifestDraft.objects.create(
        municipality=held_row,
        version=body.version,
        document=Ceremony(document, _payload(body)).encode(),
        leaked=sorted(bytes(key.kid).hex() for key in given_up),
        created_at=at,
        created_by=actor,
    )
    after = {"version": body.version, "new": sorted(roles), "leaving": sorted(kid.hex() for kid in leaving)}
    if roots is not None:
        after["roots"] = roots.fingerprint.hex()
    record(action=PROPOSED, target=draft, actor=actor, after=after)
    return draft


def _payload(body: wire.Manifest) -> bytes:
    try:
        return wire.payload_of(body)
    except ProtocolError as error:
        raise Problem("manifest_too_large") from error


def _named(keys: Sequence[RoleKey], kids: Collection[bytes]) -> list[RoleKey]:
    found = [key for key in keys if bytes(key.kid) in set(kids)]
    if len(found) != len(set(kids)):
        raise Problem("key_unknown_here")
    return found


def _make(municipality: Municipality, role: str, skip: int) -> RoleKey:
    """Make a key under a name that no other key has had; a lock that knows another by it is not cured."""
    numbers = RoleKey.unscoped.filter(municipality=municipality).values_list("kid", flat=True)
    number = max(int.from_bytes(bytes(kid)) for kid in numbers) + 1 + skip
    return keepers.make_role_key(municipality=municipality, role=role, kid=number.to_bytes(2))


def new_roots(public_keys: Sequence[bytes], threshold: int) -> RootSet:
    """Return a root set of these public keys; raises `Problem` roots_invalid.

    At least two must sign: with one alone, whoever has it owns every lock.
    """
    try:
        roots = RootSet(tuple(sorted(public_keys)), threshold)
    except ProtocolError as error:
        raise Problem("roots_invalid") from error
    if threshold < 2:
        raise Problem("roots_invalid")
    return roots


@transaction.atomic
@whole_municipality()
def withdraw(*, draft: ManifestDraft, at: datetime, actor: User | None = None) -> None:
    """Give the proposal up; the keys made for it are erased, for nothing ever names them.

    Two holders may have signed it already: their file is of no use any more, for only what this server
    takes into force becomes a manifest that anybody is given.
    """
    held = hold_open(draft)
    waiting = RoleKey.unscoped.filter(
        municipality=held.municipality_id, active_from__isnull=True, retired_at__isnull=True
    )
    for key in waiting:
        keepers.erase(key)
        key.retired_at, key.erased_at = at, at
        key.save(update_fields=["retired_at", "erased_at", "sealed_private_key"])
    held.outcome, held.closed_at = ManifestDraft.Outcome.WITHDRAWN, at
    held.save(update_fields=["outcome", "closed_at"])
    record(action=WITHDRAWN, target=held, actor=actor, after={"version": held.version})


def hold_open(draft: ManifestDraft) -> ManifestDraft:
    """Return the draft's row, held; raises `Problem` ceremony_closed when it is open no more."""
    held: ManifestDraft = ManifestDraft.objects.select_for_update(no_key=True).get(pk=draft.pk)
    if held.outcome != ManifestDraft.Outcome.OPEN:
        raise Problem("ceremony_closed")
    return held

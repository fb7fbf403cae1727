"""Taking in what the holders of the root keys signed, strictly: this very proposal, by roots we know."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from protocol import ceremony
from protocol.ceremony import Ceremony
from protocol.errors import ProtocolError
from protocol.manifest import RootSet
from server.audit import actions
from server.audit.domain import record
from server.keys.domain.proposing import hold_open
from server.keys.queries import each_once, roots_still_trusted
from server.people.models import User
from server.problems import Problem
from server.tenancy.domain.keyring import root_set
from server.tenancy.models import ManifestDraft
from server.tenancy.scoping import whole_municipality

SIGNED = actions.register("keys.signed", _("root signature taken in"))


def ceremony_of(draft: ManifestDraft) -> Ceremony:
    """Return the draft's file."""
    return ceremony.parse(bytes(draft.document))


def concerned(draft: ManifestDraft) -> list[RootSet]:
    """Return every root set that must sign: those some lock may still trust, today's, and the new one."""
    return each_once(
        [
            *roots_still_trusted(draft.municipality_id),
            root_set(draft.municipality),
            ceremony_of(draft).proposed.roots,
        ]
    )


def lacking(draft: ManifestDraft) -> list[tuple[RootSet, int]]:
    """Return the root sets that have not signed enough, each with how many more it takes."""
    return ceremony.missing(ceremony_of(draft), concerned(draft))


@transaction.atomic
@whole_municipality()
def take_signatures(*, draft: ManifestDraft, file: bytes, at: datetime, actor: User | None = None) -> int:
    """Put the signatures of one returned file to those we have; returns how many are new.

    Raises `Problem`: ceremony_unreadable, ceremony_foreign (another proposal), signature_invalid (by none of
    our roots, or over something else), ceremony_closed.
    """
    held = hold_open(draft)
    ours = ceremony_of(held)
    try:
        brought = ceremony.parse(file)
    except ProtocolError as error:
        raise Problem("ceremony_unreadable") from error
    if brought.payload != ours.payload:
        raise Problem("ceremony_foreign")
    together = replace(ours, signatures=tuple(sorted({*ours.signatures, *brought.signatures})))
    try:
        signers = ceremony.signers(together, {key for roots in concerned(held) for key in roots.keys})
    except ProtocolError as error:
        raise Problem("signature_invalid") from error
    new = len(together.signatures) - len(ours.signatures)
    if new:
        held.document = together.encode()
        held.save(update_fields=["document"])
        record(action=SIGNED, target=held, actor=actor, after={"roots": sorted(key.hex() for key in signers)})
    return new

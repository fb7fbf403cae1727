"""The signed paper of a consent: taken in by what it is, not by what it is called, and kept sealed.

Its file name is never kept: it may bear somebody's name. What a document contains is not looked into; it is
only ever handed out as a download that no browser opens in our pages (`server.care.paper`).
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from server.audit import actions
from server.audit.domain import record
from server.care.models import Consent, ConsentDocument
from server.people.models import User
from server.problems import Problem
from server.tenancy import custody

ADDED = actions.register("care.document_added", _("signed document added"))
READ = actions.register("care.document_read", _("signed document read"), needs_actor=True)

MOST_BYTES = 5 * 1024 * 1024
MOST_DOCUMENTS = 5
"""Per consent: the paper itself, its renewals and the withdrawal."""

_PNG = b"\x89PNG\r\n\x1a\n"


def kind_of(content: bytes) -> str | None:
    """Return the `ConsentDocument.Kind` that the bytes are from first to last, or None."""
    if content.startswith(b"%PDF-1.") or content.startswith(b"%PDF-2."):
        return ConsentDocument.Kind.PDF if b"%%EOF" in content[-1024:] else None
    if content.startswith(b"\xff\xd8\xff"):
        return ConsentDocument.Kind.JPEG if content.rstrip(b"\0").endswith(b"\xff\xd9") else None
    if content.startswith(_PNG) and content[12:16] == b"IHDR":
        return ConsentDocument.Kind.PNG if content[-8:-4] == b"IEND" else None
    return None


def refusal_of(content: bytes) -> str | None:
    """Return the code of the problem with a document, or None when it can be taken in."""
    if len(content) > MOST_BYTES:
        return "document_too_large"
    return "document_unreadable" if kind_of(content) is None else None


@transaction.atomic
def add_document(
    *, consent: Consent, content: bytes, at: datetime, actor: User | None = None
) -> ConsentDocument:
    """Keep a signed paper beside its consent; the same bytes twice are one document.

    Raises `Problem`: document_too_large, document_unreadable, documents_too_many.
    """
    refusal = refusal_of(content)
    if refusal is not None:
        raise Problem(refusal)
    digest = hashlib.sha256(content).digest()
    known: ConsentDocument | None = ConsentDocument.unscoped.filter(consent=consent, sha256=digest).first()
    if known is not None:
        return known
    if ConsentDocument.unscoped.filter(consent=consent).count() >= MOST_DOCUMENTS:
        raise Problem("documents_too_many")
    document: ConsentDocument = ConsentDocument.unscoped.create(
        municipality_id=consent.municipality_id,
        consent=consent,
        kind=kind_of(content),
        size=len(content),
        sha256=digest,
        sealed_content=custody.seal(content, seal_context(consent.pk, digest)),
        added_at=at,
        added_by=actor,
    )
    after = {"consent": consent.pk, "sha256": digest.hex(), "size": len(content)}
    record(action=ADDED, target=document, actor=actor, after=after)
    return document


@transaction.atomic
def read_document(*, document: ConsentDocument, actor: User) -> bytes:
    """Return the paper as it was handed in, and put the reading into the audit trail.

    Raises `custody.SealError` when it was altered or can no longer be opened.
    """
    digest = bytes(document.sha256)
    content = custody.unseal(document.sealed_content, seal_context(document.consent_id, digest))
    if not hmac.compare_digest(hashlib.sha256(content).digest(), digest):
        raise custody.SealError("the document is not the one that was handed in")
    record(action=READ, target=document, actor=actor, after={"consent": document.consent_id})
    return content


def seal_context(consent_id: int, digest: bytes) -> str:
    """Return what a sealed paper is bound to: its consent and its own digest."""
    return f"consent.document:{consent_id}:{digest.hex()}"

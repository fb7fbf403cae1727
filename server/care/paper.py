"""Handing out a signed paper: as a download that no browser shows in our pages, kept in no cache."""

from __future__ import annotations

from django.http import HttpResponse

from server.care.models import ConsentDocument

_TYPES = {
    ConsentDocument.Kind.PDF: "application/pdf",
    ConsentDocument.Kind.JPEG: "image/jpeg",
    ConsentDocument.Kind.PNG: "image/png",
}


def download(document: ConsentDocument, content: bytes) -> HttpResponse:
    """Return the paper under a name of ours; whatever it contains, it runs nowhere."""
    response = HttpResponse(content, content_type=_TYPES[ConsentDocument.Kind(document.kind)])
    name = f"medgivande-{document.consent_id}-{document.pk}.{document.kind}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "no-store"
    return response

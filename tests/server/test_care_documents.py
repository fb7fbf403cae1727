"""Signed papers: taken in by content, kept sealed, handed out to those who may as downloads, and logged."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser
from django.urls import reverse

from server.audit.models import AuditEntry
from server.care.domain.documents import MOST_BYTES, MOST_DOCUMENTS, add_document, kind_of
from server.care.models import Consent, ConsentDocument
from server.people.models import User
from server.problems import Problem
from tests.server.pages import auditor_of, coordinator_of, owner_contact_of, patrol_of
from tests.server.shared_gate import share_gate
from tests.server.world import NOW, World

PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + b"\0" * 40 + b"\xff\xd9"
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\0" * 21 + b"\0\0\0\0IEND\xaeB`\x82"


@pytest.fixture(autouse=True)
def morning(settings: Any) -> Iterator[None]:
    settings.SECOND_FACTOR_REQUIRED = False
    with time_machine.travel(NOW, tick=False):
        yield


def browser_of(user: User) -> Browser:
    browser = Browser()
    browser.force_login(user)
    return browser


def hand_in(world: World, content: bytes, name: str = "Karin Karlssons medgivande.pdf") -> Any:
    patrol = browser_of(patrol_of(world.municipality))
    return patrol.post(
        reverse("admin:care_consent_change", args=[world.client_consent.pk]),
        {
            "signed_on": "2026-11-20",
            "valid_from_0": "2026-01-01",
            "valid_from_1": "00:00",
            "document": SimpleUploadedFile(name, content, content_type="text/html"),
        },
    )


@pytest.mark.parametrize(("content", "kind"), [(PDF, "pdf"), (JPEG, "jpeg"), (PNG, "png")])
def test_a_paper_is_known_by_its_content(world: World, content: bytes, kind: str) -> None:
    assert kind_of(content) == kind
    assert hand_in(world, content, "innehåller.exe").status_code == 302
    document = ConsentDocument.objects.get()
    assert (document.kind, document.size) == (kind, len(content))
    assert document.sha256 == hashlib.sha256(content).digest()
    assert content not in bytes(document.sealed_content), "it is sealed at rest"


@pytest.mark.parametrize(
    "content",
    [
        b"<html><script>alert(1)</script>",
        b"%PDF-1.7\nhalf of it",
        PNG[:30],
        JPEG[:-2],
        b"MZ\x90\0 program",
        b"GIF89a",
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b" " + PDF,
    ],
)
def test_what_is_no_paper_is_refused_whatever_it_is_called(world: World, content: bytes) -> None:
    assert kind_of(content) is None
    answer = hand_in(world, content)
    assert answer.status_code == 200 and answer.context["adminform"].form.errors["document"]
    assert not ConsentDocument.objects.exists()


def test_too_large_is_refused(world: World) -> None:
    answer = hand_in(world, PDF[:-7] + b" " * MOST_BYTES + b"%%EOF\n")
    assert "5 MB" in str(answer.context["adminform"].form.errors["document"])


def test_the_same_paper_twice_is_one_and_there_are_only_so_many(world: World) -> None:
    for number in range(MOST_DOCUMENTS):
        paper = PDF + b"\n" * number
        one = add_document(consent=world.client_consent, content=paper, at=NOW)
        assert add_document(consent=world.client_consent, content=paper, at=NOW) == one
    with pytest.raises(Problem, match="documents_too_many"):
        add_document(consent=world.client_consent, content=PDF + b"\n" * 99, at=NOW)


def test_it_is_a_download_that_runs_nowhere_and_every_reading_is_logged(world: World) -> None:
    document = add_document(consent=world.client_consent, content=PDF, at=NOW)
    user = patrol_of(world.municipality)
    path = reverse("admin:care_consent_document", args=[document.pk])
    answer = browser_of(user).get(path)
    assert answer.content == PDF
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"].startswith("attachment; filename=")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert "no-store" in answer["Cache-Control"]
    entry = AuditEntry.objects.get(action="care.document_read")
    assert (entry.actor, entry.object_id) == (user, str(document.pk))


def test_a_file_name_is_never_kept(world: World) -> None:
    hand_in(world, PDF)
    document = ConsentDocument.objects.get()
    kept = " ".join(str(value) for value in vars(document).values())
    kept += " ".join(str(vars(entry)) for entry in AuditEntry.objects.all())
    assert "Karlsson" not in kept


def test_rule_08_only_those_who_may_see_the_consent_get_the_paper(world: World) -> None:
    other = share_gate(world)
    own = add_document(consent=world.client_consent, content=PDF, at=NOW)
    foreign = add_document(consent=other.consent, content=PDF + b"\n", at=NOW)
    owners = add_document(consent=world.owner_consent, content=PNG, at=NOW)

    def status(user: User, document: ConsentDocument) -> int:
        return browser_of(user).get(reverse("admin:care_consent_document", args=[document.pk])).status_code

    coordinator, auditor = coordinator_of(world.provider), auditor_of(world.municipality)
    contact = owner_contact_of(world.owner)
    assert [status(coordinator, one) for one in (own, foreign, owners)] == [200, 404, 404]
    assert [status(contact, one) for one in (own, foreign, owners)] == [404, 404, 200]
    assert [status(auditor, one) for one in (own, foreign, owners)] == [403, 403, 403]
    assert AuditEntry.objects.filter(action="care.document_read").count() == 2


def test_a_damaged_or_swapped_paper_is_not_handed_out(world: World) -> None:
    one = add_document(consent=world.client_consent, content=PDF, at=NOW)
    two = add_document(consent=world.owner_consent, content=PNG, at=NOW)
    ConsentDocument.objects.filter(pk=one.pk).update(sealed_content=two.sealed_content)
    patrol = browser_of(patrol_of(world.municipality))
    answer = patrol.get(reverse("admin:care_consent_document", args=[one.pk]), follow=True)
    assert "Dokumentet går inte att öppna" in answer.content.decode()
    assert not AuditEntry.objects.filter(action="care.document_read").exists()


def test_a_list_never_fetches_the_bytes(world: World, django_assert_max_num_queries: Any) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    add_document(consent=world.client_consent, content=PDF, at=NOW)
    patrol = browser_of(patrol_of(world.municipality))
    with CaptureQueriesContext(connection) as captured:
        patrol.get(reverse("admin:care_consentdocument_changelist"))
        patrol.get(reverse("admin:care_consent_change", args=[Consent.objects.earliest("pk").pk]))
    assert not any("sealed_content" in query["sql"] for query in captured)

"""Personal data: every text field about people is claimed by a class, handed out, and shredded in time."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import date, timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.db import models
from django.test import Client as Http
from django.urls import reverse

from server.access.domain.issue import issue_ahead
from server.audit.domain import record
from server.audit.models import AuditEntry, ImmutableError
from server.audit.redaction import redact
from server.care.models import CareAssignment, Client, ConsentDocument
from server.passages.domain.intake import take_in
from server.people.models import EnrolmentCode, Phone, StaffMember, User
from server.people.roles import Role
from server.privacy.domain.register import CLASSES, NOT_PERSONAL, extract
from server.privacy.domain.shredding import StillNeededError, preview, pseudonymise, sweep
from server.privacy.models import PrivacyPolicy, Shredding
from server.privacy.templatetags.extract import WORDS
from tests.server.issuer import Issuer, enrolment_code, give_sign_in
from tests.server.pages import administrator_of
from tests.server.world import HOUR, LONG_AGO, NOW, World, make_staff

YEARS = timedelta(days=365)
LATER = NOW + 3 * YEARS
PEOPLE = {"people.User", "people.StaffMember", "people.Phone", "people.Bearer", "care.Client"}


def text_fields() -> set[str]:
    """Every free text on a model that has to do with people: itself, or one step away."""
    found = set()
    for model in apps.get_models():
        if not model.__module__.startswith("server."):
            continue
        related = {
            field.related_model._meta.label
            for field in model._meta.concrete_fields
            if isinstance(field.related_model, type)
        }
        label = model._meta.label
        if label in PEOPLE or model._meta.app_label in ("people", "privacy") or related & PEOPLE:
            found |= {f"{label}.{field.name}" for field in model._meta.concrete_fields if is_text(field)}
    return found


def is_text(field: models.Field[Any, Any]) -> bool:
    kinds = (models.CharField, models.TextField, models.JSONField, models.FileField)
    return isinstance(field, kinds) and not field.choices


OWN = {"privacy.Shredding.data_class", "privacy.Shredding.object_type", "privacy.Shredding.object_id"}


def test_rule_08_every_text_field_about_people_is_claimed_by_a_class() -> None:
    claimed = {claim for one in CLASSES for claim in one.claims}
    unclaimed = text_fields() - claimed - NOT_PERSONAL.keys() - OWN
    assert unclaimed == set(), "let a class of server.privacy claim these, or say why they are not personal"


def test_classes_claim_what_exists_and_nothing_twice() -> None:
    claims = [claim for one in CLASSES for claim in one.claims]
    assert len(claims) == len(set(claims))
    for claim in claims:
        app, model, field = claim.split(".")
        assert apps.get_model(app, model)._meta.get_field(field)


@pytest.fixture
def gone(issuer: Issuer) -> StaffMember:
    """Alice, who opened doors, was renamed in the administration once, and left."""
    world = issuer.world
    give_sign_in(world.alice, "alice", first_name="Alice", email="alice@exempel.se")
    issue_ahead(municipality=issuer.municipality, at=NOW)
    token = issuer.token_at(world.apartment_binding)
    issuer.apartment_lock.opened(
        token.token_id, bytes(world.bearer.fingerprint), at=int((NOW + HOUR).timestamp())
    )
    take_in(documents=[issuer.apartment_lock.sealed()], courier=world.phone, at=NOW + 2 * HOUR)
    enrolment_code(world.alice)
    world.phone.label = "Alices telefon"
    world.phone.save()
    actor = administrator_of(issuer.municipality)
    record(
        action="admin.changed",
        target=world.alice,
        actor=actor,
        before={"name": "Alise Andersson", "employed_to": None},
        after={"name": "Alice Andersson", "employed_to": "2026-11-30"},
    )
    world.alice.employed_to = date(2026, 11, 30)
    world.alice.save()
    found: StaffMember = StaffMember.objects.get(pk=world.alice.pk)
    return found


class TestSomebodyWhoLeft:
    """Pseudonymised when the time is up and nothing is unfinished; still one and the same person."""

    def test_name_sign_in_label_and_trail_lose_the_person(self, issuer: Issuer, gone: StaffMember) -> None:
        assert sweep(issuer.municipality, at=LATER) >= 1
        gone.refresh_from_db()
        assert gone.name.startswith("Medarbetare ")
        user = User.objects.get(pk=gone.user_id)
        assert (user.is_active, user.first_name, user.email, user.has_usable_password()) == (
            False,
            "",
            "",
            False,
        )
        assert "alice" not in user.username
        assert not Authenticator.objects.filter(user=user).exists()
        assert Phone.objects.get(pk=issuer.world.phone.pk).label == ""
        assert not EnrolmentCode.objects.filter(staff=gone).exists()
        entry = AuditEntry.objects.get(action="admin.changed")
        assert entry.before == {"name": gone.name, "employed_to": None}
        assert entry.after == {"name": gone.name, "employed_to": "2026-11-30"}
        assert Shredding.objects.filter(data_class="staff", object_id=str(gone.pk)).count() == 1
        everything = json.dumps(list(AuditEntry.objects.values("before", "after", "reason")))
        assert "Alice" not in everything
        assert "Alise" not in everything

    def test_twice_is_harmless(self, issuer: Issuer, gone: StaffMember) -> None:
        sweep(issuer.municipality, at=LATER)
        name = StaffMember.objects.get(pk=gone.pk).name
        assert sweep(issuer.municipality, at=LATER + YEARS) == 0
        assert StaffMember.objects.get(pk=gone.pk).name == name

    def test_not_before_the_time_is_up(self, issuer: Issuer, gone: StaffMember) -> None:
        sweep(issuer.municipality, at=NOW + YEARS)
        assert StaffMember.objects.get(pk=gone.pk).name == "Alice Andersson"
        PrivacyPolicy.objects.create(municipality=issuer.municipality, months_after_leaving=6)
        sweep(issuer.municipality, at=NOW + YEARS)
        assert StaffMember.objects.get(pk=gone.pk).name != "Alice Andersson"

    def test_not_while_keys_live_or_shifts_come(self, issuer: Issuer, gone: StaffMember) -> None:
        with pytest.raises(StillNeededError):
            pseudonymise(staff=gone, at=NOW, actor=None)
        gone.employed_to = NOW.date() - timedelta(days=1)
        gone.save()
        with pytest.raises(StillNeededError):
            pseudonymise(staff=gone, at=NOW, actor=None)
        assert StaffMember.objects.get(pk=gone.pk).name == "Alice Andersson"

    def test_a_pool_phone_keeps_its_label(self, issuer: Issuer, gone: StaffMember) -> None:
        Phone.objects.update(is_pool=True)
        sweep(issuer.municipality, at=LATER)
        assert Phone.objects.get(pk=issuer.world.phone.pk).label == "Alices telefon"

    def test_those_who_stay_stay(self, issuer: Issuer, gone: StaffMember) -> None:
        other = make_staff(issuer.world.team, "Berit Bok")
        sweep(issuer.municipality, at=LATER)
        assert StaffMember.objects.get(pk=other.pk).name == "Berit Bok"


def test_the_extract_holds_every_class_with_what_is_known(issuer: Issuer, gone: StaffMember) -> None:
    found = {one["class"]: one["rows"] for one in extract(gone, at=NOW)["classes"]}
    assert {key for rows in found.values() for row in rows for key in row} <= set(WORDS), "each has words"
    assert found.keys() == {one.slug for one in CLASSES}
    assert found["staff"][0]["name"] == "Alice Andersson"
    assert found["sign_ins"][0]["email"] == "alice@exempel.se"
    assert [row["kind"] for row in found["passages"]] == ["granted", "outcome"]
    assert {row["door"] for row in found["keys"] if "door" in row} == {
        str(issuer.world.gate),
        str(issuer.world.apartment),
    }
    assert [row["what"] for row in found["audit"]] == ["ändrad i administrationen"]
    json.dumps(found)


class TestClientsAndPapers:
    """What goes when care or a consent ended long ago."""

    def test_an_ended_client_loses_code_identity_and_door(self, world: World) -> None:
        Client.objects.filter(pk=world.client.pk).update(ended_at=NOW, source="plan", external_id="17")
        assert sweep(world.municipality, at=LATER) == 0, "somebody still has the assignment"
        CareAssignment.objects.update(ends_at=NOW)
        assert sweep(world.municipality, at=LATER) == 1
        client = Client.objects.get(pk=world.client.pk)
        assert (client.external_id, client.source, client.door) == ("", "", None)
        assert client.alarm_code.startswith("Avslutad ")

    def test_a_paper_goes_when_its_consent_ended_long_ago(self, world: World) -> None:
        paper = ConsentDocument.objects.create(
            municipality=world.municipality,
            consent=world.client_consent,
            kind="pdf",
            size=3,
            sha256=b"s" * 32,
            sealed_content=b"xyz",
            added_at=LONG_AGO,
        )
        assert sweep(world.municipality, at=LATER) == 0
        type(world.client_consent).objects.update(valid_to=NOW)
        assert [one.count for one in preview(world.municipality, at=LATER) if one.count] == [1]
        assert sweep(world.municipality, at=LATER) == 1
        assert not ConsentDocument.objects.filter(pk=paper.pk).exists()
        assert Shredding.objects.filter(data_class="consent_documents").count() == 1


class TestTheDoorThroughTheGuard:
    """Entries lose names and nothing else."""

    def test_only_named_keys_of_the_named_object_change(self, world: World) -> None:
        before = {"name": "Alice", "employed_to": "2026"}
        kept = AuditEntry.unscoped.create(
            municipality=world.municipality,
            acting_as="server",
            action="x",
            object_type="people.staffmember",
            object_id="999",
            before=before,
        )
        mine = AuditEntry.unscoped.create(
            municipality=world.municipality,
            acting_as="server",
            action="x",
            object_type="people.staffmember",
            object_id=str(world.alice.pk),
            before=before,
            reason="lost",
        )
        count = redact(
            target=world.alice,
            object_type="people.staffmember",
            object_ids=[str(world.alice.pk)],
            keys={"name"},
            put="Medarbetare 1",
        )
        assert count == 1
        assert AuditEntry.objects.get(pk=kept.pk).before == before
        changed = AuditEntry.objects.get(pk=mine.pk)
        assert (changed.before, changed.reason) == (
            {"name": "Medarbetare 1", "employed_to": "2026"},
            "lost",
        )
        assert AuditEntry.objects.filter(action="audit.redacted").count() == 1

    def test_there_is_no_other_door(self, world: World) -> None:
        with pytest.raises(ImmutableError):
            AuditEntry.objects.update(reason="")
        with pytest.raises(ImmutableError):
            AuditEntry.unscoped.all().delete()


@pytest.fixture
def chief(issuer: Issuer, client: Http, settings: Any) -> Http:
    settings.SECOND_FACTOR_REQUIRED = False
    user = User.objects.create_superuser("dataskydd", municipality=issuer.municipality)
    client.force_login(user)
    return client


def test_the_administrator_sees_what_is_due_and_takes_an_extract(
    issuer: Issuer, gone: StaffMember, chief: Http
) -> None:
    overview = chief.get(reverse("admin:privacy_overview"), {"q": "alice"})
    assert overview.status_code == 200
    assert reverse("admin:privacy_person", args=[gone.pk]) in overview.content.decode()
    person = chief.get(reverse("admin:privacy_person", args=[gone.pk]))
    assert "alice@exempel.se" in person.content.decode()
    answer = chief.get(reverse("admin:privacy_extract", args=[gone.pk]))
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert set(archive.namelist()) == {"registerutdrag.json", "registerutdrag.html"}
    assert json.loads(archive.read("registerutdrag.json"))["person"] == "Alice Andersson"
    page = archive.read("registerutdrag.html").decode()
    assert "Alice Andersson" in page and "anställd från" in page and "employed_from" not in page
    assert AuditEntry.objects.filter(action="privacy.extracted").count() == 1


def test_pseudonymising_from_the_page_refuses_what_is_unfinished(
    issuer: Issuer, gone: StaffMember, chief: Http
) -> None:
    page = chief.post(reverse("admin:privacy_person", args=[gone.pk]), follow=True)
    assert "Inte nu" in page.content.decode()
    assert StaffMember.objects.get(pk=gone.pk).name == "Alice Andersson"


@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.PATROL, Role.INSTALLER, Role.AUDITOR])
def test_personal_data_is_the_administrators(
    issuer: Issuer, gone: StaffMember, client: Http, settings: Any, role: str
) -> None:
    settings.SECOND_FACTOR_REQUIRED = False
    fields = {"provider": issuer.world.provider} if role == Role.COORDINATOR else {}
    client.force_login(User.objects.create_user("x", municipality=issuer.municipality, role=role, **fields))
    for address in (
        reverse("admin:privacy_overview"),
        reverse("admin:privacy_person", args=[gone.pk]),
        reverse("admin:privacy_extract", args=[gone.pk]),
    ):
        assert client.get(address).status_code in (302, 403)

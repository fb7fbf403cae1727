"""What people do in the administration: forms, the enrolment code, the preview, and who may do it."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from server.audit.models import AuditEntry
from server.care.models import Client
from server.passages.models import Deviation
from server.people.models import EnrolmentCode, StaffMember, User
from server.places.models import Door, DoorPath
from tests.server.pages import REGISTERED, address, patrol_of
from tests.server.world import World, make_door

pytestmark = pytest.mark.once


def test_adding_and_changing_is_audited(desk: Browser, everything: World) -> None:
    answer = desk.post(address(Client, "add"), {"alarm_code": "4799", "source": "", "external_id": ""})
    assert answer.status_code == 302, unescape(answer.content.decode())[:2000]
    client = Client.objects.get(alarm_code="4799")
    assert client.municipality == everything.municipality
    desk.post(address(Client, "change", client.pk), {"alarm_code": "4800"})
    entries = list(
        AuditEntry.objects.filter(object_type="care.client", object_id=str(client.pk)).order_by("pk")
    )
    assert [entry.action for entry in entries] == ["admin.added", "admin.changed"]
    assert (entries[1].before, entries[1].after) == ({"alarm_code": "4799"}, {"alarm_code": "4800"})
    assert entries[1].acting_as == "administrator"


def test_a_double_alarm_code_is_explained_not_crashed(desk: Browser, everything: World) -> None:
    answer = desk.post(address(Client, "add"), {"alarm_code": "4711", "source": "", "external_id": ""})
    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors


def test_a_form_cannot_point_into_another_municipality(desk: Browser, beside: World) -> None:
    answer = desk.post(address(Client, "add"), {"alarm_code": "4799", "door": beside.apartment.pk})
    assert answer.status_code == 200
    assert "door" in answer.context["adminform"].form.errors


def test_empty_list_says_what_to_do_next(desk: Browser, everything: World) -> None:
    Deviation.objects.all().delete()
    page = desk.get(address(Deviation, "changelist")).content.decode()
    assert "Det finns inga avvikelser ännu." in page
    assert "Inget behöver åtgärdas." in page


def test_language_can_be_switched(desk: Browser) -> None:
    desk.post("/i18n/setlang/", {"language": "en", "next": "/admin/"})
    assert "Care providers" in desk.get("/admin/").content.decode()


def test_enrolment_code_is_shown_once(desk: Browser, everything: World) -> None:
    path = reverse("admin:people_staffmember_enrol", args=[everything.alice.pk])
    assert desk.get(path).status_code == 200
    before = EnrolmentCode.objects.count()
    page = desk.post(path).content.decode()
    found = re.search(r'class="enrol-code">([0-9A-Z-]+)<', page)
    assert found is not None
    assert "data:image/svg+xml;base64," in page
    plain = found[1]
    assert EnrolmentCode.objects.filter(used_at__isnull=True, expires_at__gt=timezone.now()).count() == 1
    assert EnrolmentCode.objects.count() >= before
    for later in (path, address(EnrolmentCode, "changelist"), address(AuditEntry, "changelist")):
        assert plain not in desk.get(later).content.decode()


def test_who_may_open_answers_for_door_and_person(desk: Browser, everything: World) -> None:
    now = timezone.now()
    type(everything.shift).objects.update(
        starts_at=now - timedelta(hours=1), ends_at=now + timedelta(hours=4)
    )
    path = reverse("admin:who_may_open")
    assert "Storgatan 1" in desk.get(path, {"q": "4711"}).content.decode()
    door = desk.get(path, {"door": everything.gate.pk}).content.decode()
    assert "Alice Andersson" in door and "får öppna" in door and "På vägen till 4711" in door
    type(everything.client_consent).objects.filter(scope="client").update(withdrawn_at=now)
    person = desk.get(path, {"staff": everything.alice.pk}).content.decode()
    assert "får inte öppna" in person and "Medgivande för lägenhetsdörren saknas." in person
    assert desk.get(path, {"door": "999999"}).status_code == 404
    assert desk.get(path, {"door": "å"}).status_code == 200


def test_rule_08_who_may_open_knows_no_other_municipality(desk: Browser, beside: World) -> None:
    path = reverse("admin:who_may_open")
    assert desk.get(path, {"door": beside.gate.pk}).status_code == 404
    assert desk.get(path, {"staff": beside.alice.pk}).status_code == 404
    assert "Främling 1" not in desk.get(path, {"q": "Främling"}).content.decode()


def test_staff_without_permission_see_nothing(client: Browser, everything: World) -> None:
    client.force_login(User.objects.create_user("bob", municipality=everything.municipality, is_staff=True))
    assert client.get(reverse("admin:live")).status_code == 403
    assert client.get(reverse("admin:who_may_open")).status_code == 403
    assert {client.get(address(model, "changelist")).status_code for model in REGISTERED} == {403}


def test_operator_sees_every_municipality_and_chooses_one(client: Browser, beside: World) -> None:
    client.force_login(User.objects.create_superuser("drift"))
    for model in REGISTERED:
        assert client.get(address(model, "changelist")).status_code == 200
    assert "Främling" in client.get(address(Client, "changelist")).content.decode()
    assert "municipality" in client.get(address(Client, "add")).context["adminform"].form.fields


def test_a_municipalitys_chief_cannot_rise_above_it(desk: Browser, everything: World) -> None:
    form = {"username": "ny", "password1": "ett-riktigt-långt", "password2": "ett-riktigt-långt"}
    answer = desk.post(address(User, "add"), {**form, "usable_password": "true", "municipality": ""})
    assert answer.status_code == 302
    assert User.objects.get(username="ny").municipality == everything.municipality
    page = desk.get(address(User, "change", User.objects.get(username="ny").pk))
    assert "municipality" not in page.context["adminform"].form.fields


def test_a_gate_is_put_on_the_way_in_the_doors_own_form(
    desk: Browser, beside: World, everything: World
) -> None:
    door = make_door(everything.property, Door.Kind.APARTMENT, number="1203")
    rows = {"path-TOTAL_FORMS": 1, "path-INITIAL_FORMS": 0, "path-0-order": 1}
    form = {
        "property": everything.property.pk,
        "kind": "apartment",
        "address": "Storgatan 1",
        "must_sign": "resident",
    }
    path = address(Door, "change", door.pk)
    foreign = desk.post(path, {**form, **rows, "path-0-via": beside.gate.pk})
    assert foreign.status_code == 200 and not DoorPath.objects.filter(apartment=door).exists()
    answer = desk.post(path, {**form, **rows, "path-0-via": everything.gate.pk})
    assert answer.status_code == 302
    assert DoorPath.objects.get(apartment=door).municipality == everything.municipality
    laundry = make_door(everything.property, Door.Kind.LAUNDRY)
    row = DoorPath.objects.get(apartment=door)
    rows |= {"path-INITIAL_FORMS": 1, "path-0-id": row.pk, "path-0-apartment": door.pk}
    assert desk.post(path, {**form, **rows, "path-0-via": laundry.pk}).status_code == 302
    trail = AuditEntry.objects.filter(object_type="places.doorpath").order_by("pk")
    assert [entry.action for entry in trail] == ["admin.added", "admin.changed"]
    assert trail[0].before == {} and trail[0].after["via"] == everything.gate.pk
    assert (trail[1].before, trail[1].after) == ({"via": everything.gate.pk}, {"via": laundry.pk})


def test_audit_trail_reads_in_plain_words(desk: Browser, everything: World) -> None:
    desk.post(address(Client, "add"), {"alarm_code": "4799", "source": "", "external_id": ""})
    page = desk.get(address(AuditEntry, "changelist"), {"action": "admin.added"}).content.decode()
    assert "tillagd i administrationen" in page and "Brukare" in page and "administratör" in page
    assert desk.get(address(AuditEntry, "changelist"), {"acting_as": "server"}).status_code == 200


def test_changes_of_users_are_audited_without_passwords(desk: Browser, everything: World) -> None:
    user = User.objects.create_user("bob", municipality=everything.municipality)
    form = {"username": "bob", "is_active": "on", "role": "auditor"}
    assert desk.post(address(User, "change", user.pk), form).status_code == 302
    path = reverse("admin:auth_user_password_change", args=[user.pk])
    secret = "ett-riktigt-långt-lösenord"
    answer = desk.post(path, {"password1": secret, "password2": secret, "usable_password": "true"})
    assert answer.status_code == 302
    trail = AuditEntry.objects.filter(object_type="people.user", object_id=str(user.pk)).order_by("pk")
    assert [entry.action for entry in trail] == ["admin.changed", "people.password_set"]
    assert trail[0].before == {"is_staff": False, "role": ""}
    assert trail[0].after == {"is_staff": True, "role": "auditor"}
    assert not any(secret in str((entry.before, entry.after)) for entry in trail)


@pytest.fixture
def clerk(client: Browser, everything: World) -> User:
    """Somebody of the patrol, who may change users and is no administrator, signed in in `client`."""
    user = patrol_of(everything.municipality)
    client.force_login(user)
    return user


@pytest.mark.parametrize("mine", [True, False])
def test_only_an_administrator_hands_out_roles(
    client: Browser, clerk: User, everything: World, mine: bool
) -> None:
    user = clerk if mine else User.objects.create_user("bob", municipality=clerk.municipality)
    role, provider = user.role, everything.provider.pk
    form = {"username": user.username, "first_name": "Bo", "is_active": "on"}
    wanted = {"role": "coordinator", "provider": provider, "is_staff": "on", "is_superuser": "on"}
    assert client.post(address(User, "change", user.pk), {**form, **wanted}).status_code == 302
    user.refresh_from_db()
    assert user.first_name == "Bo"
    assert (user.role, user.provider, user.is_staff, user.is_superuser) == (role, None, mine, False)


RANKS = ({"role": "installer"}, {"is_staff": True}, {"is_superuser": True})


@pytest.mark.parametrize("rank", RANKS, ids=lambda rank: next(iter(rank)))
def test_only_an_administrator_changes_somebody_with_a_role(
    client: Browser, clerk: User, rank: dict[str, Any]
) -> None:
    # Whoever sets the password or the address for a forgotten one can sign in as that person.
    user = User.objects.create_user("chief", municipality=clerk.municipality)
    User.objects.filter(pk=user.pk).update(**rank)
    secret = "ett-riktigt-långt-lösenord"
    password = reverse("admin:auth_user_password_change", args=[user.pk])
    sent = {"password1": secret, "password2": secret, "usable_password": "true"}
    assert client.post(password, sent).status_code == 403
    form = {"username": "chief", "email": "clerk@example.org"}
    assert client.post(address(User, "change", user.pk), form).status_code == 403
    assert client.get(address(User, "change", user.pk)).status_code == 200  # to be seen, not changed
    user.refresh_from_db()
    assert (user.email, user.is_active, user.check_password(secret)) == ("", True, False)


@pytest.mark.parametrize("role", ["coordinator", "owner_contact"])
def test_a_narrow_role_needs_its_provider_or_owner(desk: Browser, everything: World, role: str) -> None:
    user = User.objects.create_user("bob", municipality=everything.municipality)
    form = {"username": "bob", "is_active": "on", "role": role}
    answer = desk.post(address(User, "change", user.pk), form)
    assert answer.status_code == 200 and answer.context["adminform"].form.errors
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=user.pk).update(role=role)
    part = {"provider": everything.provider.pk} if role == "coordinator" else {"owner": everything.owner.pk}
    assert desk.post(address(User, "change", user.pk), {**form, **part}).status_code == 302
    user.refresh_from_db()
    assert (user.role, user.is_staff) == (role, True)


def test_users_are_never_deleted(desk: Browser, everything: World) -> None:
    user = User.objects.create_user("bob", municipality=everything.municipality)
    assert desk.post(address(User, "delete", user.pk), {"post": "yes"}).status_code == 403


def test_rule_08_a_staff_member_cannot_get_another_municipalitys_sign_in(
    desk: Browser, beside: World, everything: World
) -> None:
    foreign = User.objects.create_user("bob", municipality=beside.municipality)
    form = {
        "name": "Alice",
        "provider": everything.provider.pk,
        "user": foreign.pk,
        "employed_from": "2026-01-01",
    }
    answer = desk.post(address(StaffMember, "change", everything.alice.pk), form)
    assert answer.status_code == 200
    assert "user" in answer.context["adminform"].form.errors

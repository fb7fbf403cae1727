"""Every admin page, found from the registry: it answers, in Swedish, without secrets or foreign rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from babel.messages.pofile import read_po
from django.contrib import admin
from django.db.models import Model
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone, translation

from server.access.models import Revocation, Token
from server.audit.models import AuditEntry
from server.care.models import Client, Visit
from server.locks.models import BindingGroup, Bulletin, LockStatus, LogPosition
from server.passages.models import Deviation, LogGap, SealedBatch
from server.people.models import EnrolmentCode, PhoneContact, User
from server.places.models import Door, DoorPath
from server.tenancy.base import TenantModel
from server.tenancy.models import Manifest, Municipality, RoleKey
from tests.server.fill import add_passages
from tests.server.world import LONG_AGO, NOW, SHIFT_END, SHIFT_START, World, make_door

REGISTERED = sorted(admin.site._registry, key=lambda model: model._meta.label)
SECRET = b"\xa5secret bytes\x5a"
QUERY_LIMIT = 40


def name_of(model: type[Model]) -> str:
    return model._meta.label_lower


def address(model: type[Model], page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def fill_every_table(world: World) -> None:
    """Make at least one row of every model, with bytes that must never show."""
    m = {"municipality": world.municipality}
    hidden = SECRET + bytes([world.municipality.pk % 256]) * 18
    binding, lock = world.gate_binding, world.gate_binding.lock
    type(binding).objects.update(sealed_adv_key=SECRET, commission_document=SECRET, lock_record=SECRET)
    Manifest.objects.create(**m, version=1, document=SECRET)
    RoleKey.objects.create(
        **m, role="token", kid=b"\0\1", public_key=b"p" * 32, sealed_private_key=SECRET, active_from=NOW
    )
    PhoneContact.objects.create(**m, phone=world.phone, last_seen_at=NOW)
    EnrolmentCode.objects.create(
        **m, staff=world.alice, code_hash=hidden, created_at=LONG_AGO, expires_at=NOW
    )
    Visit.objects.create(
        **m, shift=world.shift, client=world.client, starts_at=SHIFT_START, ends_at=SHIFT_END
    )
    LockStatus.objects.create(**m, lock=lock, battery_percent=80)
    BindingGroup.objects.create(**m, binding=binding, provider=world.provider, grp=1)
    Bulletin.objects.create(
        **m, binding=binding, seq=1, document=SECRET, content_hash=b"h" * 32, created_at=NOW
    )
    LogPosition.objects.create(**m, lock=lock, epoch=1, acked_hash=b"h" * 32, receipt=SECRET)
    token = Token.objects.create(
        **m,
        token_id=world.municipality.pk.to_bytes(8, "big"),
        bearer=world.bearer,
        binding=binding,
        shift=world.shift,
        provider=world.provider,
        issued_at=NOW,
        not_before=SHIFT_START,
        expires=SHIFT_END,
        scope=1,
        grp=1,
        document=SECRET,
    )
    Revocation.objects.create(**m, target="token", token=token, at=NOW, reason="lost")
    SealedBatch.objects.create(
        **m, digest=b"d" * 32, document=SECRET, received_at=NOW, status="held", lock=lock
    )
    add_passages(world)
    LogGap.objects.create(**m, lock=lock, epoch=1, first_seq=4, last_seq=9, noticed_at=NOW)
    Deviation.objects.create(**m, kind="jam", door=world.gate, lock=lock, opened_at=NOW)
    AuditEntry.objects.create(**m, acting_as="server", action="x", object_type="locks.lock", object_id="1")


@pytest.fixture
def everything(world: World, settings: Any) -> World:
    settings.SECOND_FACTOR_REQUIRED = False
    fill_every_table(world)
    return world


@pytest.fixture
def desk(everything: World, client: Browser) -> Browser:
    client.force_login(administrator_of(everything.municipality))
    return client


def administrator_of(municipality: Municipality) -> User:
    return User.objects.create_superuser(f"chef-{municipality.pk}", municipality=municipality)


def foreign_marks(other: World) -> list[str]:
    return ["Grannstad", "Främling"]


@pytest.fixture
def beside(everything: World) -> Iterator[World]:
    """A neighbouring municipality whose rows carry names that stand out."""
    from django_scopes import scope

    from tests.server.world import make_municipality, make_world

    municipality = make_municipality("grannstad")
    with scope(municipality=municipality):
        other = make_world(municipality)
        fill_every_table(other)
        for row, column in (
            (other.provider, "name"),
            (other.team, "name"),
            (other.alice, "name"),
            (other.owner, "name"),
            (other.property, "designation"),
            (other.gate, "address"),
            (other.apartment, "address"),
            (other.gate_binding.lock, "name"),
            (other.apartment_binding.lock, "name"),
            (other.client, "alarm_code"),
            (other.phone, "label"),
        ):
            setattr(row, column, f"Främling {row.pk} {column}"[:20])
            row.save()
    return other


def test_every_tenant_model_has_a_page() -> None:
    from django.apps import apps

    ours = {model for model in apps.get_models() if model.__module__.startswith("server.")}
    assert ours - set(REGISTERED) == set()


@pytest.mark.parametrize("model", REGISTERED, ids=name_of)
def test_list_is_searchable_and_bounded(
    desk: Browser, beside: World, model: type[Model], django_assert_max_num_queries: Any
) -> None:
    assert admin.site._registry[model].search_fields
    with django_assert_max_num_queries(QUERY_LIMIT):
        answer = desk.get(address(model, "changelist"))
    assert answer.status_code == 200
    assert answer.context["cl"].result_count >= 1, "the crawl must meet a row of every model"
    for query in ("Alice", "Främling", "%", "'"):
        assert desk.get(address(model, "changelist"), {"q": query}).status_code == 200


@pytest.mark.parametrize("model", REGISTERED, ids=name_of)
def test_rule_08_no_page_shows_another_municipality(desk: Browser, beside: World, model: type[Model]) -> None:
    paths = [address(model, "changelist"), address(model, "changelist") + "?q=Fr%C3%A4mling"]
    rows = model._base_manager.filter(pk__in=desk.get(paths[0]).context["cl"].queryset.values("pk"))
    paths += [address(model, "change", row.pk) for row in rows]
    if admin.site._registry[model].has_add_permission(desk.get(paths[0]).wsgi_request):
        paths.append(address(model, "add"))
    for path in paths:
        page = desk.get(path).content.decode()
        own_query = page.replace('value="Främling"', "")
        assert "Främling" not in own_query and "Grannstad" not in own_query, path


@pytest.mark.parametrize("model", REGISTERED, ids=name_of)
def test_rule_08_another_municipalitys_row_is_not_found(
    desk: Browser, beside: World, model: type[Model]
) -> None:
    if issubclass(model, TenantModel):
        foreign = model.unscoped.filter(municipality=beside.municipality).first()
    elif model is Municipality:
        foreign = beside.municipality
    else:
        foreign = administrator_of(beside.municipality)
    assert foreign is not None
    for page in ("change", "delete", "history"):
        answer = desk.get(address(model, page, foreign.pk))
        # The admin answers a row it cannot see with a redirect home and a message, never with the row.
        assert answer.status_code in (302, 403, 404), page


@pytest.mark.parametrize("model", REGISTERED, ids=name_of)
def test_pages_never_show_secrets(desk: Browser, model: type[Model]) -> None:
    for row in desk.get(address(model, "changelist")).context["cl"].queryset[:3]:
        page = desk.get(address(model, "change", row.pk)).content.decode()
        assert "secret bytes" not in page
        assert SECRET.hex() not in page
        assert "b&#x27;" not in page, "bytes are shown as hexadecimal, not as Python writes them"


@pytest.mark.parametrize("model", REGISTERED, ids=name_of)
def test_pages_speak_swedish(desk: Browser, model: type[Model]) -> None:
    with translation.override("en"):
        english = {str(model._meta.verbose_name), str(model._meta.verbose_name_plural)}
        english |= {str(field.verbose_name) for field in model._meta.concrete_fields}
    with translation.override("sv"):
        swedish = {str(model._meta.verbose_name), str(model._meta.verbose_name_plural)}
        swedish |= {str(field.verbose_name) for field in model._meta.concrete_fields}
    same_in_both = {"status", "version", "id", "passage", "passages", "SHA-256", "ID", "start"}
    assert (english & swedish) - same_in_both == set()
    assert 'lang="sv"' in desk.get(address(model, "changelist")).content.decode()


def test_catalogue_is_complete(settings: Any) -> None:
    with (settings.LOCALE_PATHS[0] / "sv" / "LC_MESSAGES" / "django.po").open("rb") as source:
        catalogue = read_po(source)
    assert [message.id for message in catalogue if message.id and not message.string] == []
    assert [message.id for message in catalogue if message.id and message.fuzzy] == []


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
    type(everything.client_consent).objects.filter(scope="client").delete()
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
    assert AuditEntry.objects.filter(object_type="places.doorpath").exists()


def test_audit_trail_reads_in_plain_words(desk: Browser, everything: World) -> None:
    desk.post(address(Client, "add"), {"alarm_code": "4799", "source": "", "external_id": ""})
    page = desk.get(address(AuditEntry, "changelist"), {"action": "admin.added"}).content.decode()
    assert "tillagd i administrationen" in page and "Brukare" in page and "administratör" in page
    assert desk.get(address(AuditEntry, "changelist"), {"acting_as": "server"}).status_code == 200

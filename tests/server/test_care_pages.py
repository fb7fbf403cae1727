"""Pages about consents, clients and metal keys over HTTP, also with two providers at one gate."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from server.care.models import Client, Consent
from server.people.models import User
from server.places.models import Door, DoorPath
from tests.server.pages import QUERY_LIMIT, administrator_of, auditor_of, coordinator_of, patrol_of
from tests.server.shared_gate import Neighbour, share_gate
from tests.server.world import NOW, World, make_client, make_door

pytestmark = pytest.mark.once

MISSING = reverse("admin:care_consent_missing")
EXPORT = reverse("admin:care_consent_missing_export")


@pytest.fixture(autouse=True)
def morning(settings: Any) -> Iterator[None]:
    settings.SECOND_FACTOR_REQUIRED = False
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def patrol(world: World, client: Browser) -> Browser:
    client.force_login(patrol_of(world.municipality))
    return client


@pytest.fixture
def neighbour(world: World) -> Neighbour:
    return share_gate(world)


@pytest.fixture
def coordinator(world: World, neighbour: Neighbour) -> Browser:
    browser = Browser()
    browser.force_login(coordinator_of(world.provider))
    return browser


def text(answer: Any) -> str:
    assert answer.status_code == 200, answer.status_code
    return str(answer.content.decode())


def consent_form(**fields: Any) -> dict[str, Any]:
    return {
        "signed_by": "owner",
        "signed_on": "2026-11-23",
        "valid_from_0": "2026-11-23",
        "valid_from_1": "07:00",
        **fields,
    }


def add_consent(browser: Browser, **fields: Any) -> Any:
    return browser.post(reverse("admin:care_consent_add"), consent_form(**fields), follow=True)


class TestMissing:
    def test_lists_whom_to_ask_and_how_many_wait(self, world: World, patrol: Browser) -> None:
        world.owner.contact_phone = "08-555 00 11"
        world.owner.save()
        world.owner_consent.delete()
        make_client(world.apartment, world.team, "4712")[2].delete()
        owners = text(patrol.get(MISSING))
        assert "Bostads AB Eken" in owners and "08-555 00 11" in owners
        assert '<b class="waiting">2</b>' in owners
        clients = text(patrol.get(MISSING, {"who": "clients"}))
        assert "4712" in clients and "boende" in clients and "Hemtjänst Norr" in clients
        doors = text(patrol.get(reverse("admin:care_consent_missing_owner", args=[world.owner.pk])))
        assert "Storgatan 1, port" in doors

    def test_an_empty_list_says_so(self, world: World, patrol: Browser) -> None:
        page = text(patrol.get(MISSING))
        assert "empty-hint" in page and "Ingen fastighetsägare" in page

    def test_a_portfolio_consent_recorded_from_the_list_unblocks_clients(
        self, world: World, patrol: Browser, neighbour: Neighbour
    ) -> None:
        world.owner_consent.delete()
        neighbour.consent.delete()
        link = f"scope=portfolio&amp;owner={world.owner.pk}&amp;signed_by=owner"
        assert link in text(patrol.get(MISSING))
        page = text(add_consent(patrol, scope="portfolio", owner=world.owner.pk))
        assert "1 brukare väntar inte längre på någon underskrift." in page
        assert "1 brukare bakom den väntar ännu på en annan underskrift." in page
        assert "Bostads AB Eken" not in text(patrol.get(MISSING))

    def test_the_file_cannot_run_anything(self, world: World, patrol: Browser) -> None:
        world.owner.name, world.owner.contact_phone = "=cmd|'/c calc'!A1", "+46 8 555"
        world.owner.save()
        world.owner_consent.delete()
        answer = patrol.get(EXPORT, {"who": "owners"})
        assert answer["Content-Disposition"].startswith("attachment;")
        rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))
        assert rows[1] == ["fastighetsägare", "'=cmd|'/c calc'!A1", "'+46 8 555", "", "1", "1"]

    def test_queries_do_not_grow(self, world: World, patrol: Browser) -> None:
        world.owner_consent.delete()
        world.client_consent.delete()

        def queries(who: str) -> int:
            with CaptureQueriesContext(connection) as captured:
                patrol.get(MISSING, {"who": who})
            return len(captured)

        few = [queries("owners"), queries("clients")]
        for number in range(12):
            door = make_door(world.property, Door.Kind.APARTMENT, number=f"2{number}")
            DoorPath.objects.create(municipality=world.municipality, apartment=door, via=world.gate)
            make_client(door, world.team, f"90{number}")[2].delete()
        assert [queries("owners"), queries("clients")] == few
        assert max(few) <= QUERY_LIMIT

    def test_rule_08_a_coordinator_finds_own_clients_only(
        self, world: World, neighbour: Neighbour, coordinator: Browser
    ) -> None:
        neighbour.consent.delete()
        world.owner_consent.delete()
        for page in (
            MISSING,
            f"{MISSING}?who=clients",
            EXPORT,
            f"{EXPORT}?who=clients",
            reverse("admin:care_consent_missing_owner", args=[world.owner.pk]),
        ):
            assert "8888" not in text(coordinator.get(page)) and "Bakgatan" not in text(coordinator.get(page))
        assert '<b class="waiting">1</b>' in text(coordinator.get(MISSING))


class TestRecording:
    def test_a_coordinator_records_for_own_clients_only(
        self, world: World, neighbour: Neighbour, coordinator: Browser
    ) -> None:
        form = text(coordinator.get(reverse("admin:care_consent_add")))
        assert 'name="owner"' not in form and 'name="property"' not in form and 'name="scope"' not in form
        page = add_consent(coordinator, client=neighbour.client.pk, signed_by="resident")
        assert "client" in page.context["adminform"].form.errors
        add_consent(coordinator, client=world.client.pk, signed_by="resident", scope="portfolio")
        new = Consent.objects.latest("pk")
        assert (new.client, new.scope) == (world.client, "client")

    def test_a_portfolio_only_flag_on_another_consent_is_explained(
        self, world: World, patrol: Browser
    ) -> None:
        page = add_consent(patrol, scope="property", property=world.property.pk, covers_later="on")
        assert page.status_code == 200 and page.context["adminform"].form.errors


class TestWithdrawing:
    def path(self, consent: Consent) -> str:
        return reverse("admin:care_consent_withdraw", args=[consent.pk])

    def test_the_page_names_whose_care_stands_without_entry(
        self, world: World, patrol: Browser, neighbour: Neighbour
    ) -> None:
        page = text(patrol.get(self.path(world.owner_consent)))
        assert "4711" in page and "8888" in page and "Storgatan 1, port" in page
        assert "2 brukares besök skulle stå utan väg in" in page

    def test_it_waits_until_another_way_in_is_recorded(self, world: World, patrol: Browser) -> None:
        page = text(
            patrol.post(self.path(world.client_consent), {"sure": "on", "latest": "2026-12-07"}, follow=True)
        )
        assert "senast" in page
        consent = Consent.objects.get(pk=world.client_consent.pk)
        assert consent.withdrawal_waits
        answer = patrol.post(
            reverse("admin:places_door_change", args=[world.apartment.pk]),
            {
                "property": world.property.pk,
                "kind": "apartment",
                "address": "Storgatan 1",
                "number": "1101",
                "must_sign": "resident",
                "fallback_kind": "reserve_key",
                "path-TOTAL_FORMS": 0,
                "path-INITIAL_FORMS": 0,
            },
        )
        assert answer.status_code == 302, answer.context["adminform"].form.errors
        consent.refresh_from_db()
        assert not consent.withdrawal_waits and consent.withdrawn_at == NOW

    def test_only_the_patrol_may_order_it_at_once(
        self, world: World, patrol: Browser, coordinator: Browser
    ) -> None:
        path = self.path(world.client_consent)
        assert 'name="at_once"' in text(patrol.get(path))
        assert 'name="at_once"' not in text(coordinator.get(path))
        coordinator.post(path, {"sure": "on", "at_once": "on", "latest": "2026-11-23"})
        assert Consent.objects.get(pk=world.client_consent.pk).withdrawn_at is None
        patrol.post(path, {"sure": "on", "at_once": "on"})
        assert Consent.objects.get(pk=world.client_consent.pk).withdrawn_at == NOW

    def test_rule_08_a_coordinator_sees_own_clients_and_how_many_others(
        self, world: World, neighbour: Neighbour, coordinator: Browser
    ) -> None:
        assert coordinator.get(self.path(world.owner_consent)).status_code == 403
        assert coordinator.get(self.path(neighbour.consent)).status_code == 404

    def test_it_can_be_taken_back_until_it_takes_effect(self, world: World, patrol: Browser) -> None:
        patrol.post(self.path(world.client_consent), {"sure": "on", "latest": "2026-12-07"})
        keep = reverse("admin:care_consent_keep", args=[world.client_consent.pk])
        assert patrol.get(keep).status_code == 405
        patrol.post(keep)
        consent = Consent.objects.get(pk=world.client_consent.pk)
        assert (consent.withdrawn_at, consent.withdrawal_waits) == (None, False)

    def test_a_withdrawal_is_not_typed_into_the_form(self, world: World, patrol: Browser) -> None:
        change = reverse("admin:care_consent_change", args=[world.client_consent.pk])
        assert 'name="withdrawn_at' not in text(patrol.get(change))
        patrol.post(change, consent_form(withdrawn_at_0="2026-11-01", withdrawn_at_1="00:00", client=1))
        consent = Consent.objects.get(pk=world.client_consent.pk)
        assert consent.withdrawn_at is None and consent.client == world.client


class TestClientPage:
    def change(self, client: Client) -> str:
        return reverse("admin:care_client_change", args=[client.pk])

    def do(self, browser: Browser, client: Client, order: str) -> Any:
        return browser.post(reverse("admin:care_client_do", args=[client.pk, order]), follow=True)

    def test_shows_all_of_a_client(self, world: World, patrol: Browser, neighbour: Neighbour) -> None:
        with CaptureQueriesContext(connection) as captured:
            page = text(patrol.get(self.change(world.client)))
        assert len(captured) <= QUERY_LIMIT
        for words in (
            "Storgatan 1, port",
            "Lås 1",
            "Lås 2",
            "Hemtjänst Norr",
            "Grupp 1",
            "Får metallnycklarna",
        ):
            assert words in page
        assert "8888" not in page and "Privat Vård" not in page

    def test_pause_and_end_are_one_click_and_undone(self, world: World, patrol: Browser) -> None:
        for order, undo, column in (("pause", "resume", "paused_at"), ("end", "revive", "ended_at")):
            self.do(patrol, world.client, order)
            assert getattr(Client.objects.get(), column) == NOW
            page = text(self.do(patrol, world.client, undo))
            assert getattr(Client.objects.get(), column) is None
            assert "success" in page

    def test_buttons_need_a_post_and_the_right_role(
        self, world: World, patrol: Browser, neighbour: Neighbour, coordinator: Browser
    ) -> None:
        path = reverse("admin:care_client_do", args=[world.client.pk, "pause"])
        assert patrol.get(path).status_code == 405
        auditor = Browser()
        auditor.force_login(auditor_of(world.municipality))
        assert auditor.post(path).status_code == 403
        assert "Pausa (" not in text(auditor.get(self.change(world.client)))
        foreign = reverse("admin:care_client_do", args=[neighbour.client.pk, "pause"])
        assert coordinator.post(foreign).status_code == 404
        assert coordinator.post(path).status_code == 302
        assert Client.objects.get(pk=world.client.pk).paused_at == NOW

    def test_list_actions_pause_and_undo(self, world: World, patrol: Browser, neighbour: Neighbour) -> None:
        changelist = reverse("admin:care_client_changelist")
        chosen = [world.client.pk, neighbour.client.pk]
        patrol.post(changelist, {"action": "pause", "_selected_action": chosen})
        assert Client.objects.filter(paused_at=NOW).count() == 2
        patrol.post(changelist, {"action": "resume", "_selected_action": chosen})
        assert Client.objects.filter(paused_at=None).count() == 2

    def test_rule_08_another_provider_of_the_same_client_is_not_named(
        self, world: World, neighbour: Neighbour, coordinator: Browser
    ) -> None:
        from server.care.models import CareAssignment

        CareAssignment.objects.create(
            municipality=world.municipality,
            client=world.client,
            provider=neighbour.provider,
            team=neighbour.team,
            starts_at=NOW - timedelta(days=1),
        )
        page = text(coordinator.get(self.change(world.client)))
        assert "Privat Vård" not in page and "Främling" not in page
        assert "och 1 annan utförare" in page and "annan utförare" in page


def test_the_start_page_says_how_many_wait(world: World, patrol: Browser) -> None:
    world.client_consent.delete()
    page = text(patrol.get(reverse("admin:index")))
    assert "Brukare som väntar på medgivande" in page


def test_an_administrator_reaches_everything(world: World, client: Browser) -> None:
    client.force_login(administrator_of(world.municipality))
    assert isinstance(User.objects.get(), User)
    for name in ("care_consent_missing", "care_client_metal_keys"):
        assert client.get(reverse(f"admin:{name}")).status_code == 200

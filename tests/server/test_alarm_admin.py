"""The patrol's pages: an alarm raised in one field, followed, steered by hand and ended; keys of systems."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client as Browser

from server.access.domain.cursor import Cursor
from server.access.domain.sync import sync
from server.access.models import ExtraRight
from server.alarms.charts import quantile, time_to_door
from server.alarms.domain import answering
from server.alarms.domain.arrival import note_arrivals
from server.alarms.domain.ending import end
from server.alarms.models import Alarm, AlarmSystem
from server.care.models import Client
from server.config.attention import cards_for
from server.people.models import User
from tests.server.alarmworld import AT, answers, asked, elsewhere, log_opening, on_duty, raised, respond
from tests.server.issuer import Issuer
from tests.server.pages import QUERY_LIMIT
from tests.server.world import World, make_team

pytestmark = pytest.mark.once

MINUTE = timedelta(minutes=1)
RAISE = "/admin/alarms/alarm/add/"


@pytest.fixture
def world(issuer: Issuer, settings: Any) -> Any:
    settings.SECOND_FACTOR_REQUIRED = False
    with time_machine.travel(AT, tick=False):
        yield issuer.world


def signed_in(world: World, role: str, **fields: Any) -> Browser:
    user = User.objects.create_user(
        f"{role}-1", municipality=world.municipality, role=role, is_staff=True, first_name="Petra", **fields
    )
    browser = Browser()
    browser.force_login(user)
    return browser


@pytest.fixture
def patrol(world: World) -> Browser:
    return signed_in(world, "patrol")


def page_of(browser: Browser, alarm: Alarm, part: str = "change/") -> str:
    return browser.get(f"/admin/alarms/alarm/{alarm.pk}/{part}").content.decode()


def test_an_alarm_is_one_field_and_one_key(world: World, patrol: Browser) -> None:
    respond(world.team)
    assert "autofocus" in patrol.get(RAISE).content.decode()
    answer = patrol.post(RAISE, {"alarm_code": " 4711 "})
    alarm = Alarm.objects.get()
    assert answer.headers["Location"] == f"/admin/alarms/alarm/{alarm.pk}/change/"
    assert asked(alarm) == ["Alice Andersson"]
    page = page_of(patrol, alarm)
    assert "Alice Andersson" in page and "Ingen har tagit det" in page
    again = patrol.post(RAISE, {"alarm_code": "4711"}, follow=True)
    assert "pågick redan" in again.content.decode()
    assert Alarm.objects.count() == 1


@pytest.mark.parametrize("code", ["9999", "", "4" * 21, "4711\0"])
def test_a_code_that_is_none_is_said_to_be(world: World, patrol: Browser, code: str) -> None:
    page = patrol.post(RAISE, {"alarm_code": code})
    assert page.status_code == 200
    assert "errorlist" in page.content.decode()
    assert not Alarm.objects.exists()


def test_the_page_follows_the_alarm_to_its_end(world: World, patrol: Browser) -> None:
    respond(world.team)
    alarm = raised(world, at=AT - 10 * MINUTE)
    answering.take(alarm_id=alarm.pk, staff=world.alice, at=AT - 9 * MINUTE)
    page = page_of(patrol, alarm, "picture/")
    assert "Någon är på väg" in page
    assert "inte i telefonen än" in page
    sync(bearer=world.bearer, known=Cursor(), at=AT)
    assert "i telefonen sedan 10:00:00" in page_of(patrol, alarm, "picture/")
    log_opening(world.apartment_binding, world.bearer, happened_at=AT - 2 * MINUTE)
    note_arrivals(municipality=world.municipality, at=AT)
    page = page_of(patrol, alarm, "picture/")
    assert "Dörren har öppnats" in page
    assert "efter 8 min 0 s" in page
    assert "känd sedan 09:59:00" in page
    patrol.post(f"/admin/alarms/alarm/{alarm.pk}/end/", {"why": "handled"})
    page = page_of(patrol, alarm)
    assert "Åtgärdat" in page or "åtgärdat" in page
    assert 'class="end"' not in page
    assert ExtraRight.objects.get().withdrawn_at == AT


def test_the_way_in_says_why_a_door_stays_shut(world: World, patrol: Browser) -> None:
    respond(world.team)
    world.client_consent.delete()
    alarm = raised(world)
    answering.take(alarm_id=alarm.pk, staff=world.alice, at=AT)
    assert "Medgivande för lägenhetsdörren saknas" in page_of(patrol, alarm, "picture/")


def test_a_clock_that_is_not_sure_is_marked(world: World, patrol: Browser) -> None:
    respond(world.team)
    alarm = raised(world, at=AT - 10 * MINUTE)
    answering.take(alarm_id=alarm.pk, staff=world.alice, at=AT - 9 * MINUTE)
    log_opening(world.apartment_binding, world.bearer, happened_at=AT - MINUTE, time_uncertain=True)
    note_arrivals(municipality=world.municipality, at=AT)
    page = page_of(patrol, alarm, "picture/")
    assert "låset var inte säkert på tiden" in page
    assert "efter 9 min" not in page


def test_nobody_on_duty_is_said_loudly(world: World, patrol: Browser) -> None:
    page = page_of(patrol, raised(world))
    assert "Ingen är tillfrågad" in page


def test_the_patrol_sends_somebody_by_hand(world: World, patrol: Browser) -> None:
    respond(world.team)
    bertil = on_duty(world.team, "Bertil")
    alarm = raised(world)
    assert f'value="{bertil.pk}"' in page_of(patrol, alarm)
    patrol.post(f"/admin/alarms/alarm/{alarm.pk}/assign/", {"staff": bertil.pk})
    assert answers(alarm)["Bertil"] == "taken"
    off = on_duty(make_team(world.municipality, "Södra", "A"), "Bo Söder")
    said = patrol.post(f"/admin/alarms/alarm/{alarm.pk}/assign/", {"staff": off.pk}, follow=True)
    assert "inte i tjänst" in said.content.decode()
    for nonsense in ("", "x", "99999999999999999999"):
        answer = patrol.post(f"/admin/alarms/alarm/{alarm.pk}/assign/", {"staff": nonsense})
        assert answer.status_code == 404


def test_a_right_that_ran_out_is_given_anew(world: World, patrol: Browser) -> None:
    respond(world.team)
    alarm = raised(world, at=AT - 60 * MINUTE)
    answering.take(alarm_id=alarm.pk, staff=world.alice, at=AT - 50 * MINUTE)
    assert "Behörigheten har gått ut" in page_of(patrol, alarm)
    patrol.post(f"/admin/alarms/alarm/{alarm.pk}/renew/")
    assert "Behörigheten har gått ut" not in page_of(patrol, alarm)


@pytest.mark.parametrize("role", ["coordinator", "auditor", "installer"])
def test_others_neither_raise_nor_decide(world: World, role: str) -> None:
    respond(world.team)
    alarm = raised(world)
    own = {"provider": world.provider} if role == "coordinator" else {}
    browser = signed_in(world, role, **own)
    assert browser.get(RAISE).status_code == 403
    for part in ("end/", "assign/", "renew/"):
        answer = browser.post(
            f"/admin/alarms/alarm/{alarm.pk}/{part}", {"why": "handled", "staff": world.alice.pk}
        )
        assert answer.status_code in (403, 404)
    alarm.refresh_from_db()
    assert alarm.state == "raised"


def test_rule_08_a_coordinator_sees_what_own_staff_took_and_nobody_else(world: World) -> None:
    night = make_team(world.municipality, "Nattpatrullen", "Natt")
    respond(night, "all")
    respond(world.team)
    nadja = on_duty(night, "Nadja Natt")
    own = raised(world)
    answering.take(alarm_id=own.pk, staff=world.alice, at=AT)
    foreign_client = Client.objects.create(
        municipality=world.municipality, alarm_code="5555", door=elsewhere(world)
    )
    world.client = foreign_client
    foreign = raised(world)
    answering.take(alarm_id=foreign.pk, staff=nadja, at=AT)
    browser = signed_in(world, "coordinator", provider=world.provider)
    page = page_of(browser, own)
    assert "Alice Andersson" in page and "Nadja" not in page and "Nattpatrullen" not in page
    for part in ("change/", "picture/"):
        assert browser.get(f"/admin/alarms/alarm/{foreign.pk}/{part}").status_code == 404
    listed = browser.get("/admin/alarms/alarm/").content.decode()
    assert "4711" in listed and "5555" not in listed and "Nadja" not in listed


def test_rule_08_the_way_to_others_clients_is_not_shown_though_own_staff_went(world: World) -> None:
    night = make_team(world.municipality, "Nattpatrullen", "Natt")
    respond(night, "all")
    nadja = on_duty(night, "Nadja Natt")
    type(world.apartment).objects.update(fallback_kind="reserve_key", fallback_place="Nyckelskåp 4")
    alarm = raised(world)
    answering.take(alarm_id=alarm.pk, staff=nadja, at=AT)
    page = page_of(signed_in(world, "coordinator", provider=night.provider), alarm)
    assert "Nadja Natt" in page
    assert "Storgatan" not in page and "Nyckelskåp" not in page
    page = page_of(signed_in(world, "patrol"), alarm)
    assert "Storgatan" in page and "Nyckelskåp" in page


def test_pages_cost_the_same_however_many_were_asked(
    world: World, patrol: Browser, django_assert_max_num_queries: Any
) -> None:
    respond(world.team)
    for number in range(25):
        on_duty(world.team, f"Person {number}")
    alarm = raised(world)
    answering.take(alarm_id=alarm.pk, staff=alarm.offers.first().staff, at=AT)
    for path in (
        RAISE,
        f"/admin/alarms/alarm/{alarm.pk}/change/",
        f"/admin/alarms/alarm/{alarm.pk}/picture/",
    ):
        with django_assert_max_num_queries(QUERY_LIMIT):
            assert patrol.get(path).status_code == 200


# --- keys of alarm systems -----------------------------------------------------------------


def test_a_systems_key_is_shown_once_and_only_its_hash_is_kept(world: World, patrol: Browser) -> None:
    page = patrol.post("/admin/alarms/alarmsystem/add/", {"name": "Larmcentralen"}).content.decode()
    found = re.search(r'class="key"[^>]*>([\w-]{43})<', page)
    assert found is not None
    system = AlarmSystem.objects.get()
    assert found[1] not in patrol.get(f"/admin/alarms/alarmsystem/{system.pk}/change/").content.decode()
    assert found[1].encode() not in bytes(system.token_hash)
    twice = patrol.post("/admin/alarms/alarmsystem/add/", {"name": "Larmcentralen"}).content.decode()
    assert "errorlist" in twice
    patrol.post(f"/admin/alarms/alarmsystem/{system.pk}/disconnect/")
    system.refresh_from_db()
    assert system.revoked_at == AT


# --- the start page ------------------------------------------------------------------------


def test_the_start_page_says_what_waits(world: World, patrol: Browser) -> None:
    user = User.objects.get(username="patrol-1")
    titles = [str(card.title) for card in cards_for(user, at=AT)]
    assert "Grupper som rycker ut på larm" in titles
    respond(world.team)
    alarm = raised(world)
    titles = [str(card.title) for card in cards_for(user, at=AT)]
    assert "Larm som ingen har tagit" in titles and "Grupper som rycker ut på larm" not in titles
    answering.take(alarm_id=alarm.pk, staff=world.alice, at=AT)
    assert "Pågående larm" in [str(card.title) for card in cards_for(user, at=AT)]
    assert patrol.get("/admin/").status_code == 200


def test_the_chart_is_of_alarms_whose_lock_knew_the_time(world: World) -> None:
    respond(world.team)
    for minutes, uncertain in ((4, False), (8, False), (90, True)):
        alarm = raised(world, at=AT - 120 * MINUTE)
        answering.take(alarm_id=alarm.pk, staff=world.alice, at=alarm.raised_at)
        Alarm.objects.filter(pk=alarm.pk).update(
            arrived_at=alarm.raised_at + minutes * MINUTE, arrival_uncertain=uncertain
        )
        end(alarm_id=alarm.pk, why="handled", at=AT)
    chart = time_to_door(AT)
    (_half, halves), (_nine, nines) = chart.series
    assert (halves[-1], nines[-1]) == (4.0, 8.0)
    assert set(halves[:-1]) == {None}


def test_quantiles_are_values_that_occurred() -> None:
    assert quantile([], 0.5) is None
    assert quantile([3.0], 0.9) == 3.0
    assert quantile([5.0, 1.0, 3.0, 2.0, 4.0], 0.5) == 3.0
    assert quantile([float(n) for n in range(1, 11)], 0.9) == 9.0

"""Sync over HTTP: everything once, then only what changed; and who gets nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client as Http
from django.test.utils import CaptureQueriesContext

from protocol import bulletin, lockrecord
from server.care.models import Visit
from server.locks.models import LockStatus
from server.locks.tasks import build_bulletins
from server.people.models import PhoneContact
from server.places.models import Door, DoorPath
from tests.server.device import Device
from tests.server.issuer import Issuer, Phone, b64, give_sign_in, mount, second_phone, unb64
from tests.server.world import (
    HOUR,
    NOW,
    SHIFT_START,
    make_client,
    make_door,
    make_shift,
    make_staff,
    make_team,
)


@pytest.fixture(autouse=True)
def monday_morning() -> Any:
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def signed_in(phone: Phone) -> Phone:
    phone.sign_in()
    return phone


def visit(issuer: Issuer) -> Visit:
    world = issuer.world
    planned: Visit = Visit.objects.create(
        municipality=world.municipality,
        shift=world.shift,
        client=world.client,
        starts_at=SHIFT_START,
        ends_at=SHIFT_START + HOUR / 2,
    )
    return planned


def test_first_sync_brings_everything_a_phone_needs_offline(issuer: Issuer, signed_in: Phone) -> None:
    world, planned = issuer.world, visit(issuer)
    answer = signed_in.sync()
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert body["server_time"] == int(NOW.timestamp())
    assert body["shift"]["team"] == "Grupp 1"
    assert body["visits"] == [
        {
            "id": planned.pk,
            "starts_at": int(SHIFT_START.timestamp()),
            "ends_at": int((SHIFT_START + HOUR / 2).timestamp()),
            "alarm_code": "4711",
            "door_ids": [world.gate.pk, world.apartment.pk],
        }
    ]
    assert {door["id"]: door["binding"] for door in body["doors"]} == {
        world.gate.pk: b64(issuer.gate_lock.binding),
        world.apartment.pk: b64(issuer.apartment_lock.binding),
    }
    assert body["removed_rights"] == body["removed_doors"] == body["bulletins"] == []
    assert unb64(body["manifest"])
    assert body["support"]["phone"] == "010-000 00 00"
    for right in body["rights"]:
        claims = issuer.claims(unb64(right["token"]))
        assert claims.token_id == unb64(right["token_id"])
        record = lockrecord.verify(unb64(right["lock_record"]), issuer.manifest)
        news, _manifest = bulletin.parse(unb64(right["bulletin"])).verify(issuer.manifest)
        assert record.binding == news.binding == claims.binding == unb64(right["binding"])
        assert claims.issued_at - news.time <= bulletin.STALE_AFTER
    records = [lockrecord.verify(unb64(right["lock_record"]), issuer.manifest) for right in body["rights"]]
    assert {record.adv_keys[0] for record in records} == {
        issuer.gate_lock.adv_key,
        issuer.apartment_lock.adv_key,
    }


def test_second_sync_brings_nothing_when_nothing_changed(issuer: Issuer, signed_in: Phone) -> None:
    cursor = signed_in.sync().json()["cursor"]
    body = signed_in.sync(cursor).json()
    assert body["manifest"] is None
    changed = ("doors", "removed_doors", "rights", "removed_rights", "bulletins")
    assert [body[name] for name in changed] == [[]] * 5


def test_only_the_changed_door_is_sent(issuer: Issuer, signed_in: Phone) -> None:
    cursor = signed_in.sync().json()["cursor"]
    Door.objects.filter(pk=issuer.world.gate.pk).update(fallback_phone="010-111 11 11")
    body = signed_in.sync(cursor).json()
    assert [(door["id"], door["fallback"]["phone"]) for door in body["doors"]] == [
        (issuer.world.gate.pk, "010-111 11 11")
    ]
    assert body["rights"] == []


def test_an_answer_lost_on_the_way_is_sent_again(issuer: Issuer, signed_in: Phone) -> None:
    first = signed_in.sync().json()
    again = signed_in.sync().json()
    assert [r["token_id"] for r in again["rights"]] == [r["token_id"] for r in first["rights"]]


def test_withdrawn_consent_takes_the_right_back(issuer: Issuer, signed_in: Phone) -> None:
    first = signed_in.sync().json()
    issuer.world.owner_consent.withdrawn_at = NOW
    issuer.world.owner_consent.save()
    body = signed_in.sync(first["cursor"]).json()
    gate = next(r for r in first["rights"] if r["binding"] == b64(issuer.gate_lock.binding))
    assert body["removed_rights"] == [gate["token_id"]]
    assert body["removed_doors"] == [issuer.world.gate.pk]
    assert signed_in.sync(body["cursor"]).json()["removed_rights"] == []


def test_newer_bulletins_come_without_new_rights(
    issuer: Issuer, signed_in: Phone, monday_morning: Any
) -> None:
    cursor = signed_in.sync().json()["cursor"]
    monday_morning.move_to(NOW + timedelta(hours=8))
    LockStatus.objects.filter(lock=issuer.world.apartment_binding.lock).update(clock_ppm=40)
    assert build_bulletins() == 1
    body = signed_in.sync(cursor).json()
    assert [(one["binding"], one["seq"]) for one in body["bulletins"]] == [
        (b64(issuer.apartment_lock.binding), 3)
    ]
    news = issuer.apartment_lock.read_bulletin(unb64(body["bulletins"][0]["bulletin"]))
    assert news.settings.clock_ppm == 40
    assert body["rights"] == []


class TestWhoGetsNothing:
    def test_without_device_token(self, issuer: Issuer, signed_in: Phone) -> None:
        signed_in.device_token = ""
        answer = signed_in.sync()
        assert (answer.status_code, answer.json()["code"]) == (401, "device_unknown")
        assert answer.json()["message_sv"]

    def test_without_signing_in(self, phone: Phone) -> None:
        answer = phone.sync()
        assert (answer.status_code, answer.json()["code"]) == (401, "session_missing")

    @pytest.mark.parametrize("session", ["fel", "a" * 32, "\x00", "å", "'; --", "a" * 5000])
    def test_with_a_made_up_session(self, phone: Phone, session: str) -> None:
        phone.session = session
        assert phone.sync().json()["code"] == "session_missing"

    def test_halfway_through_signing_in(self, issuer: Issuer, phone: Phone) -> None:
        first = phone._auth(
            "/_allauth/app/v1/auth/login",
            {"username": "alice", "password": "ett-riktigt-långt-lösenord"},
            "",
        )
        phone.session = first.json()["meta"]["session_token"]
        assert phone.sync().json()["code"] == "session_missing"

    def test_somebody_elses_phone(self, issuer: Issuer, client: Http) -> None:
        bert = make_staff(issuer.world.team, "Bert Berg")
        give_sign_in(bert, "bert")
        phone = Phone(client, issuer.device_token)
        phone.sign_in("bert")
        answer = phone.sync()
        assert (answer.status_code, answer.json()["code"]) == (403, "bearer_unknown")

    def test_revoked_phone(self, issuer: Issuer, signed_in: Phone) -> None:
        issuer.world.phone.revoked_at = NOW
        issuer.world.phone.save()
        answer = signed_in.sync()
        assert (answer.status_code, answer.json()["code"]) == (403, "phone_revoked")

    def test_revoked_bearer(self, issuer: Issuer, signed_in: Phone) -> None:
        issuer.world.bearer.revoked_at = NOW
        issuer.world.bearer.save()
        assert signed_in.sync().json()["code"] == "bearer_revoked"

    def test_closed_account(self, issuer: Issuer, signed_in: Phone) -> None:
        user = issuer.world.alice.user
        assert user is not None
        user.is_active = False
        user.save()
        assert signed_in.sync().json()["code"] == "session_missing"

    def test_too_old_an_app(self, signed_in: Phone) -> None:
        answer = signed_in.sync(version="0.9.9")
        assert (answer.status_code, answer.json()["code"]) == (426, "app_too_old")
        assert answer.json()["details"] == {"minimum_app_version": "1.0.0"}

    def test_a_neighbours_municipality_never_shows(
        self, issuer: Issuer, other_issuer: Issuer, signed_in: Phone
    ) -> None:
        own = {b64(issuer.gate_lock.binding), b64(issuer.apartment_lock.binding)}
        assert {right["binding"] for right in signed_in.sync().json()["rights"]} == own


class TestTwoProviders:
    """Carin works for another provider with a client behind the same gate."""

    @pytest.fixture
    def carins(self, issuer: Issuer, client: Http) -> Phone:
        world = issuer.world
        team = make_team(issuer.municipality, "Omsorg Syd", "Grupp S")
        door = make_door(world.property, Door.Kind.APARTMENT, number="1202")
        make_client(door, team, "4720")
        DoorPath.objects.create(municipality=issuer.municipality, apartment=door, via=world.gate)
        mount(door, Device(), at=NOW, name="Lås 3")
        carin = make_staff(team, "Carin Carlsson")
        make_shift(carin, team)
        give_sign_in(carin, "carin")
        second_phone(issuer, carin, "carins-telefon")
        phone = Phone(client, "carins-telefon")
        phone.sign_in("carin")
        return phone

    def test_share_the_gate_and_nothing_else(self, issuer: Issuer, carins: Phone) -> None:
        visit(issuer)
        body = carins.sync().json()
        assert [(door["kind"], door["number"]) for door in body["doors"]] == [
            ("gate", ""),
            ("apartment", "1202"),
        ]
        bindings = {right["binding"] for right in body["rights"]}
        assert b64(issuer.gate_lock.binding) in bindings
        assert b64(issuer.apartment_lock.binding) not in bindings
        assert body["visits"] == []
        assert "4711" not in str(body)

    def test_have_tokens_of_their_own_at_the_gate(
        self, issuer: Issuer, carins: Phone, signed_in: Phone
    ) -> None:
        def at_gate(phone: Phone) -> str:
            rights = phone.sync().json()["rights"]
            gate = b64(issuer.gate_lock.binding)
            token: str = next(right["token_id"] for right in rights if right["binding"] == gate)
            return token

        signed_in.sign_in()
        assert at_gate(carins) != at_gate(signed_in)


class TestCursor:
    @pytest.mark.parametrize("cursor", ["", "x", "AAAA", "ä", "A" * 2000])
    def test_nonsense_is_refused(self, signed_in: Phone, cursor: str) -> None:
        answer = signed_in.sync(cursor)
        assert answer.status_code == 400
        assert answer.json()["code"] in ("cursor_invalid", "invalid")

    def test_another_bearers_cursor_is_refused(self, issuer: Issuer, signed_in: Phone, client: Http) -> None:
        cursor = signed_in.sync().json()["cursor"]
        bert = make_staff(issuer.world.team, "Bert Berg")
        give_sign_in(bert, "bert")
        second_phone(issuer, bert, "berts-telefon")
        other = Phone(client, "berts-telefon")
        other.sign_in("bert")
        assert other.sync(cursor).json()["code"] == "cursor_invalid"

    def test_a_changed_cursor_is_refused(self, signed_in: Phone) -> None:
        cursor = signed_in.sync().json()["cursor"]
        changed = cursor[:40] + ("A" if cursor[40] != "A" else "B") + cursor[41:]
        assert signed_in.sync(changed).json()["code"] == "cursor_invalid"


def test_body_is_bounded(signed_in: Phone) -> None:
    answer = signed_in.sync("A" * 600_000)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_queries_do_not_grow_with_the_number_of_doors(issuer: Issuer, signed_in: Phone) -> None:
    def count() -> int:
        signed_in.sync()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert signed_in.sync().status_code == 200
        return len(queries)

    few = count()
    for number in range(8):
        door = make_door(issuer.world.property, Door.Kind.APARTMENT, number=f"12{number:02}")
        make_client(door, issuer.world.team, f"500{number}")
        mount(door, Device(), at=NOW)
    assert count() == few
    assert PhoneContact.objects.get(phone=issuer.world.phone).last_sync_at == NOW

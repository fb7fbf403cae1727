"""Looking for news: a phone asks with a mark of what it holds and is told yes or no, never what."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.db import connection

from server.access.domain.revoke import revoke_token
from server.access.models import Revocation, Token
from server.care.models import CareAssignment, Shift, Visit
from server.places.models import Door
from server.tenancy.models import Municipality
from tests.server.issuer import Issuer, Phone, b64, second_phone
from tests.server.world import HOUR, NOW, SHIFT_START

pytestmark = pytest.mark.once


@pytest.fixture(autouse=True)
def monday_morning() -> Any:
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def signed_in(issuer: Issuer, phone: Phone) -> Phone:
    """Alice, with a visit planned."""
    world = issuer.world
    Visit.objects.create(
        municipality=world.municipality,
        shift=world.shift,
        client=world.client,
        starts_at=SHIFT_START,
        ends_at=SHIFT_START + HOUR,
    )
    phone.sign_in()
    return phone


def mark_of(cursor: str) -> str:
    return b64(hashlib.sha256(cursor.encode()).digest()[:16])


def look(phone: Phone, mark: str, version: str = "1.0.0") -> Any:
    return phone.post("sync/look", {"mark": mark, "app_version": version})


def test_nothing_new_is_said_in_few_words(signed_in: Phone) -> None:
    mark = mark_of(signed_in.sync().json()["cursor"])
    answer = look(signed_in, mark)
    assert answer.json() == {"server_time": int(NOW.timestamp()), "news": False}
    assert len(answer.content) < 64


def _lose_one(issuer: Issuer) -> None:
    token = Token.objects.filter(revoked_at=None).first()
    assert token is not None
    revoke_token(token=token, reason=Revocation.Reason.OTHER, at=NOW)


@pytest.mark.parametrize(
    "change",
    [
        _lose_one,
        lambda issuer: CareAssignment.objects.update(ends_at=NOW),
        lambda issuer: Visit.objects.update(ends_at=SHIFT_START + 2 * HOUR),
        lambda issuer: Visit.objects.all().delete(),
        lambda issuer: Shift.objects.update(ends_at=issuer.world.shift.ends_at + HOUR),
        lambda issuer: Door.objects.filter(pk=issuer.world.gate.pk).update(fallback_place="Nyckelskåp 9"),
        lambda issuer: Municipality.objects.update(support_phone="010-111 11 11"),
    ],
)
def test_whatever_a_sync_would_bring_is_news(
    issuer: Issuer, signed_in: Phone, change: Callable[[Issuer], object]
) -> None:
    mark = mark_of(signed_in.sync().json()["cursor"])
    change(issuer)
    assert look(signed_in, mark).json()["news"] is True
    after = signed_in.sync().json()["cursor"]
    assert look(signed_in, mark_of(after)).json()["news"] is False


def test_looking_fetches_nothing_and_says_what_is_due(
    issuer: Issuer, signed_in: Phone, monday_morning: Any
) -> None:
    answer = look(signed_in, b64(b"nothing at all.."))
    assert set(answer.json()) == {"server_time", "news"}
    assert Token.objects.filter(delivered_at__isnull=False).count() == 0
    assert len(signed_in.sync().json()["rights"]) == 2


def test_time_alone_is_no_news(signed_in: Phone, monday_morning: Any) -> None:
    mark = mark_of(signed_in.sync().json()["cursor"])
    monday_morning.shift(timedelta(minutes=20))
    assert look(signed_in, mark).json()["news"] is False


@pytest.mark.parametrize("mark", ["", "AA", b64(bytes(15)), b64(bytes(17)), "!" * 22, None, 7])
def test_a_mark_that_is_none_is_refused(signed_in: Phone, mark: Any) -> None:
    answer = look(signed_in, mark)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


def test_who_may_not_sync_may_not_look(issuer: Issuer, signed_in: Phone) -> None:
    mark = mark_of(signed_in.sync().json()["cursor"])
    assert look(signed_in, mark, version="0.9.9").json()["code"] == "app_too_old"
    issuer.world.phone.revoked_at = NOW
    issuer.world.phone.save()
    assert look(signed_in, mark).json()["code"] == "phone_revoked"
    assert look(Phone(signed_in.http, session=signed_in.session), mark).json()["code"] == "device_unknown"
    signed_in.session = ""
    issuer.world.phone.revoked_at = None
    issuer.world.phone.save()
    assert look(signed_in, mark).json()["code"] == "session_missing"


def test_an_answer_is_packed_for_who_can_unpack_it(signed_in: Phone) -> None:
    plain = signed_in.sync()
    assert not plain.has_header("Content-Encoding")
    body = {"cursor": None, "app_version": "1.0.0"}
    packed = signed_in.post("sync", body, **{"Accept-Encoding": "gzip"})
    assert packed["Content-Encoding"] == "gzip"
    assert len(packed.content) < len(plain.content) * 0.85
    assert json.loads(gzip.decompress(packed.content))["rights"] == plain.json()["rights"]


class TestTakenBack:
    """What a phone may ask without a person signed in: which of its rights have been revoked."""

    def ask(self, phone: Phone, issuer: Issuer, cursor: str | None, bearer: int = 0) -> Any:
        phone.session = ""
        return phone.post("sync/revoked", {"bearer_id": bearer or issuer.world.bearer.pk, "cursor": cursor})

    def test_only_what_was_revoked_is_named(self, issuer: Issuer, signed_in: Phone) -> None:
        cursor = signed_in.sync().json()["cursor"]
        none = self.ask(signed_in, issuer, cursor)
        assert none.json() == {"server_time": int(NOW.timestamp()), "removed_rights": []}
        lost = Token.objects.get(binding=issuer.world.gate_binding)
        revoke_token(token=lost, reason=Revocation.Reason.OTHER, at=NOW)
        answer = self.ask(signed_in, issuer, cursor)
        assert answer.json()["removed_rights"] == [b64(bytes(lost.token_id))]

    def test_rule_04_without_a_cursor_everything_revoked_is_named(
        self, issuer: Issuer, signed_in: Phone
    ) -> None:
        """A phone whose last answer was spoilt, or whose cursor is of an older server, has none to show."""
        signed_in.sync()
        lost = Token.objects.get(binding=issuer.world.gate_binding)
        assert self.ask(signed_in, issuer, None).json()["removed_rights"] == []
        revoke_token(token=lost, reason=Revocation.Reason.OTHER, at=NOW)
        assert self.ask(signed_in, issuer, None).json()["removed_rights"] == [b64(bytes(lost.token_id))]
        with time_machine.travel(lost.expires, tick=False):
            assert self.ask(signed_in, issuer, None).json()["removed_rights"] == []

    def test_a_revoked_bearer_is_told_so(self, issuer: Issuer, signed_in: Phone) -> None:
        cursor = signed_in.sync().json()["cursor"]
        issuer.world.bearer.revoked_at = NOW
        issuer.world.bearer.save()
        assert self.ask(signed_in, issuer, cursor).json()["code"] == "bearer_revoked"

    def test_another_phones_bearer_is_not_spoken_of(self, issuer: Issuer, signed_in: Phone) -> None:
        other = second_phone(issuer, issuer.world.alice, "annan")
        assert self.ask(signed_in, issuer, None, other.pk).json()["code"] == "bearer_unknown"

    def test_another_bearers_cursor_is_no_cursor(self, issuer: Issuer, signed_in: Phone) -> None:
        cursor = signed_in.sync().json()["cursor"]
        other = second_phone(issuer, issuer.world.alice, "annan")
        stranger = Phone(signed_in.http, "annan")
        assert self.ask(stranger, issuer, cursor, other.pk).json()["code"] == "cursor_invalid"


class TestOneSignInAShift:
    """A session usually lasts twelve hours; a shift may be longer."""

    def last(self, phone: Phone) -> datetime:
        return Session.objects.get(pk=phone.session).expire_date

    def shift(self, issuer: Issuer, starts: datetime, hours: float) -> None:
        shift = issuer.world.shift
        shift.starts_at, shift.ends_at = starts, starts + hours * HOUR
        shift.save()

    def test_it_lasts_until_a_long_shift_is_over(self, issuer: Issuer, signed_in: Phone) -> None:
        self.shift(issuer, NOW - HOUR, 16)
        signed_in.sync()
        assert self.last(signed_in) == NOW + 15.5 * HOUR
        with time_machine.travel(NOW + 15 * HOUR, tick=False):
            assert signed_in.sync().status_code == 200
        with time_machine.travel(NOW + 15.6 * HOUR, tick=False):
            assert signed_in.sync().json()["code"] == "session_missing"

    def test_who_only_looks_stays_signed_in_as_long(self, issuer: Issuer, signed_in: Phone) -> None:
        """Fetched the evening before, looked at ever since: nothing need be fetched for a whole shift."""
        self.shift(issuer, NOW + 10 * HOUR, 8)
        mark = mark_of(signed_in.sync().json()["cursor"])
        with time_machine.travel(NOW + 10.5 * HOUR, tick=False):
            assert look(signed_in, mark).json()["news"] is False
        assert self.last(signed_in) == NOW + 18.5 * HOUR

    def test_who_signs_out_meanwhile_is_signed_out(self, issuer: Issuer, signed_in: Phone) -> None:
        self.shift(issuer, NOW - HOUR, 16)

        def sign_out_first(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            if sql.startswith("UPDATE") and "django_session" in sql:
                Session.objects.all().delete()
            return execute(sql, params, many, context)

        with connection.execute_wrapper(sign_out_first):
            assert signed_in.sync().json()["code"] == "session_missing"

    def test_a_shift_of_usual_length_changes_nothing(self, issuer: Issuer, signed_in: Phone) -> None:
        before = self.last(signed_in)
        signed_in.sync()
        assert self.last(signed_in) == before

    def test_tomorrows_shift_does_not_keep_anybody_signed_in(self, issuer: Issuer, signed_in: Phone) -> None:
        before = self.last(signed_in)
        self.shift(issuer, NOW + 20 * HOUR, 8)
        signed_in.sync()
        assert self.last(signed_in) == before

    def test_no_shift_keeps_anybody_for_more_than_a_day(self, issuer: Issuer, signed_in: Phone) -> None:
        self.shift(issuer, NOW - HOUR, 300)
        signed_in.sync()
        assert self.last(signed_in) <= NOW + 24 * HOUR

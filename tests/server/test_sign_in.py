"""Signing in: a second factor for phones always, for browsers by setting; secrets never in clear."""

from __future__ import annotations

import time
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.test import Client as Browser
from django.urls import reverse

from server.people.models import User
from server.tenancy import custody
from server.tenancy.models import Municipality

pytestmark = pytest.mark.once

LOGIN = "/_allauth/app/v1/auth/login"
AUTHENTICATE = "/_allauth/app/v1/auth/2fa/authenticate"
PASSWORD = "ett-riktigt-långt-lösenord"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def code_now(secret: str = SECRET) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


@pytest.fixture
def user(municipality: Municipality) -> User:
    return User.objects.create_user("alice", password=PASSWORD, municipality=municipality, is_staff=True)


@pytest.fixture
def user_with_totp(user: User) -> User:
    TOTP.activate(user, SECRET)
    return user


def post(browser: Browser, path: str, body: dict[str, Any], token: str = "") -> Any:
    return browser.post(path, body, content_type="application/json", headers={"X-Session-Token": token})


def sign_in(browser: Browser, password: str = PASSWORD) -> Any:
    return post(browser, LOGIN, {"username": "alice", "password": password})


def test_phone_signs_in_with_password_and_code(client: Browser, user_with_totp: User) -> None:
    first = sign_in(client)
    assert first.status_code == 401
    assert [f["id"] for f in first.json()["data"]["flows"] if f.get("is_pending")] == ["mfa_authenticate"]
    second = post(client, AUTHENTICATE, {"code": code_now()}, first.json()["meta"]["session_token"])
    assert second.status_code == 200
    assert second.json()["meta"]["session_token"]


def test_phone_is_refused_without_second_factor(client: Browser, user: User) -> None:
    answer = sign_in(client)
    assert (answer.status_code, answer.json()["code"]) == (403, "second_factor_required")
    assert "session_token" not in answer.json().get("meta", {})


def test_wrong_password_and_wrong_code_are_refused(client: Browser, user_with_totp: User) -> None:
    assert sign_in(client, "fel").status_code == 400
    token = sign_in(client).json()["meta"]["session_token"]
    wrong = post(client, AUTHENTICATE, {"code": "000000"}, token)
    assert wrong.status_code == 400


def test_guessing_one_account_is_slowed(client: Browser, user_with_totp: User) -> None:
    answers = [sign_in(client, "fel").status_code for _ in range(7)]
    assert sign_in(client).status_code != 401
    assert answers[0] == 400


@pytest.mark.parametrize(
    "body",
    [
        "[" * 100_000,
        '{"username": ' * 50_000,
        '{"username": ' + "[" * 900 + "]" * 900 + "}",
        '{"username": "\\ud800", "password": "x"}',
        '{"username": "x", "password": "\\udfff"}',
        '{"username": "a\\u0000b", "password": "x"}',
        '{"username": {"\\ud800": 1}, "password": ["x"]}',
        '{"username": ' + "9" * 10_000 + "}",
        '{"username": null, "password": NaN}',
        "[1]",
        "{",
        b"\xff\xfe",
    ],
)
@pytest.mark.parametrize("path", [LOGIN, AUTHENTICATE])
def test_what_a_stranger_may_send_is_refused_and_breaks_nothing(
    client: Browser, db: None, path: str, body: str | bytes
) -> None:
    assert client.post(path, body, content_type="application/json").status_code in (400, 401)


def test_nobody_signs_up(client: Browser, db: None) -> None:
    body = {"username": "mallory", "password": PASSWORD}
    answer = post(client, "/_allauth/app/v1/auth/signup", body)
    assert answer.status_code == 403
    assert not User.objects.filter(username="mallory").exists()


def test_totp_secret_rests_sealed(user_with_totp: User) -> None:
    stored = Authenticator.objects.get(user=user_with_totp).data["secret"]
    assert SECRET not in stored
    assert custody.unseal(bytes.fromhex(stored), "mfa.totp").decode() == SECRET


def test_admin_is_fenced_until_a_second_factor_is_set_up(client: Browser, user: User) -> None:
    client.force_login(user)
    assert client.get(reverse("admin:index")).headers["Location"] == reverse("mfa_activate_totp")


def test_admin_sign_in_goes_through_allauth(client: Browser, db: None) -> None:
    answer = client.get(reverse("admin:login"))
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(reverse("account_login"))


class TestCustody:
    def test_other_context_cannot_open(self) -> None:
        sealed = custody.seal(b"hemligt", "rolekey")
        assert custody.unseal(sealed, "rolekey") == b"hemligt"
        with pytest.raises(custody.SealError):
            custody.unseal(sealed, "mfa.totp")

    def test_damage_is_noticed(self) -> None:
        sealed = bytearray(custody.seal(b"hemligt", "rolekey"))
        sealed[-1] ^= 1
        with pytest.raises(custody.SealError):
            custody.unseal(bytes(sealed), "rolekey")

    def test_old_key_still_opens_after_rotation(self, settings: Any) -> None:
        sealed = custody.seal(b"hemligt", "rolekey")
        settings.KEY_ENCRYPTION_KEYS = ["ny nyckel", *settings.KEY_ENCRYPTION_KEYS]
        assert custody.unseal(sealed, "rolekey") == b"hemligt"
        settings.KEY_ENCRYPTION_KEYS = ["ny nyckel"]
        with pytest.raises(custody.SealError):
            custody.unseal(sealed, "rolekey")

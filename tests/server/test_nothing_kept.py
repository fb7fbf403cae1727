"""Secrets that are shown once stay in no cache, and recovery codes alone are no second factor."""

from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.test import Client as Browser

from server.people.models import User
from server.tenancy.models import Municipality
from tests.server.pages import administrator_of

PASSWORD = "ett ganska långt lösenord"


@pytest.fixture
def boss(municipality: Municipality, client: Browser) -> User:
    """An administrator who has just signed in with the password."""
    boss = administrator_of(municipality)
    boss.set_password(PASSWORD)
    boss.save()
    assert client.post("/accounts/login/", {"login": boss.username, "password": PASSWORD}).status_code == 302
    return boss


@pytest.mark.parametrize(
    "secret", ["totp/activate/", "recovery-codes/", "recovery-codes/download/", "webauthn/add/"]
)
def test_pages_with_secrets_stay_in_no_cache(client: Browser, boss: User, secret: str) -> None:
    if secret.startswith("recovery"):
        TOTP.activate(boss, generate_totp_secret())
        RecoveryCodes.activate(boss)
    answer = client.get(f"/accounts/2fa/{secret}")
    if answer.status_code == 302:
        client.post("/accounts/reauthenticate/", {"password": PASSWORD})
        answer = client.get(f"/accounts/2fa/{secret}")
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]


def test_static_files_may_be_kept(client: Browser, db: None) -> None:
    answer = client.get("/static/nyckelfri/theme.css")
    assert answer.status_code == 200 and "no-store" not in answer.headers.get("Cache-Control", "")


def test_recovery_codes_alone_are_no_second_factor(client: Browser, boss: User) -> None:
    RecoveryCodes.activate(boss)
    assert client.get("/admin/").status_code == 302, "they were never asked for"
    TOTP.activate(boss, generate_totp_secret())
    assert client.get("/admin/").status_code == 200
    Authenticator.objects.filter(user=boss, type=Authenticator.Type.TOTP).delete()
    assert client.get("/admin/").status_code == 302

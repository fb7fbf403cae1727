"""Single sign-on of the municipality's own staff, against a provider that speaks real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from django.test import Client as Browser

from server.audit.models import AuditEntry
from server.people.models import User
from server.tenancy.models import Municipality
from tests.server.identity_provider import CLIENT_ID, IdentityProvider

pytestmark = pytest.mark.once

STRONG = "http://id.elegnamnden.se/loa/1.0/loa3"
LOGIN = "/accounts/oidc/municipality/login/"


@pytest.fixture
def provider(settings: Any, municipality: Municipality) -> Iterator[IdentityProvider]:
    provider = IdentityProvider()
    settings.OIDC_MUNICIPALITY = municipality.slug
    settings.OIDC_REQUIRED_ACR = [STRONG]
    settings.SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {
            "APPS": [
                {
                    "provider_id": "municipality",
                    "name": "Testköpings inloggning",
                    "client_id": CLIENT_ID,
                    "secret": "hemligt",
                    "settings": {"server_url": provider.url, "fetch_userinfo": False},
                }
            ],
            "OAUTH_PKCE_ENABLED": True,
        }
    }
    provider.claims = {"sub": "4f1c", "preferred_username": "petra", "acr": STRONG}
    yield provider
    provider.stop()


@pytest.fixture
def petra(municipality: Municipality) -> User:
    return User.objects.create_user("Petra", municipality=municipality, is_staff=True, is_superuser=True)


def sign_on(browser: Browser) -> Any:
    sent = browser.post(LOGIN)
    assert sent.status_code == 302
    back = httpx.get(sent.headers["Location"]).headers["Location"]
    return browser.get(back)


def test_the_sign_in_page_offers_it(client: Browser, provider: IdentityProvider) -> None:
    page = client.get("/accounts/login/").content.decode()
    assert "Logga in med Testköpings inloggning" in page
    assert LOGIN in page


def test_a_strong_sign_on_opens_the_administration(
    client: Browser, provider: IdentityProvider, petra: User
) -> None:
    assert sign_on(client).headers["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200, "the provider has seen the second factor"
    assert provider.asked["code_challenge_method"] == "S256"
    assert AuditEntry.unscoped.filter(action="people.first_sign_on", actor=petra).count() == 1
    client.logout()
    assert sign_on(client).headers["Location"] == "/admin/"
    assert AuditEntry.unscoped.filter(action="people.first_sign_on").count() == 1


@pytest.mark.parametrize("acr", [{}, {"acr": "password"}])
def test_a_weak_sign_on_is_refused(
    client: Browser, provider: IdentityProvider, petra: User, acr: dict[str, str]
) -> None:
    provider.claims = {"sub": "4f1c", "preferred_username": "petra", **acr}
    refused = sign_on(client)
    assert refused.status_code == 403
    assert "inte tillräckligt stark" in refused.content.decode()
    assert client.get("/admin/").status_code == 302


def test_without_demanded_levels_a_second_factor_is_asked_for_here(
    client: Browser, provider: IdentityProvider, petra: User, settings: Any
) -> None:
    settings.OIDC_REQUIRED_ACR = []
    sign_on(client)
    assert client.get("/admin/").headers["Location"].startswith("/accounts/2fa/")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"username": "paula"}, "nobody of that name"),
        ({"is_active": False}, "closed"),
        ({"municipality": None}, "an operator's account is not the municipality's"),
    ],
)
def test_only_an_account_that_waits_for_it_is_opened(
    client: Browser, provider: IdentityProvider, petra: User, change: dict[str, Any], why: str
) -> None:
    User.objects.filter(pk=petra.pk).update(**change)
    assert sign_on(client).status_code == 403, why
    assert User.objects.count() == 1


def test_an_account_with_a_password_is_not_taken_over(
    client: Browser, provider: IdentityProvider, petra: User
) -> None:
    petra.set_password("ett-riktigt-långt-lösenord")
    petra.save()
    refused = sign_on(client)
    assert refused.status_code == 403
    assert "Inget konto här väntar" in refused.content.decode()


def test_another_municipalitys_account_is_not_opened(
    client: Browser, provider: IdentityProvider, petra: User, settings: Any
) -> None:
    settings.OIDC_MUNICIPALITY = "grannstad"
    assert sign_on(client).status_code == 403


def test_a_connected_account_closed_since_stays_closed(
    client: Browser, provider: IdentityProvider, petra: User
) -> None:
    sign_on(client)
    client.logout()
    petra.refresh_from_db()
    petra.set_password("ett-riktigt-långt-lösenord")
    petra.save()
    assert sign_on(client).status_code == 403


def test_a_wrong_audience_is_refused(client: Browser, provider: IdentityProvider, petra: User) -> None:
    provider.claims["aud"] = "somebody-else"
    assert sign_on(client).status_code == 403
    assert client.get("/admin/").status_code == 302

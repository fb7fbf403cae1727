"""What people change about their own sign-in is in the audit trail, without what was set."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_removed
from django.test import Client as Browser
from django.urls import reverse

from server.audit.models import AuditEntry
from server.people.models import User
from tests.server.world import World

pytestmark = pytest.mark.once

OLD, NEW = "ett-riktigt-långt-lösenord", "ett-annat-riktigt-långt-lösenord"


@pytest.fixture
def user(world: World, settings: Any) -> User:
    settings.SECOND_FACTOR_REQUIRED = False
    return User.objects.create_user(
        "alice", password=OLD, municipality=world.municipality, role="coordinator", provider=world.provider
    )


def test_an_own_new_password_is_recorded(user: User, client: Browser) -> None:
    client.login(username="alice", password=OLD)
    answer = client.get(reverse("admin:password_change"), follow=True)
    assert answer.redirect_chain == [(reverse("account_change_password"), 302)]
    sent = {"oldpassword": OLD, "password1": NEW, "password2": NEW}
    assert client.post(reverse("account_change_password"), sent).status_code == 302
    entry = AuditEntry.objects.get(action="people.own_password_set")
    assert (entry.actor, entry.acting_as, entry.object_id) == (user, "coordinator", str(user.pk))
    assert NEW not in str((entry.before, entry.after))


@pytest.mark.parametrize(
    ("signal", "action"),
    [(authenticator_added, "people.factor_added"), (authenticator_removed, "people.factor_removed")],
)
def test_second_factors_that_come_and_go_are_recorded(user: User, signal: Any, action: str) -> None:
    factor = Authenticator.objects.create(user=user, type="totp", data={"secret": "hemligt"})
    signal.send(sender=Authenticator, request=None, user=user, authenticator=factor)
    entry = AuditEntry.objects.get(action=action)
    assert (entry.actor, entry.after) == (user, {"kind": "totp"})


def test_an_operators_sign_in_is_in_no_municipalitys_trail(world: World) -> None:
    operator = User.objects.create_superuser("drift")
    factor = Authenticator.objects.create(user=operator, type="totp", data={})
    authenticator_added.send(sender=Authenticator, request=None, user=operator, authenticator=factor)
    assert not AuditEntry.objects.filter(action="people.factor_added").exists()

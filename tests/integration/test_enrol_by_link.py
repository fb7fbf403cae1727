"""From the coordinator's page to a phone: the link of the QR code enrols, and only at the server it names."""

from __future__ import annotations

import html
import re

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.test import Client as Browser
from django.urls import reverse

from mobile.engine import deeplink
from mobile.engine.errors import ServerError
from mobile.engine.state import LoginState, Stage
from mobile.viewmodels.enrol import grouped
from mobile.viewmodels.signin import CODE_LENGTHS
from server.people.models import User
from server.tenancy.domain.keyring import root_set
from tests.integration.serverworld import PIN, PhoneAtServer
from tests.server.issuer import PASSWORD, Issuer, found


def page_of(issuer: Issuer, url: str) -> str:
    """What the page shows that makes Alice's code, opened in a browser at the server's address."""
    desk = Browser(headers={"host": url.removeprefix("http://")})
    desk.force_login(
        User.objects.create_superuser("skrivbord", password="x", municipality=issuer.municipality)
    )
    path = reverse("admin:people_staffmember_enrol", args=[issuer.world.alice.pk])
    return desk.post(path).content.decode()


def link_on(page: str) -> str:
    shown = re.search(r"nyckelfri://enrol\?[^<]+", page)
    assert shown is not None
    return html.unescape(shown[0])


@pytest.fixture(autouse=True)
def at_a_desk(settings: object) -> None:
    settings.SECOND_FACTOR_REQUIRED = False  # type: ignore[attr-defined]  # the page is the matter, not its door


def test_the_link_of_the_page_enrols_and_pins_what_it_names(alice: PhoneAtServer, issuer: Issuer) -> None:
    page = page_of(issuer, alice.url)
    said = deeplink.parse(link_on(page))
    fingerprint = root_set(issuer.municipality).fingerprint.hex()
    assert (said.server, said.root) == (alice.url, fingerprint)
    assert grouped(fingerprint) in page, "for those who type, the digits the phone will show"
    identity = alice.do(alice.engine.server_identity(said.server, said.root))
    assert identity.municipality == issuer.municipality.name
    alice.do(alice.engine.enrol(said.server, said.code, PIN))
    assert alice.engine.state.stage is Stage.UNLOCKED
    assert alice.engine.state.staff_name == "Alice Andersson"


def test_a_server_of_several_municipalities_answers_for_the_one_the_link_names(
    alice: PhoneAtServer, issuer: Issuer
) -> None:
    neighbour = found("grannstad")
    root = root_set(neighbour).fingerprint.hex()
    assert alice.do(alice.engine.server_identity(alice.url, root)).municipality == neighbour.name
    code = deeplink.parse(link_on(page_of(issuer, alice.url))).code
    with pytest.raises(ServerError) as refused:
        alice.do(alice.engine.enrol(alice.url, code, PIN))
    assert refused.value.code == "server_not_trusted", "what was shown is what must be met"
    assert alice.engine.state.stage is Stage.NOT_ENROLLED


def test_roots_that_the_server_does_not_have_are_not_trusted(alice: PhoneAtServer, issuer: Issuer) -> None:
    with pytest.raises(ServerError) as refused:
        alice.do(alice.engine.server_identity(alice.url, "0" * 64))
    assert refused.value.code == "server_not_trusted"


def test_a_substitute_signs_in_with_a_recovery_code_as_the_card_says(
    alice: PhoneAtServer, issuer: Issuer
) -> None:
    alice.enrol(issuer.world.alice)
    user = issuer.world.alice.user
    assert user is not None
    code = RecoveryCodes.activate(user).get_unused_codes()[0]
    assert len(code) in CODE_LENGTHS, "the form lets it through"
    alice.do(alice.engine.sign_in("alice", PASSWORD))
    alice.do(alice.engine.second_factor(code))
    assert alice.engine.state.login is LoginState.SIGNED_IN
    alice.do(alice.engine.sync())
    assert alice.engine._keyring.content.rights

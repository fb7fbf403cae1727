"""Another encryption key: everything at rest is sealed anew under it, and the old one can go."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.core.management import call_command

from server.care.domain.documents import add_document, read_document
from server.care.models import ConsentDocument
from server.locks.domain.advert_keys import current_and_next
from server.locks.domain.rotation import begin
from server.locks.models import Binding
from server.people.models import User
from server.tenancy import custody
from server.tenancy.domain import keyring
from server.tenancy.models import RoleKey
from tests.server.issuer import Issuer, give_sign_in
from tests.server.pages import administrator_of
from tests.server.world import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.once]
PAPER = b"%PDF-1.7\nsigned\n%%EOF\n"


@pytest.fixture
def sealed(issuer: Issuer, settings: Any) -> Iterator[Issuer]:
    """A municipality with a secret of every kind, under a key that is to go."""
    settings.KEY_ENCRYPTION_KEYS = ["the old key", *settings.KEY_ENCRYPTION_KEYS]
    call_command("reseal_secrets")
    user = give_sign_in(issuer.world.alice, "alice")
    RecoveryCodes.activate(user)
    begin(issuer.municipality, [issuer.world.gate_binding.pk], at=NOW)
    add_document(
        consent=issuer.world.client_consent,
        content=PAPER,
        at=NOW,
        actor=administrator_of(issuer.municipality),
    )
    settings.KEY_ENCRYPTION_KEYS = ["the new key", "the old key"]
    yield issuer
    keyring.forget()


def test_after_it_nothing_needs_the_old_key(
    sealed: Issuer, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = current_and_next(Binding.objects.get(pk=sealed.world.gate_binding.pk))
    secret = TOTP(sealed.world.alice.user.authenticator_set.get(type="totp")).instance.data["secret"]
    call_command("reseal_secrets")
    said = capsys.readouterr().out
    for line in ("role keys: 5", "advert keys: 3", "consent documents: 1", "one-time code secrets: 2"):
        assert line in said
    settings.KEY_ENCRYPTION_KEYS = ["the new key"]
    keyring.forget()
    for role in ("token", "bulletin", "receipt", "firmware"):
        assert keyring.signing_key(sealed.municipality.pk, role)
    assert keyring.sealing_private(sealed.municipality.pk, bytes(RoleKey.objects.get(role="sealing").kid))
    assert current_and_next(Binding.objects.get(pk=sealed.world.gate_binding.pk)) == keys
    document = ConsentDocument.objects.get()
    assert read_document(document=document, actor=User.objects.get(is_superuser=True)) == PAPER
    row = sealed.world.alice.user.authenticator_set.get(type="totp")
    assert row.data["secret"] != secret
    assert custody.is_current(bytes.fromhex(row.data["secret"]))
    codes = sealed.world.alice.user.authenticator_set.get(type="recovery_codes")
    assert RecoveryCodes(codes).get_unused_codes()


def test_a_second_run_changes_nothing(sealed: Issuer, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("reseal_secrets")
    before = list(RoleKey.objects.order_by("pk").values_list("sealed_private_key", flat=True))
    capsys.readouterr()
    call_command("reseal_secrets")
    assert "role keys: 0" in capsys.readouterr().out
    assert list(RoleKey.objects.order_by("pk").values_list("sealed_private_key", flat=True)) == before

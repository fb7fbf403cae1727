"""Whoever keeps role keys does the same for them: the database, and a security module where there is one.

The module is SoftHSM. Without its library the contract runs for the database alone; that a server which is
told to use a module it does not have says so is tested either way.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from protocol.errors import SignatureError
from protocol.keys import HolderKey, KeyType, SigningKey, VerifyKey
from protocol.minting import Minter
from protocol.token import Scope, TokenClaims
from protocol.token import parse as parse_token
from server.problems import Problem
from server.tenancy import keepers
from server.tenancy.domain import keyring
from server.tenancy.domain.keys import found_municipality
from server.tenancy.keepers import KeyMissingError, database
from server.tenancy.models import Municipality, RoleKey
from tests.server.world import NOW

FOLDERS = ("/usr/lib/softhsm", "/usr/lib64/pkcs11", "/usr/local/lib/softhsm", "/opt/homebrew/lib/softhsm")
LIBRARY = next((one for folder in FOLDERS if (one := Path(folder, "libsofthsm2.so")).exists()), None)
PLACES = ["database"] + (["pkcs11"] if LIBRARY else [])
pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture(scope="session")
def module(tmp_path_factory: pytest.TempPathFactory) -> Path | None:
    """A fresh SoftHSM token; the library reads where it is when it is loaded first."""
    if LIBRARY is None:
        return None
    folder = tmp_path_factory.mktemp("hsm")
    config = folder / "softhsm2.conf"
    config.write_text(f"directories.tokendir = {folder}\nobjectstore.backend = file\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(config)
    make = [
        "softhsm2-util",
        "--init-token",
        "--free",
        "--label",
        "nyckelfri",
        "--pin",
        "4711",
        "--so-pin",
        "1",
    ]
    subprocess.run([*make[:-1], "471147"], check=True, capture_output=True)  # noqa: S603
    return LIBRARY


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, settings: Any, module: Path | None) -> Iterator[str]:
    settings.ROLE_KEYS_KEPT_IN = request.param
    settings.PKCS11_LIBRARY, settings.PKCS11_TOKEN, settings.PKCS11_PIN = str(module), "nyckelfri", "4711"
    yield request.param
    keepers.forget()


@pytest.fixture
def municipality(place: str) -> Municipality:
    return found_municipality(slug="testköping", name="Testköping", at=NOW).municipality


def key_for(municipality: Municipality, role: str) -> RoleKey:
    found: RoleKey = RoleKey.unscoped.get(municipality=municipality, role=role)
    return found


@pytest.mark.parametrize("role", ["token", "bulletin", "receipt", "firmware"])
def test_signatures_hold_under_the_public_half(place: str, municipality: Municipality, role: str) -> None:
    row, key = key_for(municipality, role), keyring.signing_key(municipality.pk, role)
    assert (row.keeper, key.kid, key.public) == (place, row.kid, row.public_key)
    VerifyKey(key.kid, row.public_key).verify(key.sign(b"message"), b"message")
    with pytest.raises(SignatureError):
        VerifyKey(key.kid, row.public_key).verify(key.sign(b"message"), b"massage")


def test_tokens_are_minted_alike(place: str, municipality: Municipality) -> None:
    key = keyring.signing_key(municipality.pk, "token")
    begins = int(NOW.timestamp())
    claims = TokenClaims(b"binding1", begins, begins + 3600, begins, b"token001", 1, Scope.OPEN | Scope.LOCK)
    holder = HolderKey(KeyType.X25519, b"h" * 32)
    minted = Minter(key).mint(claims, holder)
    assert parse_token(minted).verify(key.verify_key, holder) == claims


def test_the_private_half_is_nowhere_it_should_not_be(place: str, municipality: Municipality) -> None:
    row = key_for(municipality, "token")
    assert (row.sealed_private_key is None) == (place == "pkcs11")
    shown = repr(keyring.signing_key(municipality.pk, "token"))
    assert "object at" not in shown and "private" not in shown


def test_what_is_erased_signs_no_more(place: str, municipality: Municipality) -> None:
    row = key_for(municipality, "token")
    for _ in range(2):
        keepers.erase(row)
        row.save()
    with pytest.raises(KeyMissingError):
        keepers.signing_key(row).sign(b"message")


def test_a_key_made_once_more_after_a_failure_is_one_key(place: str, municipality: Municipality) -> None:
    rows = [RoleKey(municipality=municipality, role="token", kid=b"\x01\x01", keeper=place) for _ in "12"]
    for row in rows:
        keepers._KEEPERS[place].make(row)
    rows[1].active_from = NOW + timedelta(hours=1)
    rows[1].save(force_insert=True)
    key: SigningKey = keyring.signing_key(municipality.pk, "token")
    VerifyKey(key.kid, rows[1].public_key).verify(key.sign(b"message"), b"message")


def test_what_opens_logs_stays_in_software(place: str, municipality: Municipality) -> None:
    row = key_for(municipality, "sealing")
    assert row.keeper == "database"
    assert keyring.sealing_private(municipality.pk, bytes(row.kid)) == database.private_half(row)


def test_a_module_that_went_away_comes_back(place: str, municipality: Municipality) -> None:
    before = keyring.signing_key(municipality.pk, "token").sign(b"message")
    keepers.forget()
    assert keyring.signing_key(municipality.pk, "token").sign(b"message") == before


def test_a_server_without_the_module_it_is_told_to_use_says_so(db: None, settings: Any) -> None:
    settings.ROLE_KEYS_KEPT_IN = "pkcs11"
    for library in ("", "/nowhere/libpkcs11.so"):
        settings.PKCS11_LIBRARY = library
        keepers.forget()
        with pytest.raises(KeyMissingError):
            found_municipality(slug="testköping", name="Testköping", at=NOW)
        assert not Municipality.objects.exists()


def test_keys_that_are_away_are_a_problem_in_words(db: None, settings: Any) -> None:
    municipality = found_municipality(slug="testköping", name="Testköping", at=NOW).municipality
    RoleKey.unscoped.filter(role="token").update(keeper="pkcs11")
    settings.PKCS11_LIBRARY = ""
    keepers.forget()
    with pytest.raises(Problem) as told:
        keyring.signing_key(municipality.pk, "token").sign(b"message")
    assert told.value.code == "keys_missing"

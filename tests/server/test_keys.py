"""Key custody: roots never enter the database, role keys rest sealed, opened keys are few and never shown."""

from __future__ import annotations

import logging
import stat
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from protocol import manifest
from protocol.keys import x25519_public
from protocol.manifest import Role, RootSet
from server.audit.models import AuditEntry
from server.tenancy import custody
from server.tenancy.domain import keyring
from server.tenancy.domain.keys import found_municipality
from server.tenancy.keepers import database
from server.tenancy.models import Manifest, Municipality, RoleKey
from tests.server.world import NOW

SEEDS = (b"1" * 32, b"2" * 32, b"3" * 32)
pytestmark = pytest.mark.django_db


@pytest.fixture
def municipality() -> Municipality:
    keyring.forget()
    return found_municipality(slug="testköping", name="Testköping", at=NOW, root_seeds=SEEDS).municipality


def everything_stored() -> bytes:
    """Every value of every table, as text and bytes."""
    found = b""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608
            for row in cursor.fetchall():
                for value in row:
                    found += bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
    return found


def test_manifest_1_is_signed_by_two_of_three_roots(municipality: Municipality) -> None:
    held, document = keyring.current_manifest(municipality)
    assert (held.version, held.roots.threshold, len(held.roots.keys)) == (1, 2, 3)
    assert {key.role for key in held.role_keys} == set(Role)
    own = [manifest.root_signing_key(seed).public for seed in SEEDS]
    assert manifest.verify(document, RootSet(tuple(own), 2)) == held


def test_two_municipalities_have_nothing_in_common(municipality: Municipality) -> None:
    other = found_municipality(slug="grannstad", name="Grannstad", at=NOW).municipality
    held, theirs = keyring.current_manifest(municipality)[0], keyring.current_manifest(other)[0]
    assert held.municipality != theirs.municipality
    assert not set(held.roots.keys) & set(theirs.roots.keys)
    assert not {key.public for key in held.role_keys} & {key.public for key in theirs.role_keys}


def test_no_private_key_is_stored_in_clear(municipality: Municipality) -> None:
    stored = everything_stored()
    secrets = [database.private_half(key) for key in RoleKey.unscoped.all()] + list(SEEDS)
    for secret in secrets:
        assert secret not in stored
        assert secret.hex().encode() not in stored


def test_signing_keys_fit_the_manifest(municipality: Municipality) -> None:
    held = keyring.current_manifest(municipality)[0]
    for name, role in (("token", Role.TOKEN), ("bulletin", Role.BULLETIN), ("receipt", Role.RECEIPT)):
        key = keyring.signing_key(municipality.pk, name)
        found = held.verify_key(role, key.kid)
        assert found is not None
        found.verify(key.sign(b"message"), b"message")
    sealing = keyring.sealing_private(municipality.pk, held.sealing_key.kid)
    assert x25519_public(sealing) == held.sealing_key.public


def test_a_sealed_key_opens_only_as_what_it_is(municipality: Municipality) -> None:
    token, bulletin = (RoleKey.unscoped.get(role=role) for role in ("token", "bulletin"))
    token.sealed_private_key = bulletin.sealed_private_key
    token.save()
    with pytest.raises(custody.SealError):
        keyring.signing_key(municipality.pk, "token")


def test_retired_keys_sign_no_more_but_still_open_logs(municipality: Municipality) -> None:
    RoleKey.unscoped.update(retired_at=NOW)
    with pytest.raises(keyring.KeyMissingError):
        keyring.signing_key(municipality.pk, "token")
    kid = keyring.current_manifest(municipality)[0].sealing_key.kid
    assert keyring.sealing_private(municipality.pk, kid)


def test_opened_keys_are_bounded_in_number_and_age(
    municipality: Municipality, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "MAX_OPEN_KEYS", 2)
    for role in ("token", "bulletin", "receipt"):
        keyring.signing_key(municipality.pk, role)
    assert len(database._open) == 2
    opened = []
    unseal = custody.unseal
    monkeypatch.setattr(custody, "unseal", lambda *args: opened.append(args) or unseal(*args))
    keyring.signing_key(municipality.pk, "receipt")
    assert not opened
    monkeypatch.setattr(database, "MAX_AGE_S", 0.0)
    keyring.signing_key(municipality.pk, "receipt")
    assert len(opened) == 1


def test_nothing_secret_is_shown_or_logged(
    municipality: Municipality, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    founding = found_municipality(
        slug="grannstad", name="Grannstad", at=NOW, root_seeds=[b"4" * 32, b"5" * 32, b"6" * 32]
    )
    key = keyring.signing_key(municipality.pk, "token")
    private = database.private_half(RoleKey.unscoped.get(municipality=municipality, role="token"))
    shown = repr(founding) + repr(key) + repr(RoleKey.unscoped.first()) + caplog.text
    for secret in (b"4" * 32, private):
        assert repr(secret) not in shown
        assert secret.hex() not in shown
    assert not AuditEntry.unscoped.filter(after__icontains=private.hex()).exists()


class TestCommand:
    def test_root_keys_go_to_files_that_only_the_owner_reads(self, tmp_path: Path) -> None:
        folder = tmp_path / "roots"
        call_command("create_municipality", "lindvik", "Lindvik", "--roots-out", str(folder))
        files = sorted(folder.iterdir())
        assert len(files) == 3
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
        roots = [manifest.root_signing_key(bytes.fromhex(file.read_text())) for file in files]
        municipality = Municipality.objects.get(slug="lindvik")
        assert sorted(root.public.hex() for root in roots) == municipality.root_public_keys
        held = keyring.current_manifest(municipality)[0]
        assert manifest.sign(held, roots[:2])

    def test_an_existing_municipality_is_left_alone(self, municipality: Municipality, tmp_path: Path) -> None:
        with pytest.raises(CommandError):
            call_command("create_municipality", municipality.slug, "X", "--roots-out", str(tmp_path))
        assert list(tmp_path.iterdir()) == []
        assert Manifest.unscoped.count() == 1

    def test_no_municipality_where_the_roots_cannot_be_kept(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("in the way")
        with pytest.raises((CommandError, OSError)):
            call_command("create_municipality", "lindvik", "Lindvik", "--roots-out", str(tmp_path / "file"))
        assert not Municipality.objects.exists()

"""Keys change by hand of an administrator and of those who keep the roots, and by nobody else's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client as Browser
from django.urls import reverse
from django_scopes import scope

from protocol import ceremony, lockrecord, manifest
from protocol.ceremony import Ceremony
from protocol.keys import SigningKey
from protocol.manifest import Role, RootSet
from roots.__main__ import main as roots_command
from server.access.tasks import issue_ahead
from server.audit.models import AuditEntry
from server.keys.domain.following import follow
from server.keys.domain.proposing import new_roots, propose, withdraw
from server.keys.domain.publishing import publish
from server.keys.domain.signatures import take_signatures
from server.keys.tasks import follow_manifests
from server.locks.models import Binding, LogPosition
from server.passages.domain.intake import take_in
from server.problems import Problem
from server.tenancy.domain import keyring
from server.tenancy.domain.keys import found_municipality
from server.tenancy.keepers import KeyMissingError, signing_key
from server.tenancy.models import Manifest, ManifestDraft, Municipality, RoleKey
from tests.server.issuer import Issuer, make_issuer
from tests.server.pages import administrator_of, coordinator_of, patrol_of
from tests.server.world import LONG_AGO, NOW

SEEDS = [bytes([number]) * 32 for number in (1, 2, 3)]
ROOTS = [manifest.root_signing_key(seed) for seed in SEEDS]
STRANGER = manifest.root_signing_key(b"\x66" * 32)
pytestmark = [pytest.mark.django_db, pytest.mark.once]
KEYS = "/admin/tenancy/manifestdraft/keys/"


@pytest.fixture
def issuer(db: None, settings: Any) -> Iterator[Issuer]:
    settings.SECOND_FACTOR_REQUIRED = False
    keyring.forget()
    made = found_municipality(slug="testköping", name="Testköping", at=LONG_AGO, root_seeds=SEEDS)
    with scope(municipality=made.municipality):
        yield make_issuer(made.municipality)


@pytest.fixture
def office(issuer: Issuer, client: Browser) -> Browser:
    """The administrator's browser."""
    client.force_login(administrator_of(issuer.municipality))
    return client


def draft_of(issuer: Issuer, **what: Any) -> ManifestDraft:
    return propose(municipality=issuer.municipality, at=NOW, **(what or {"renew": ["token"]}))


def signed(draft: ManifestDraft, *keys: SigningKey) -> bytes:
    read = ceremony.parse(bytes(draft.document))
    for key in keys:
        read = ceremony.add_signature(read, key)
    return read.encode()


def in_force(draft: ManifestDraft, *keys: SigningKey) -> Manifest:
    take_signatures(draft=draft, file=signed(draft, *(keys or ROOTS[:2])), at=NOW)
    return publish(draft=draft, at=NOW)


def said(browser: Browser, address: str, **form: Any) -> str:
    return browser.post(address, form, follow=True).content.decode()


class TestPage:
    def test_an_administrator_and_two_holders_of_roots_renew_a_key(
        self, issuer: Issuer, office: Browser, tmp_path: Path
    ) -> None:
        before = keyring.signing_key(issuer.municipality.pk, "token").kid
        page = office.post(
            KEYS, {"what": "renew", "roles": ["token", "sealing"]}, follow=True
        ).content.decode()
        draft = ManifestDraft.objects.get()
        assert "Manifest 2 att skriva under" in page
        assert "/file/" in page
        file = office.get(reverse("admin:tenancy_manifestdraft_file", args=[draft.pk]))
        for number, seed in enumerate(SEEDS[1:]):
            path, key = tmp_path / f"{number}.ceremony", tmp_path / f"{number}.key"
            path.write_bytes(file.content)
            key.write_text(seed.hex())
            out = tmp_path / f"{number}.signed"
            assert roots_command(["sign", str(path), "--key", str(key), "--out", str(out), "--yes"]) == 0
            upload = SimpleUploadedFile("manifest.signed", out.read_bytes())
            address = reverse("admin:tenancy_manifestdraft_change", args=[draft.pk])
            page = office.post(address, {"file": upload}, follow=True).content.decode()
            assert "1 ny underskrift." in page
        assert keyring.signing_key(issuer.municipality.pk, "token").kid == before, "not before it is in force"
        page = office.post(address, {"publish": "1"}, follow=True).content.decode()
        assert "Manifest 2 gäller" in page
        assert keyring.current_manifest(Municipality.objects.get())[0].version == 2
        assert keyring.signing_key(issuer.municipality.pk, "token").kid != before
        assert "Den gamla förseglingsnyckeln" in page
        trail = AuditEntry.objects.filter(action__startswith="keys.").values_list("action", flat=True)
        assert {*trail} >= {"keys.proposed", "keys.signed", "keys.published"}

    def test_a_leak_is_asked_about_before_it_is_answered(self, issuer: Issuer, office: Browser) -> None:
        kid = bytes(RoleKey.objects.get(role="token").kid).hex()
        office.post(KEYS, {"what": "leak", "keys": [kid]})
        assert not ManifestDraft.objects.exists(), "a tick is missing"
        office.post(KEYS, {"what": "leak", "keys": [kid], "sure": "on"})
        assert ManifestDraft.objects.get().leaked == [kid]
        assert "väntar på rotnycklarna" in office.get("/admin/").content.decode()

    @pytest.mark.parametrize("wrong", ["", "xyz", "00" * 32, f"{'11' * 32}\n{'11' * 32}", "22" * 31])
    def test_roots_that_are_none_are_refused_in_words(
        self, issuer: Issuer, office: Browser, wrong: str
    ) -> None:
        page = office.post(KEYS, {"what": "roots", "public_keys": wrong, "threshold": 2}).content.decode()
        assert not ManifestDraft.objects.exists()
        assert "errorlist" in page or "64 hexadecimala tecken" in page

    def test_what_is_no_signed_file_is_refused_in_words(self, issuer: Issuer, office: Browser) -> None:
        address = reverse("admin:tenancy_manifestdraft_change", args=[draft_of(issuer).pk])
        for content in (b"not a ceremony", b"\x00" * 10_000):
            upload = SimpleUploadedFile("manifest.signed", content)
            assert (
                "ingen underskriftsfil"
                in office.post(address, {"file": upload}, follow=True).content.decode()
            )
        assert "Välj den underskrivna filen" in office.post(address, follow=True).content.decode()
        assert "Underskrifter saknas" in office.post(address, {"publish": "1"}, follow=True).content.decode()

    def test_only_administrators_change_keys(self, issuer: Issuer, client: Browser) -> None:
        draft = draft_of(issuer)
        address = reverse("admin:tenancy_manifestdraft_change", args=[draft.pk])
        client.force_login(patrol_of(issuer.municipality))
        for path in (KEYS, address):
            page = client.get(path)
            assert page.status_code == 200
            assert b"multipart" not in page.content
        assert client.post(KEYS, {"what": "renew", "roles": ["token"]}).status_code == 403
        assert client.post(address, {"withdraw": "1"}).status_code == 403
        assert client.get(reverse("admin:tenancy_manifestdraft_file", args=[draft.pk])).status_code == 403
        client.force_login(coordinator_of(issuer.world.provider))
        assert client.get(KEYS).status_code == 403
        assert client.get(reverse("admin:tenancy_manifestdraft_file", args=[draft.pk])).status_code == 403

    def test_rule_08_anothers_proposal_is_not_found(self, issuer: Issuer, client: Browser) -> None:
        other = found_municipality(slug="grannstad", name="Grannstad", at=LONG_AGO).municipality
        draft = draft_of(issuer)
        client.force_login(administrator_of(other))
        with scope(municipality=other):
            assert client.get(reverse("admin:tenancy_manifestdraft_file", args=[draft.pk])).status_code == 404
            address = reverse("admin:tenancy_manifestdraft_change", args=[draft.pk])
            assert client.post(address, {"withdraw": "1"}).status_code in (302, 403, 404)
        draft.refresh_from_db()
        assert draft.outcome == "open"


class TestImport:
    def test_a_file_of_another_proposal_is_refused(self, issuer: Issuer) -> None:
        draft = draft_of(issuer)
        read = ceremony.parse(bytes(draft.document))
        other = replace(read.proposed, issued_at=read.proposed.issued_at + 1)
        file = ceremony.add_signature(Ceremony(read.held, manifest.payload_of(other)), ROOTS[0]).encode()
        with pytest.raises(Problem, match="ceremony_foreign"):
            take_signatures(draft=draft, file=file, at=NOW)

    @pytest.mark.parametrize("signers", [[STRANGER], [ROOTS[0], STRANGER]])
    def test_a_strangers_signature_is_refused_with_its_whole_file(
        self, issuer: Issuer, signers: list[SigningKey]
    ) -> None:
        draft = draft_of(issuer)
        with pytest.raises(Problem, match="signature_invalid"):
            take_signatures(draft=draft, file=signed(draft, *signers), at=NOW)
        draft.refresh_from_db()
        assert ceremony.parse(bytes(draft.document)).signatures == ()

    def test_one_root_is_too_few_however_often_it_signs(self, issuer: Issuer) -> None:
        draft = draft_of(issuer)
        assert take_signatures(draft=draft, file=signed(draft, ROOTS[2]), at=NOW) == 1
        assert take_signatures(draft=draft, file=signed(draft, ROOTS[2]), at=NOW) == 0
        with pytest.raises(Problem, match="ceremony_unsigned"):
            publish(draft=draft, at=NOW)
        assert Manifest.objects.count() == 1

    def test_new_roots_need_the_old_and_the_new(self, issuer: Issuer) -> None:
        new = [manifest.root_signing_key(bytes([number]) * 32) for number in (7, 8, 9)]
        draft = draft_of(issuer, roots=new_roots([key.public for key in new], 2))
        for half in (ROOTS[:2], new[:1]):
            take_signatures(draft=draft, file=signed(draft, *half), at=NOW)
            with pytest.raises(Problem, match="ceremony_unsigned"):
                publish(draft=draft, at=NOW)
        in_force(draft, *new[1:])
        held = RootSet(tuple(sorted(key.public for key in new)), 2)
        assert keyring.root_set(Municipality.objects.get()).fingerprint == held.fingerprint
        with pytest.raises(Problem, match="ceremony_closed"):
            take_signatures(draft=draft, file=signed(draft, *new), at=NOW)

    def test_one_root_alone_may_never_be_enough(self) -> None:
        with pytest.raises(Problem, match="roots_invalid"):
            new_roots([ROOTS[0].public], 1)


class TestLife:
    def test_one_proposal_at_a_time(self, issuer: Issuer) -> None:
        draft_of(issuer)
        with pytest.raises(Problem, match="ceremony_open"):
            draft_of(issuer)

    def test_withdrawn_keys_are_erased_and_never_sign(self, issuer: Issuer) -> None:
        before = keyring.signing_key(issuer.municipality.pk, "token").kid
        draft = draft_of(issuer)
        withdraw(draft=draft, at=NOW)
        made = RoleKey.objects.latest("pk")
        assert (made.erased_at, made.sealed_private_key) == (NOW, None)
        assert keyring.signing_key(issuer.municipality.pk, "token").kid == before
        with pytest.raises(Problem, match="ceremony_closed"):
            withdraw(draft=draft, at=NOW)
        assert draft_of(issuer).version == 2
        assert bytes(RoleKey.objects.latest("pk").kid) != bytes(made.kid), "names are never used twice"

    def test_a_superseded_token_key_leaves_when_its_tokens_have_ended(self, issuer: Issuer) -> None:
        with time_machine.travel(NOW, tick=False):
            assert issue_ahead() > 0
        old = RoleKey.objects.get(role="token")
        in_force(draft_of(issuer))
        follow(issuer.municipality, at=NOW)
        old.refresh_from_db()
        assert (old.superseded_at, old.retired_at) == (NOW, None), "what it signed is still believed"
        with pytest.raises(KeyMissingError):
            signing_key(old)
        in_force(draft_of(issuer, renew=["receipt"]))
        assert len([one for one in issuer.manifest.role_keys if one.role is Role.TOKEN]) == 2
        later = NOW + timedelta(days=3)
        draft = propose(municipality=issuer.municipality, renew=["firmware"], at=later)
        take_signatures(draft=draft, file=signed(draft, *ROOTS[:2]), at=later)
        publish(draft=draft, at=later)
        old.refresh_from_db()
        assert old.retired_at == later
        names = [one.role for one in issuer.manifest.role_keys]
        assert sorted(names) == [*Role][:4] + [Role.FIRMWARE] * 2, "a firmware key stays until told"

    def test_nothing_to_change_and_no_role_left_without_a_key(self, issuer: Issuer) -> None:
        with pytest.raises(Problem, match="ceremony_empty"):
            propose(municipality=issuer.municipality, at=NOW)
        with pytest.raises(Problem, match="key_unknown_here"):
            draft_of(issuer, leaked=[b"zz"])
        kid = bytes(RoleKey.objects.get(role="bulletin").kid)
        with pytest.raises(Problem, match="key_last"):
            draft_of(issuer, dropped=[kid])

    def test_a_crash_between_the_manifest_and_what_follows_is_made_good(self, issuer: Issuer) -> None:
        take_in(documents=[issuer.gate_lock.sealed()], courier=issuer.world.phone, at=NOW)
        leaked = [bytes(key.kid) for key in RoleKey.objects.filter(role__in=["bulletin", "receipt"])]
        in_force(draft_of(issuer, leaked=leaked))
        record = Binding.objects.get(pk=issuer.world.gate_binding.pk)
        with pytest.raises(Exception, match="unknown key"):
            lockrecord.verify(bytes(record.lock_record or b""), issuer.manifest)
        with time_machine.travel(NOW + timedelta(minutes=40), tick=False):
            assert follow_manifests() > 0
            assert follow_manifests() == 0
        record.refresh_from_db()
        assert lockrecord.verify(bytes(record.lock_record or b""), issuer.manifest)
        position = LogPosition.objects.get(lock=issuer.world.gate_binding.lock)
        kid = keyring.signing_key(issuer.municipality.pk, "receipt").kid
        assert kid in bytes(position.receipt or b"")


class TestCommand:
    def run(self, *words: str) -> None:
        with time_machine.travel(NOW, tick=False):
            call_command("keys", "testköping", *words)

    def test_a_leak_from_the_first_word_to_the_last(
        self, issuer: Issuer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        kid = bytes(RoleKey.objects.get(role="token").kid).hex()
        file = tmp_path / "manifest-2.ceremony"
        self.run("leaked", kid, "--out", str(file))
        key = tmp_path / "root.key"
        for seed in SEEDS[:2]:
            key.write_text(seed.hex())
            assert roots_command(["sign", str(file), "--key", str(key), "--out", str(file), "--yes"]) == 0
        self.run("import", str(file))
        self.run("publish")
        self.run("status")
        said = capsys.readouterr().out
        assert "2 more of roots" in said
        assert "is signed and waits to be published" in said
        assert "manifest 2 is in force" in said
        assert "manifest 1: 2 locks" in said
        assert Municipality.objects.get().tokens_not_before == NOW + timedelta(seconds=1)

    def test_what_cannot_be_done_is_said(self, issuer: Issuer, tmp_path: Path) -> None:
        for words in (["publish"], ["withdraw"], ["import", str(tmp_path / "nowhere")]):
            with pytest.raises(CommandError):
                self.run(*words)
        with pytest.raises(CommandError):
            call_command("keys", "ingenstans", "status")
        self.run("renew", "receipt", "--out", str(tmp_path / "file"))
        with pytest.raises(CommandError, match="ceremony_open"):
            self.run("roots", *[key.public.hex() for key in ROOTS], "--out", str(tmp_path / "other"))
        self.run("withdraw")

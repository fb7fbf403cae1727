"""Firmware at the server: only what a lock would believe is published, and the logs say who runs what."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client as Http
from django.urls import reverse

from protocol import firmware
from protocol.entries import EntryType
from protocol.keys import SigningKey
from server.audit.models import AuditEntry
from server.locks.domain.firmware import publish, sign_release, withdraw
from server.locks.models import FirmwareRelease, Lock
from server.passages.domain.intake import take_in
from server.passages.labels import describe
from server.passages.models import Passage
from server.problems import Problem
from server.tenancy.domain.keyring import current_manifest
from tests.server.issuer import Issuer, Phone, give_sign_in, unb64
from tests.server.pages import coordinator_of, installer_of
from tests.server.world import HOUR, NOW, make_staff

IMAGE = b"a program for locks" * 100
pytestmark = pytest.mark.once


@pytest.fixture(autouse=True)
def monday_morning(settings: Any) -> Any:
    settings.SECOND_FACTOR_REQUIRED = False
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def signed(issuer: Issuer, version: int = 2, *, security: int = 1, model: str = "linux-python-1") -> bytes:
    return sign_release(
        municipality=issuer.municipality, image=IMAGE, model=model, version=version, security=security, at=NOW
    )


def published(issuer: Issuer, *args: int, **how: Any) -> FirmwareRelease:
    return publish(municipality=issuer.municipality, file=signed(issuer, *args, **how), at=NOW)


def refusal(issuer: Issuer, file: bytes) -> str:
    with pytest.raises(Problem) as caught:
        publish(municipality=issuer.municipality, file=file, at=NOW)
    return caught.value.code


def test_a_lock_of_the_municipality_believes_what_is_published(issuer: Issuer) -> None:
    release = published(issuer)
    held = current_manifest(issuer.municipality)[0]
    header = firmware.verify(bytes(release.document), held)
    assert header.describes(bytes(release.image))
    assert (release.model, release.version, release.security) == ("linux-python-1", 2, 1)
    assert AuditEntry.objects.filter(action="firmware.published").count() == 1


def test_what_no_lock_would_believe_is_not_published(issuer: Issuer) -> None:
    stranger = SigningKey.from_seed(b"\0\5", b"s" * 32)
    header = firmware.describe(IMAGE, model=b"linux-python-1", version=2, security=1, signed_at=0)
    forged = firmware.encode_file(firmware.sign(header, stranger), IMAGE)
    good = signed(issuer)
    for file in (forged, good[:-1], good + b"\0", b"", b"\x80", good.replace(b"program", b"progrom")):
        assert refusal(issuer, file) == "firmware_invalid"
    assert not FirmwareRelease.objects.exists()


def test_versions_and_security_versions_only_go_up(issuer: Issuer) -> None:
    published(issuer, 5, security=3)
    assert refusal(issuer, signed(issuer, 5, security=3)) == "firmware_not_newer"
    assert refusal(issuer, signed(issuer, 4, security=3)) == "firmware_not_newer"
    assert refusal(issuer, signed(issuer, 6, security=2)) == "firmware_not_newer"
    published(issuer, 1, security=0, model="nrf54l15")


class TestInstaller:
    @pytest.fixture
    def installer(self, issuer: Issuer, client: Http) -> Phone:
        give_sign_in(make_staff(issuer.world.team, "Ivar Installatör"), "ivar", role="installer")
        phone = Phone(client)
        phone.sign_in("ivar")
        return phone

    def get(self, phone: Phone, path: str) -> Any:
        return phone.http.get(f"/api/v1/installer/{path}", headers={"X-Session-Token": phone.session})

    def test_fetches_the_newest_of_each_model_with_its_image(self, issuer: Issuer, installer: Phone) -> None:
        published(issuer, 2)
        newest, other = published(issuer, 3), published(issuer, 9, model="nrf54l15")
        listed = self.get(installer, "firmware").json()["releases"]
        assert [(one["model"], one["version"]) for one in listed] == [("linux-python-1", 3), ("nrf54l15", 9)]
        assert {one["id"] for one in listed} == {newest.pk, other.pk}
        header = firmware.parse(unb64(listed[0]["header"]))
        answer = self.get(installer, f"firmware/{newest.pk}")
        assert header.describes(unb64(answer.json()["image"]))

    def test_is_not_given_what_is_withdrawn(self, issuer: Issuer, installer: Phone) -> None:
        older, newer = published(issuer, 2), published(issuer, 3)
        withdraw(release=newer, at=NOW)
        listed = self.get(installer, "firmware").json()["releases"]
        assert [one["id"] for one in listed] == [older.pk]
        assert self.get(installer, f"firmware/{newer.pk}").json()["code"] == "firmware_unknown"

    def test_only_an_installer_fetches(self, issuer: Issuer, client: Http) -> None:
        give_sign_in(make_staff(issuer.world.team, "Sara Samordnare"), "sara")
        phone = Phone(client)
        phone.sign_in("sara")
        assert self.get(phone, "firmware").status_code == 403


def test_the_log_says_what_a_lock_runs(issuer: Issuer) -> None:
    device = issuer.apartment_lock
    lock = Lock.objects.get(pk=issuer.world.apartment_binding.lock_id)
    told = [((1, 2, 0), "2"), ((2, 3, 1), "2"), ((2, 4, 0), "4"), ((4, 2, 2), "2"), ((2, 5, 3), "2")]
    for detail, runs in told:
        device.add(EntryType.FIRMWARE, detail, at=int(NOW.timestamp()))
        take_in(documents=[device.sealed()], courier=issuer.world.phone, at=NOW + HOUR)
        lock.refresh_from_db()
        assert lock.firmware_version == runs
    passages = Passage.objects.filter(kind="firmware").order_by("seq")
    said = describe("firmware", passages[1].reason)
    assert said == "Ett nytt program för låset – det startade inte, det tidigare körs"


class TestPage:
    def browser(self, user: Any) -> Http:
        made = Http()
        made.force_login(user)
        return made

    def administrator(self, issuer: Issuer) -> Any:
        user = give_sign_in(make_staff(issuer.world.team, "Adam Administratör"), "adam", role="patrol")
        user.is_superuser = user.is_staff = True
        user.save()
        return user

    def test_an_administrator_hands_in_a_signed_file_and_withdraws_it(self, issuer: Issuer) -> None:
        browser = self.browser(self.administrator(issuer))
        page = reverse("admin:locks_firmwarerelease_add")
        assert browser.get(page).status_code == 200
        answer = browser.post(page, {"file": SimpleUploadedFile("a.release", signed(issuer))}, follow=True)
        release = FirmwareRelease.objects.get()
        assert answer.status_code == 200
        changelist = reverse("admin:locks_firmwarerelease_changelist")
        browser.post(changelist, {"action": "withdraw_chosen", "_selected_action": [release.pk]})
        release.refresh_from_db()
        assert release.withdrawn_at == NOW

    def test_a_file_that_is_not_signed_is_refused_in_words(self, issuer: Issuer) -> None:
        browser = self.browser(self.administrator(issuer))
        page = reverse("admin:locks_firmwarerelease_add")
        answer = browser.post(page, {"file": SimpleUploadedFile("a.release", b"something")})
        assert "har skrivit under" in answer.content.decode()

    def test_others_look_or_see_nothing(self, issuer: Issuer) -> None:
        release = published(issuer)
        page = reverse("admin:locks_firmwarerelease_change", args=[release.pk])
        shown = self.browser(installer_of(issuer.municipality)).get(page)
        assert shown.status_code == 200
        assert IMAGE.hex()[:40] not in shown.content.decode()
        assert self.browser(coordinator_of(issuer.world.provider)).get(page).status_code in (302, 403)


def test_the_command_signs_publishes_and_lists(issuer: Issuer, tmp_path: Path) -> None:
    image = tmp_path / "image.zip"
    image.write_bytes(IMAGE)
    slug, said = issuer.municipality.slug, StringIO()
    call_command(
        "firmware", slug, "sign", str(image), "--model", "linux-python-1", "--number", "2", stdout=said
    )
    call_command("firmware", slug, "publish", str(tmp_path / "image.release"), stdout=said)
    call_command("firmware", slug, "list", stdout=said)
    assert said.getvalue().endswith("linux-python-1 2: published, run by 0 locks\n")
    with pytest.raises(CommandError, match="newer is there already"):
        call_command("firmware", slug, "publish", str(tmp_path / "image.release"))

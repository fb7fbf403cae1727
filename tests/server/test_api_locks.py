"""The installer's calls, fresh time and handing in logs, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from django.test import Client as Http

from protocol import commission, freshtime
from server.access.domain.issue import issue_ahead
from server.locks.models import Binding, Lock
from server.passages.domain.intake import MAX_REFUSED_A_DAY
from server.passages.models import Passage, SealedBatch
from server.people.models import PhoneContact
from server.places.models import Door
from tests.server.device import Device
from tests.server.issuer import Issuer, Phone, b64, give_sign_in, unb64
from tests.server.world import HOUR, NOW, make_client, make_door, make_staff


@pytest.fixture(autouse=True)
def monday_morning() -> Any:
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def installer(issuer: Issuer, client: Http) -> Phone:
    give_sign_in(make_staff(issuer.world.team, "Ivar Installatör"), "ivar", role="installer")
    phone = Phone(client)
    phone.sign_in("ivar")
    return phone


@pytest.fixture
def door(issuer: Issuer) -> Door:
    """An apartment with a client who consented, and no lock yet."""
    made = make_door(issuer.world.property, Door.Kind.APARTMENT, number="1201")
    make_client(made, issuer.world.team, "4712")
    return made


def ask(installer: Phone, door: Door, device: Device, **changes: Any) -> Any:
    identity = b64(device.identity_document())
    return installer.post("installer/commission", {"door_id": door.pk, "lock_identity": identity, **changes})


def refusal(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


class TestCommissioning:
    def test_a_lock_gets_a_door_and_keys_follow_once_it_confirmed(
        self, issuer: Issuer, installer: Phone, door: Door
    ) -> None:
        device = Device()
        answer = ask(installer, door, device, lock_name="Lås 77")
        assert answer.status_code == 200, answer.content
        device.take(unb64(answer.json()["commission"]), at=int(NOW.timestamp()))
        assert device.binding == unb64(answer.json()["binding"])
        assert issue_ahead(municipality=issuer.municipality, at=NOW).signed == 2
        confirmed = installer.post(
            "installer/commissioned", {"lock": b64(device.lock_id), "binding": b64(device.binding)}
        )
        assert confirmed.json() == {"door_id": door.pk, "lock_name": "Lås 77"}
        assert issue_ahead(municipality=issuer.municipality, at=NOW).signed == 1

    def test_asking_again_after_a_lost_answer_gives_the_same_package(
        self, installer: Phone, door: Door
    ) -> None:
        device = Device()
        assert ask(installer, door, device).json() == ask(installer, door, device).json()

    def test_missing_consent_blocks_and_says_whose(self, issuer: Issuer, installer: Phone) -> None:
        bare = make_door(issuer.world.property, Door.Kind.APARTMENT, number="1301")
        client, _assignment, consent = make_client(bare, issuer.world.team, "4713")
        consent.delete()
        answer = ask(installer, bare, Device())
        assert refusal(answer) == (409, "consent_missing")
        assert answer.json()["details"] == {"missing": [{"signatory": "resident", "who": client.alarm_code}]}
        issuer.world.owner_consent.withdrawn_at = NOW
        issuer.world.owner_consent.save()
        gate = make_door(issuer.world.property, Door.Kind.GATE, entrance="B")
        answer = ask(installer, gate, Device())
        assert answer.json()["details"]["missing"] == [{"signatory": "owner", "who": "Bostads AB Eken"}]
        assert Lock.objects.count() == 2

    def test_a_moved_lock_ends_its_old_binding_and_takes_its_keys_back(
        self, issuer: Issuer, installer: Phone, door: Door, monday_morning: Any
    ) -> None:
        issue_ahead(municipality=issuer.municipality, at=NOW)
        old = issuer.world.apartment_binding
        monday_morning.shift(HOUR)
        answer = ask(installer, door, issuer.apartment_lock)
        assert answer.status_code == 200
        old.refresh_from_db()
        assert old.ends_at == NOW + HOUR
        assert unb64(answer.json()["binding"]) != bytes(old.binding_id)
        assert old.tokens.filter(replaced_at=None).count() == 0
        package = commission.verify(unb64(answer.json()["commission"]))
        assert package.bulletin.seq == 1

    def test_an_occupied_door_is_refused(self, issuer: Issuer, installer: Phone) -> None:
        assert refusal(ask(installer, issuer.world.gate, Device())) == (409, "door_has_lock")

    def test_a_forged_identity_is_refused(self, installer: Phone, door: Door) -> None:
        document = bytearray(Device().identity_document())
        document[-1] ^= 1
        answer = installer.post(
            "installer/commission", {"door_id": door.pk, "lock_identity": b64(bytes(document))}
        )
        assert refusal(answer) == (400, "identity_invalid")

    def test_a_neighbours_door_and_lock_are_out_of_reach(
        self, issuer: Issuer, other_issuer: Issuer, installer: Phone, door: Door
    ) -> None:
        assert refusal(ask(installer, other_issuer.world.gate, Device())) == (404, "door_unknown")
        assert refusal(ask(installer, door, other_issuer.gate_lock)) == (409, "lock_foreign")
        foreign = other_issuer.gate_lock
        answer = installer.post(
            "installer/commissioned", {"lock": b64(foreign.lock_id), "binding": b64(foreign.binding)}
        )
        assert refusal(answer) == (404, "binding_unknown")

    def test_only_installers_may(self, issuer: Issuer, phone: Phone, door: Door) -> None:
        phone.sign_in()
        assert refusal(ask(phone, door, Device())) == (403, "not_permitted")
        phone.session = ""
        assert refusal(ask(phone, door, Device())) == (401, "session_missing")
        assert Binding.objects.count() == 2


class TestFreshTime:
    def test_server_time_is_signed_over_the_session(self, issuer: Issuer, phone: Phone) -> None:
        issue_ahead(municipality=issuer.municipality, at=NOW)
        binding = issuer.gate_lock.binding
        answer = phone.post("fresh-time", {"binding": b64(binding), "m0_hash": b64(b"m" * 32)})
        stated = freshtime.verify(unb64(answer.json()["statement"]), issuer.manifest)
        assert (stated.binding, stated.m0_hash) == (binding, b"m" * 32)
        assert stated.time == int(NOW.timestamp())

    def test_only_where_the_phone_holds_a_right(self, issuer: Issuer, phone: Phone) -> None:
        asked = {"binding": b64(issuer.gate_lock.binding), "m0_hash": b64(b"m" * 32)}
        assert refusal(phone.post("fresh-time", asked)) == (404, "binding_unknown")


class TestLogs:
    def test_a_signed_out_phone_hands_in(self, issuer: Issuer, phone: Phone) -> None:
        answer = phone.hand_in(issuer.gate_lock.sealed(), b"junk")
        assert answer.json() == {
            "results": [
                {"status": "stored", "code": "", "new_passages": 1},
                {"status": "rejected", "code": "malformed", "new_passages": 0},
            ]
        }
        assert Passage.objects.get().kind == "bound"
        assert PhoneContact.objects.get(phone=issuer.world.phone).last_logs_at == NOW

    def test_a_revoked_phone_hands_in_but_does_nothing_else(self, issuer: Issuer, phone: Phone) -> None:
        issuer.world.phone.revoked_at = NOW
        issuer.world.phone.save()
        assert phone.hand_in(issuer.gate_lock.sealed()).json()["results"][0]["status"] == "stored"
        asked = {"binding": b64(issuer.gate_lock.binding), "m0_hash": b64(b"m" * 32)}
        assert refusal(phone.post("fresh-time", asked)) == (403, "phone_revoked")

    def test_a_phone_full_of_noise_leaves_few_rows_and_its_true_logs_still_count(
        self, issuer: Issuer, phone: Phone
    ) -> None:
        for call in range(5):
            noise = [bytes([call, number]) * 20 for number in range(64)]
            results = phone.hand_in(*noise).json()["results"]
            assert {one["status"] for one in results} == {"rejected"}
        assert SealedBatch.objects.count() == MAX_REFUSED_A_DAY
        assert phone.hand_in(issuer.gate_lock.sealed()).json()["results"][0]["status"] == "stored"

    def test_a_stranger_does_not(self, issuer: Issuer, client: Http) -> None:
        assert refusal(Phone(client, "fel").hand_in(b"x")) == (401, "device_unknown")

    def test_input_is_bounded(self, phone: Phone) -> None:
        assert refusal(phone.hand_in(*[b"x"] * 65)) == (400, "invalid")
        assert refusal(phone.hand_in(b"x" * 5121)) == (400, "invalid")
        assert refusal(phone.post("logs", {"batches": ["A" * 600_000]})) == (413, "too_large")

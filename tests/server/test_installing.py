"""An installer's phone between the real server and a real lock: set up, try, move, take down, retire."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client as Http

from protocol import lockrecord, token
from protocol.installing import CommissionOffer, CommissionResult, RetireOffer
from protocol.keys import HolderKey, KeyType, x25519_public
from protocol.messages import BulletinOffer, Carry, Command, LogBatch, OutcomeCode, PhoneMessage
from protocol.phonekeys import P256Key
from protocol.reasons import Reason
from protocol.token import Scope
from server.audit.models import AuditEntry
from server.locks.domain.leaving import expire_commissionings
from server.locks.domain.news import build_news
from server.locks.domain.orders import make_order
from server.locks.domain.service import give_service
from server.locks.domain.upkeep import keep_up
from server.locks.models import Binding, Bulletin, Lock, ServiceRight
from server.passages.models import Deviation, Passage
from server.people.models import User
from server.places.models import Door, DoorPath
from server.privacy.domain.register import CLASSES
from server.tenancy.domain.keyring import current_manifest
from tests.lockagent.bench import Attempt, commissioned
from tests.lockagent.bench import Phone as LockPhone
from tests.lockagent.installer import Setup, blank, gesture, set_up
from tests.lockagent.world import Right
from tests.server.issuer import PASSWORD, Issuer, Phone, b64, give_sign_in, unb64
from tests.server.world import HOUR, NOW, make_client, make_door, make_staff

pytestmark = pytest.mark.once


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(NOW, tick=False) as moved:
        yield moved


@pytest.fixture
def door(issuer: Issuer) -> Door:
    return make_apartment(issuer, "1201")


def make_apartment(issuer: Issuer, number: str) -> Door:
    made = make_door(issuer.world.property, Door.Kind.APARTMENT, number=number, floor="2")
    DoorPath.objects.create(municipality=issuer.municipality, apartment=made, via=issuer.world.gate)
    make_client(made, issuer.world.team, number)
    return made


class Day:
    """One installer, one lock on the bench, one phone that holds its key in memory."""

    def __init__(self, http: Phone) -> None:
        self.http = http
        self.lock = blank()
        self.lock.wall = NOW.timestamp()
        self.lock.rtc_offset = 0.0
        self.lock.boot()
        self.phone = LockPhone("ivar")
        self.lock_id = self.lock.place.lock.lock_id

    def named(self, **more: Any) -> dict[str, Any]:
        return {"lock": b64(self.lock_id), **more}

    def post(self, verb: str, **body: Any) -> dict[str, Any]:
        answer = self.http.post(f"installer/{verb}", body)
        assert answer.status_code == 200, answer.content
        found: dict[str, Any] = answer.json()
        return found

    def mount(self, door: Door) -> Setup:
        """Set a blank lock up by radio, as far as the lock's yes."""
        setup = set_up(self.lock)
        answer = self.post("commission", door_id=door.pk, lock_identity=b64(setup.session.document))
        assert setup.commission(unb64(answer["commission"])) is Reason.GRANTED
        self.confirm(unb64(answer["binding"]))
        return setup

    def confirm(self, binding: bytes) -> None:
        self.post("commissioned", **self.named(binding=b64(binding)))
        self.lock.place.binding = binding

    def right(self, **more: Any) -> dict[str, Any]:
        public = b64(x25519_public(self.phone.private))
        said = self.post("service", **self.named(key_type=1, public_key=public, **more))
        record = lockrecord.verify(unb64(said["lock_record"]), self.manifest)
        self.lock.place.binding, self.lock.place.adv_key = record.binding, record.adv_keys[0]
        return said

    @property
    def manifest(self) -> Any:
        return current_manifest(Lock.objects.get(lock_id=self.lock_id).municipality)[0]

    def attempt(self, said: dict[str, Any], command: Command) -> Attempt:
        encoded = unb64(said["token"])
        held = Right(token.parse(encoded).claims, encoded)
        made = self.phone.attempt(self.lock, held, command, news=unb64(said["bulletin"])).run(2.0)
        if command is not Command.SERVICE and made.batches:
            self.post(
                "logs",
                **self.named(
                    batches=[b64(one) for one in made.batches], binding=b64(self.lock.place.binding)
                ),
            )
        return made

    def serve(self, said: dict[str, Any] | None = None) -> Service:
        return Service(self, self.attempt(said or self.right(), Command.SERVICE))


class Service:
    """A service session that carries the lock's log to the server."""

    def __init__(self, day: Day, attempt: Attempt) -> None:
        assert (attempt.reason, attempt.code) == (Reason.GRANTED, OutcomeCode.NOTHING_TO_MOVE)
        self.day, self.attempt = day, attempt

    def ask(self, message: PhoneMessage) -> list[object]:
        before = len(self.attempt.said)
        for frame in self.attempt.session.serve(message):
            self.day.lock.write(self.attempt.link, frame)
        self.attempt.run()
        return self.attempt.said[before:]

    def hand_in(self, batches: list[bytes]) -> None:
        said = self.day.post(
            "logs",
            **self.day.named(batches=[b64(one) for one in batches], binding=b64(self.day.lock.place.binding)),
        )
        assert set(said["statuses"]) <= {"stored", "known"}
        if self.day.lock.core.binding is not None:
            self.ask(BulletinOffer(unb64(said["bulletin"])))

    def log_home(self) -> None:
        self.hand_in(self.attempt.batches)

    def result(self, message: PhoneMessage) -> Reason:
        (said,) = self.ask(message)
        assert isinstance(said, CommissionResult)
        return Reason(said.reason)

    def rest_of_the_log(self) -> None:
        self.hand_in([one.sealed for one in self.ask(Carry(4096)) if isinstance(one, LogBatch)])


@pytest.fixture
def day(installer: Phone) -> Day:
    return Day(installer)


def test_a_lock_is_set_up_tried_moved_and_retired_by_radio(day: Day, issuer: Issuer, door: Door) -> None:
    day.mount(door)
    right = day.right()
    assert right["may_open"] is True
    tried = day.attempt(right, Command.OPEN)
    assert (tried.reason, tried.code) == (Reason.GRANTED, OutcomeCode.MOVED)
    assert day.attempt(right, Command.LOCK).code is OutcomeCode.MOVED

    other = make_apartment(issuer, "1302")
    service = day.serve()
    package = day.post("move", **day.named(door_id=other.pk))
    assert service.result(CommissionOffer(unb64(package["commission"]))) is Reason.GRANTED
    day.confirm(unb64(package["binding"]))
    assert day.attempt(right, Command.OPEN).error is not None  # the old door's advert key is dead

    service = day.serve()
    service.log_home()
    order = unb64(day.post("retire", **day.named())["order"])
    assert service.result(RetireOffer(order)) is Reason.GRANTED
    service.rest_of_the_log()
    assert day.lock.core.binding is None
    assert Passage.objects.filter(kind="bound").count() == 2
    last = Passage.objects.order_by("-seq").first()
    assert (last.kind, last.detail) == ("unbound", {"binding": package_hex(package)})
    assert Passage.objects.filter(detail__command="service").count() == 2
    assert Deviation.objects.count() == 0


def package_hex(answer: dict[str, Any]) -> str:
    return unb64(answer["binding"]).hex()


def test_what_is_given_is_in_the_audit_trail_and_not_kept(day: Day, ivar: User, door: Door) -> None:
    day.mount(door)
    day.right()
    right = ServiceRight.objects.get()
    assert right.installer == ivar
    assert right.expires - right.issued_at == timedelta(hours=1)
    holder = HolderKey(KeyType.X25519, x25519_public(day.phone.private))
    assert bytes(right.fingerprint) == holder.fingerprint
    assert AuditEntry.objects.get(action="lock.service_given").acting_as == "installer"
    lock = Lock.objects.get(lock_id=day.lock_id)
    given = give_service(lock=lock, holder=holder, installer=ivar, at=NOW)
    assert repr(given.token)[2:-1] not in repr(given)
    assert repr(given.lock_record)[2:-1] not in repr(given), "it names the door's advert key"


def test_a_right_that_was_given_is_told_to_its_person_and_forgotten_after_half_a_year(
    day: Day, ivar: User, issuer: Issuer, door: Door
) -> None:
    day.mount(door)
    day.right()
    keys = next(one for one in CLASSES if one.slug == "keys")
    assert [one for one in keys.export(ivar.staff_member) if "served" in one]
    keep_up(issuer.municipality, at=NOW + timedelta(days=179))
    assert ServiceRight.objects.count() == 1
    keep_up(issuer.municipality, at=NOW + timedelta(days=181))
    assert ServiceRight.objects.count() == 0


def test_rule_04_whoever_is_shut_out_has_no_service_right_at_the_next_contact(
    day: Day, ivar: User, issuer: Issuer, door: Door
) -> None:
    day.mount(door)
    right = day.right()
    assert day.attempt(right, Command.OPEN).reason is Reason.GRANTED
    build_news(issuer.municipality, at=NOW)
    ivar.is_active = False
    ivar.save()
    assert build_news(issuer.municipality, at=NOW) == 1, "within half a minute"
    assert build_news(issuer.municipality, at=NOW) == 0
    newest = Bulletin.objects.filter(binding__door=door).latest("seq")
    day.serve(right | {"bulletin": b64(bytes(newest.document))})
    assert day.attempt(right, Command.OPEN).reason is Reason.REVOKED


class TestOpening:
    """To open for a test belongs to work at the door, and to nothing else."""

    def test_rule_01_without_work_at_the_door_a_service_right_opens_nothing(
        self, day: Day, door: Door, clock: Any
    ) -> None:
        day.mount(door)
        pass_time(day, clock, 3 * HOUR)
        right = sign_in_again(day).right()
        assert right["may_open"] is False
        assert token.parse(unb64(right["token"])).claims.scope == Scope.SERVICE
        assert day.attempt(right, Command.OPEN).reason is Reason.NOT_PERMITTED
        assert day.attempt(right, Command.SERVICE).reason is Reason.GRANTED

    def test_an_order_for_today_is_work_and_somebody_elses_is_not(
        self, day: Day, door: Door, ivar: User, issuer: Issuer, clock: Any
    ) -> None:
        day.mount(door)
        pass_time(day, clock, 3 * HOUR)
        sign_in_again(day)
        ines = give_sign_in(make_staff(issuer.world.team, "Ines Installatör"), "ines", role="installer")
        made = make_order(kind="repair", door=door, at=NOW, planned_for=NOW.date(), installer=ines)
        assert day.right()["may_open"] is False
        made.installer = ivar
        made.save()
        assert day.right()["may_open"] is True

    def test_without_consent_nobody_opens_for_a_test(self, day: Day, door: Door, issuer: Issuer) -> None:
        day.mount(door)
        make_client(door, issuer.world.team, "4799")[2].delete()
        assert day.right()["may_open"] is False


class TestWhoMay:
    """A stolen phone, a stolen lock, a photographed label: none becomes a trusted one."""

    def test_a_password_alone_gives_no_package_and_no_right(
        self, day: Day, door: Door, ivar: User, client: Http
    ) -> None:
        setup = set_up(day.lock)
        half = Phone(client)
        login = {"username": "ivar", "password": PASSWORD}
        first = half._auth("/_allauth/app/v1/auth/login", login, "")
        half.session = first.json()["meta"]["session_token"]
        for verb, body in {
            "commission": {"door_id": door.pk, "lock_identity": b64(setup.session.document)},
            "service": day.named(key_type=1, public_key=b64(bytes(32))),
            "retire": day.named(),
        }.items():
            answer = half.post(f"installer/{verb}", body)
            assert (answer.status_code, answer.json()["code"]) == (401, "session_missing"), verb

    def test_nobody_but_an_installer(self, day: Day, door: Door, issuer: Issuer, phone: Phone) -> None:
        day.mount(door)
        phone.sign_in()
        answer = phone.post("installer/service", day.named(key_type=1, public_key=b64(bytes(32))))
        assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted")

    def test_a_stolen_installers_phone_has_a_right_for_an_hour_at_one_lock(
        self, day: Day, door: Door, clock: Any
    ) -> None:
        day.mount(door)
        right = day.right()
        pass_time(day, clock, 2 * HOUR)
        assert day.attempt(right, Command.SERVICE).reason is Reason.EXPIRED
        day.http.session = ""
        answer = day.http.post("installer/service", day.named(key_type=1, public_key=b64(bytes(32))))
        assert answer.status_code == 401

    def test_the_right_is_for_the_key_it_was_made_for(self, day: Day, door: Door) -> None:
        day.mount(door)
        right = day.right()
        day.phone = LockPhone("thief")
        assert day.attempt(right, Command.SERVICE).reason is Reason.TOKEN_INVALID

    def test_an_installation_that_expired_gives_the_lock_nothing(
        self, day: Day, door: Door, issuer: Issuer, clock: Any
    ) -> None:
        """Its package is never confirmed: the server takes it back, and issues nothing for that binding."""
        setup = set_up(day.lock)
        answer = day.post("commission", door_id=door.pk, lock_identity=b64(setup.session.document))
        clock.move_to(NOW + timedelta(days=4))
        assert expire_commissionings(issuer.municipality, at=NOW + timedelta(days=4)) == 1
        assert setup.commission(unb64(answer["commission"])) is Reason.GRANTED
        sign_in_again(day)
        late = day.http.post("installer/commissioned", day.named(binding=answer["binding"]))
        assert (late.status_code, late.json()["code"]) == (409, "binding_ended")
        body = day.named(key_type=1, public_key=b64(bytes(32)))
        assert day.http.post("installer/service", body).json()["code"] == "lock_not_mounted"

    def test_a_retired_lock_is_never_commissioned_again(self, day: Day, door: Door) -> None:
        setup = day.mount(door)
        order = day.post("retire", **day.named())["order"]
        assert order is not None
        again = day.http.post(
            "installer/commission", {"door_id": door.pk, "lock_identity": b64(setup.session.document)}
        )
        assert (again.status_code, again.json()["code"]) == (409, "lock_retired")

    def test_another_municipalitys_lock_is_out_of_reach(
        self, day: Day, door: Door, other_issuer: Issuer
    ) -> None:
        theirs = other_issuer.gate_lock.lock_id
        body = {"lock": b64(theirs), "key_type": 1, "public_key": b64(bytes(32))}
        for verb, more in {"service": {}, "logs": {"batches": []}}.items():
            answer = day.http.post(f"installer/{verb}", body | more)
            assert (answer.status_code, answer.json()["code"]) == (404, "lock_unknown")

    def test_a_lock_bound_by_a_thief_is_refused_by_itself(self, day: Day, door: Door) -> None:
        """Our package comes too late: the lock follows its thief's roots, and the installer sees it."""
        thief = commissioned()
        thief.wall = NOW.timestamp()
        assert not Setup(thief).session.serving
        gesture(thief)
        assert not Setup(thief).session.serving


class TestLate:
    def test_a_lock_that_was_taken_down_unheard_is_still_told(self, day: Day, door: Door) -> None:
        """Out of reach when the server ended its binding; the installer comes back with the order."""
        day.mount(door)
        binding = Binding.objects.get(lock__lock_id=day.lock_id)
        day.post("remove", **day.named())
        again = day.right(binding=b64(bytes(binding.binding_id)))
        assert again["may_open"] is False
        service = day.serve(again)
        service.log_home()
        order = unb64(day.post("retire", **day.named())["order"])
        assert service.result(RetireOffer(order)) is Reason.GRANTED

    def test_a_binding_that_is_not_the_locks_is_unknown(self, day: Day, door: Door) -> None:
        day.mount(door)
        body = day.named(key_type=1, public_key=b64(bytes(32)), binding=b64(b"binding9"))
        assert day.http.post("installer/service", body).json()["code"] == "binding_unknown"

    def test_a_key_that_is_none(self, day: Day, door: Door) -> None:
        day.mount(door)
        for key_type, key in [(1, bytes(31)), (9, bytes(32))]:
            body = day.named(key_type=key_type, public_key=b64(key))
            assert day.http.post("installer/service", body).json()["code"] == "key_invalid"

    def test_a_key_in_hardware_at_a_lock_that_knows_none(self, day: Day, door: Door) -> None:
        day.mount(door)
        hardware = {"key_type": 2, "public_key": b64(P256Key(b"k" * 32).holder.public)}
        assert day.http.post("installer/service", day.named(**hardware)).status_code == 200
        Lock.objects.filter(lock_id=day.lock_id).update(suites=1)
        assert day.http.post("installer/service", day.named(**hardware)).json()["code"] == "key_invalid"


def pass_time(day: Day, clock: Any, span: timedelta) -> None:
    clock.shift(span)
    day.lock.advance(span.total_seconds())


def sign_in_again(day: Day) -> Day:
    day.http.sign_in("ivar")
    return day

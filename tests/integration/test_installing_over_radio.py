"""An installer's day, each part the real one: the app's engine, the radio, a lock, the server."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from django.utils import timezone

from lockagent.agent import Agent, Parts
from lockagent.bolt import Bolt, Order
from lockagent.core.clock import RtcReading
from lockagent.core.events import Gesture
from lockagent.core.identity import LockSecrets
from lockagent.core.memory import BLANK
from lockagent.firmware.builtin import MODEL, SECURITY
from lockagent.firmware.record import Slot
from lockagent.firmware.store import FirmwareStore
from lockagent.lockfolder import store_over
from lockagent.motor.simulated import SimulatedMotor
from lockagent.peripheral.bumble_radio import BumbleRadio
from mobile.engine.errors import EngineError
from mobile.engine.workorders import WorkDone, WorkKind, WorkOrder, WorkStep
from protocol import manifest
from protocol.label import Label, of_lock
from protocol.manifest import RootSet
from server.locks.domain.firmware import publish, sign_release
from server.locks.domain.orders import make_order
from server.locks.models import Binding, Lock
from server.locks.models import WorkOrder as Row
from server.passages.models import Deviation, Passage
from server.people.models import StaffMember
from server.places.models import Door, DoorPath
from server.tenancy.models import Manifest
from simulation.backend import PhoneRadio
from simulation.radio import Ether
from tests.integration.doorway import Coverage
from tests.integration.serverworld import PhoneAtServer
from tests.lockagent.crashdisk import CrashDisk
from tests.server.issuer import Issuer, give_sign_in
from tests.server.world import make_client, make_door, make_staff

pytestmark = pytest.mark.once


@dataclass
class BlankLock:
    """A lock out of its box."""

    agent: Agent
    motor: SimulatedMotor
    label: Label

    def hold_the_button(self) -> None:
        self.agent.feed(Gesture())


async def blank_lock(ether: Ether) -> BlankLock:
    secrets = LockSecrets(os.urandom(32), os.urandom(32), os.urandom(32))
    store, motor = store_over(CrashDisk(), secrets), SimulatedMotor(bolt=Bolt.LOCKED, travel_seconds=0.2)
    images = FirmwareStore(CrashDisk(), Slot.BUILT_IN)
    store.create(BLANK.encode())
    controller = ether.controller("lock", position=(1.0, 0.0))
    agent = Agent(
        Parts(store, secrets, motor, RtcReading(int(time.time())), os.urandom, images),
        radio=BumbleRadio(controller, controller, os.urandom),
    )
    await agent.start()
    return BlankLock(agent, motor, of_lock(secrets.identity.lock_id, secrets.seal_private))


@pytest.fixture
def ivar(issuer: Issuer) -> StaffMember:
    staff = make_staff(issuer.world.team, "Ivar Installatör")
    give_sign_in(staff, "ivar", role="installer")
    return staff


@pytest.fixture
def phone(  # noqa: PLR0917 - fixtures come by name
    issuer: Issuer,
    ivar: StaffMember,
    live_server: object,
    runner: asyncio.Runner,
    tmp_path: Path,
    ether: Ether,
    coverage: Coverage,
) -> Iterator[PhoneAtServer]:
    radio = PhoneRadio(ether, "ivar", mtu=247)
    made = PhoneAtServer(
        runner,
        str(live_server),
        tmp_path,
        transport=coverage,
        scanner_backend=radio.scanner_backend,
        client_backend=radio.client_backend,
    )
    made.enrol(ivar)
    made.sign_in("ivar")
    yield made
    made.do(made.engine.stop())


@pytest.fixture
def lock(phone: PhoneAtServer, ether: Ether) -> Iterator[BlankLock]:
    made = phone.do(blank_lock(ether))
    yield made
    phone.do(made.agent.stop())


def apartment(issuer: Issuer, number: str) -> Door:
    made = make_door(issuer.world.property, Door.Kind.APARTMENT, number=number, floor="2")
    DoorPath.objects.create(municipality=issuer.municipality, apartment=made, via=issuer.world.gate)
    make_client(made, issuer.world.team, number)
    return made


def order(phone: PhoneAtServer, ivar: StaffMember, kind: str, door: Door) -> WorkOrder:
    """Plan it for today, and read it on the phone."""
    now = timezone.now()
    row = make_order(kind=kind, door=door, at=now, planned_for=timezone.localdate(), installer=ivar.user)
    return next(one for one in phone.do(phone.engine.work_orders()) if one.order_id == row.pk)


def publish_program(issuer: Issuer, version: int) -> None:
    """A release of the municipality's for this kind of lock."""
    now, where = timezone.now(), issuer.municipality
    signed = sign_release(
        municipality=where,
        image=b"program" * 2000,
        model=MODEL.decode(),
        version=version,
        security=SECURITY,
        at=now,
    )
    publish(municipality=where, file=signed, at=now)


def carry_out(phone: PhoneAtServer, lock: BlankLock, work: WorkOrder) -> tuple[WorkDone, list[WorkStep]]:
    steps: list[WorkStep] = []
    return phone.do(phone.engine.carry_out(work, lock.label.text.lower(), steps.append)), steps


def test_a_lock_is_mounted_moved_and_taken_down_from_the_app(
    phone: PhoneAtServer, issuer: Issuer, ivar: StaffMember, lock: BlankLock
) -> None:
    first, second = apartment(issuer, "1201"), apartment(issuer, "1302")
    lock.hold_the_button()
    done, steps = carry_out(phone, lock, order(phone, ivar, "mount", first))
    assert done.tried
    assert steps[:5] == [
        WorkStep.SEARCHING,
        WorkStep.CONNECTING,
        WorkStep.ASKING,
        WorkStep.HANDING_OVER,
        WorkStep.CONFIRMING,
    ]
    assert lock.motor.runs == [Order.UNLOCK, Order.LOCK]
    assert Binding.objects.get(ends_at=None, door=first).commissioned_at is not None
    assert Row.objects.get(kind="mount").done_at is not None

    done, _ = carry_out(phone, lock, order(phone, ivar, "move", second))
    assert done.tried
    assert Binding.objects.get(ends_at=None, lock__lock_id=lock.label.lock_id).door == second
    assert lock.motor.runs == [Order.UNLOCK, Order.LOCK] * 2

    for kind in ("retire", "battery"):
        with pytest.raises(EngineError) as refused:
            carry_out(phone, lock, order(phone, ivar, kind, issuer.world.apartment))
        assert refused.value.code == "wrong_lock", "the order is for the lock of another door"
    assert not Row.objects.filter(door=issuer.world.apartment).exclude(done_at=None).exists()
    assert Lock.objects.get(lock_id=lock.label.lock_id).state == Lock.State.MOUNTED

    done, _ = carry_out(phone, lock, order(phone, ivar, "retire", second))
    assert not done.tried
    assert lock.agent.core.binding is None
    lock_row = Lock.objects.get(lock_id=lock.label.lock_id)
    assert lock_row.state == Lock.State.RETIRED
    kinds = list(Passage.objects.filter(lock=lock_row).order_by("seq").values_list("kind", flat=True))
    assert kinds[-1] == "unbound"
    assert kinds.count("bound") == 2
    assert not Deviation.objects.exists()


def test_without_the_button_the_lock_is_not_there_and_the_person_is_told_to_hold_it(
    phone: PhoneAtServer, issuer: Issuer, ivar: StaffMember, lock: BlankLock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mobile.engine.locktalk.FIND_SECONDS", 0.5)
    with pytest.raises(EngineError) as refused:
        carry_out(phone, lock, order(phone, ivar, "mount", apartment(issuer, "1201")))
    assert refused.value.code == "lock_not_in_setup"
    assert not Binding.objects.filter(lock__lock_id=lock.label.lock_id).exists()


def test_a_server_that_was_taken_over_gives_no_blank_lock_roots_of_its_own(
    phone: PhoneAtServer, issuer: Issuer, ivar: StaffMember, lock: BlankLock
) -> None:
    """The phone knows the municipality's roots since it was enrolled; a blank lock knows none."""
    work = order(phone, ivar, "mount", apartment(issuer, "1201"))
    thieves = [manifest.root_signing_key(os.urandom(32)) for _ in range(3)]
    roots = RootSet(tuple(sorted(one.public for one in thieves)), 2)
    Manifest.objects.update(document=manifest.sign(replace(issuer.manifest, roots=roots), thieves[:2]))
    issuer.municipality.root_public_keys = [key.hex() for key in roots.keys]
    issuer.municipality.save()
    lock.hold_the_button()
    with pytest.raises(EngineError) as refused:
        carry_out(phone, lock, work)
    assert refused.value.code == "server_not_trusted"
    assert lock.agent.core.binding is None


def test_a_mistyped_label_is_said_at_once(phone: PhoneAtServer, issuer: Issuer, ivar: StaffMember) -> None:
    work = order(phone, ivar, "mount", apartment(issuer, "1201"))
    with pytest.raises(EngineError) as refused:
        phone.do(phone.engine.carry_out(work, "0000-0000", lambda _step: None))
    assert refused.value.code == "label_misread"


def test_coverage_lost_half_way_and_the_same_order_again(  # noqa: PLR0917 - fixtures come by name
    phone: PhoneAtServer,
    issuer: Issuer,
    ivar: StaffMember,
    lock: BlankLock,
    coverage: Coverage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The lock took its package in; the server has not heard: doing it again settles it."""
    monkeypatch.setattr("mobile.engine.locktalk.FIND_SECONDS", 1.0)
    first, second = apartment(issuer, "1201"), apartment(issuer, "1302")
    work = order(phone, ivar, "mount", first)
    lock.hold_the_button()

    def cut(step: WorkStep) -> None:
        coverage.there = step is not WorkStep.CONFIRMING

    with pytest.raises(EngineError) as away:
        phone.do(phone.engine.carry_out(work, lock.label.text, cut))
    assert away.value.code == "server_unreachable"
    assert lock.agent.core.binding is not None
    coverage.there = True
    done, _ = carry_out(phone, lock, work)
    assert done.tried
    assert Binding.objects.get(lock__lock_id=lock.label.lock_id).commissioned_at is not None

    # The same with a move: the server knows of it, the lock does not yet; then the other way round.
    move = order(phone, ivar, "move", second)
    for last in (WorkStep.HANDING_OVER, WorkStep.CONFIRMING):
        cut_at(phone, lock, move, last)
    done, _ = carry_out(phone, lock, move)
    assert done.tried
    assert Binding.objects.get(ends_at=None, lock__lock_id=lock.label.lock_id).door == second


def cut_at(phone: PhoneAtServer, lock: BlankLock, work: WorkOrder, last: WorkStep) -> None:
    """The app dies, or the person walks away, at this step."""

    def cut(step: WorkStep) -> None:
        if step is last:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        phone.do(phone.engine.carry_out(work, lock.label.text, cut))


def test_batteries_changed_and_the_bolt_tried(
    phone: PhoneAtServer, issuer: Issuer, ivar: StaffMember, lock: BlankLock
) -> None:
    door = apartment(issuer, "1201")
    lock.hold_the_button()
    carry_out(phone, lock, order(phone, ivar, "mount", door))
    publish_program(issuer, 7)
    done, steps = carry_out(phone, lock, order(phone, ivar, "battery", door))
    assert done == WorkDone(tried=True, program=7)
    assert steps[-1] is WorkStep.PROGRAM
    assert lock.agent.restart.is_set(), "the phone has left, and the program waits"
    assert Row.objects.get(kind="battery").done_at is not None
    assert Row.objects.filter(kind=WorkKind.BATTERY.value, done_at=None).count() == 0


def test_staff_who_are_no_installers_have_no_orders(
    phone: PhoneAtServer, issuer: Issuer, ivar: StaffMember
) -> None:
    ivar.user.role = ""
    ivar.user.save()
    with pytest.raises(EngineError) as refused:
        phone.do(phone.engine.work_orders())
    assert refused.value.code == "not_permitted"

"""An alarm from call to open door, each part the real one: server, websocket, phone, radio, lock, home."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.test import Client as Browser
from django.utils import timezone

from mobile.engine.state import AlarmAnswer, AlarmStage, LoginState, OpeningState
from server.access.domain.revoke import revoke_phone
from server.access.models import Token
from server.alarms import tasks
from server.alarms.domain.systems import connect
from server.alarms.models import Alarm, AlarmOffer
from server.people.models import Bearer, User
from simulation.backend import PhoneRadio
from simulation.radio import Ether
from tests.integration.asgiserver import AsgiServer
from tests.integration.doorway import Coverage, on_the_air
from tests.integration.serverworld import PhoneAtServer
from tests.server.alarmworld import respond
from tests.server.issuer import Issuer


@pytest.fixture
def server(issuer: Issuer) -> Iterator[AsgiServer]:
    made = AsgiServer()
    made.start()
    yield made
    made.stop()


@pytest.fixture
def alice(  # noqa: PLR0917 - fixtures come by name
    issuer: Issuer,
    server: AsgiServer,
    runner: asyncio.Runner,
    tmp_path: Path,
    ether: Ether,
    coverage: Coverage,
) -> Iterator[PhoneAtServer]:
    """Alice is the night patrol: on duty, and without a right to any door. She never syncs by the clock."""
    world = issuer.world
    world.assignment.delete()
    respond(world.team, "all")
    world.bearer.phone.revoked_at = timezone.now()
    world.bearer.phone.save()
    radio = PhoneRadio(ether, "alice", mtu=247)
    phone = PhoneAtServer(
        runner,
        server.url,
        tmp_path,
        transport=coverage,
        scanner_backend=radio.scanner_backend,
        client_backend=radio.client_backend,
        sync_seconds=3600,
    )
    phone.enrol(world.alice)
    phone.sign_in()
    phone.wait_for(lambda: phone.engine.state.sync.last_synced_at)
    yield phone
    phone.do(phone.engine.stop())


@pytest.fixture
def call(issuer: Issuer, server: AsgiServer) -> Any:
    """What the alarm system says over HTTP."""
    actor = User.objects.create_user("petra", municipality=issuer.municipality)
    _system, token = connect(municipality=issuer.municipality, name="Larmcentralen", actor=actor)

    def say(path: str, **body: Any) -> Any:
        headers = {"Authorization": f"AlarmSystem {token}"}
        answer = httpx.post(f"{server.url}/api/v1/{path}", json=body, headers=headers)
        assert answer.is_success, answer.text
        return answer.json()

    return say


@pytest.fixture
def patrol(issuer: Issuer, settings: Any) -> Browser:
    settings.SECOND_FACTOR_REQUIRED = False
    user = User.objects.create_user("jour", municipality=issuer.municipality, role="patrol", is_staff=True)
    browser = Browser()
    browser.force_login(user)
    return browser


def test_an_alarm_from_call_to_open_door_and_its_right_ends_with_it(  # noqa: PLR0917 - fixtures
    alice: PhoneAtServer, issuer: Issuer, ether: Ether, coverage: Coverage, call: Any, patrol: Browser
) -> None:
    world, engine = issuer.world, alice.engine
    door = str(world.apartment.pk)
    agent = alice.do(on_the_air(ether, issuer.apartment_lock, world.apartment_binding))
    assert alice.do(engine.open_door(door)).state is OpeningState.REFUSED, "no right before the alarm"
    called_at = timezone.now()

    # The call comes in, and the phone hears of it without having asked.
    said = call("alarms", alarm_code="4711", external_id="larm-1")
    alice.wait_for(lambda: engine.state.alarms)
    (offered,) = engine.state.alarms
    assert (offered.id, offered.alarm_code) == (str(said["id"]), "4711")
    assert (offered.stage, offered.door_ids) == (AlarmStage.OFFERED, (str(world.gate.pk), door))

    # Taken: the right is in the phone when the answer is given.
    alice.do(engine.answer_alarm(offered.id, AlarmAnswer.TAKE))
    assert engine.state.alarms[0].stage is AlarmStage.TAKEN
    right = AlarmOffer.objects.get().right
    assert right is not None
    assert engine.state.doors[door].rights_until == int(right.ends_at.timestamp())
    assert right.ends_at - right.starts_at == timedelta(minutes=30)

    # The door is opened with the server away, and only the lock knows.
    coverage.there = False
    assert alice.do(engine.open_door(door)).state is OpeningState.OPEN
    alice.do(engine.settled())
    tasks.sweep()
    assert Alarm.objects.get().arrived_at is None

    # The log comes home: the lock's own time stands on the patrol's page.
    coverage.there = True
    assert alice.do(engine.sync()).logs_handed_in == 1
    tasks.sweep()
    alarm = Alarm.objects.get()
    assert (alarm.state, alarm.arrival_uncertain) == ("arrived", False)
    assert alarm.arrived_at is not None
    assert called_at - timedelta(seconds=2) <= alarm.arrived_at <= timezone.now()
    page = patrol.get(f"/admin/alarms/alarm/{alarm.pk}/change/").content.decode()
    assert "Dörren har öppnats" in page
    assert f"{timezone.localtime(alarm.arrived_at):%H:%M:%S}" in page

    # The patrol ends it, and the right is gone from the phone without anybody asking.
    patrol.post(f"/admin/alarms/alarm/{alarm.pk}/end/", {"why": "handled"})
    alice.wait_for(lambda: not engine.state.alarms and door not in engine.state.doors)
    assert alice.do(engine.open_door(door)).state is OpeningState.REFUSED
    assert not Token.objects.filter(extra=right, revoked_at__isnull=True).exists()
    alice.do(agent.stop())


def test_rule_04_a_revoked_phone_that_listens_loses_its_rights_at_once(
    alice: PhoneAtServer, issuer: Issuer, call: Any
) -> None:
    call("alarms", alarm_code="4711", external_id="larm-1")
    alice.wait_for(lambda: alice.engine.state.alarms)
    alice.do(alice.engine.answer_alarm(alice.engine.state.alarms[0].id, AlarmAnswer.TAKE))
    assert alice.engine.state.doors
    mine = Bearer.objects.order_by("pk").last()
    assert mine is not None
    revoke_phone(phone=mine.phone, reason="lost", at=timezone.now())
    alice.wait_for(lambda: alice.engine.state.login is LoginState.SIGNED_OUT)
    assert (dict(alice.engine.state.doors), alice.engine.state.alarms) == ({}, ())

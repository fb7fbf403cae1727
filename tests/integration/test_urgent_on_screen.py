"""Alarms and emergency openings from finger to bolt: real touches, engine, server, radio and lock."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from django.test import Client as Browser
from django.utils import timezone

from tests.ui import shim  # noqa: F401 - before anything else of Kivy

# isort: split
from mobile.engine.state import LoginState
from mobile.ui.alarms import AlarmDoor
from mobile.ui.widgets import Btn, Entry
from server.access.models import ExtraRight
from server.alarms.models import AlarmOffer
from server.passages.models import Deviation
from simulation.backend import PhoneRadio
from simulation.radio import Ether
from tests.integration.asgiserver import AsgiServer
from tests.integration.doorway import Coverage, on_the_air
from tests.integration.serverworld import PhoneAtServer
from tests.integration.test_alarm_to_door import alice, call, patrol, server  # noqa: F401
from tests.server.issuer import Issuer
from tests.ui.driver import Driver

T = TypeVar("T")
PATIENCE_S = 20.0


class Hand:
    """A finger on the phone's screen, on the loop that the phone's engine lives on."""

    def __init__(self, phone: PhoneAtServer) -> None:
        self._runner, self.engine = phone.runner, phone.engine
        self.driver = self.do(self._begin())

    async def _begin(self) -> Driver:
        driver = Driver(engine=self.engine)
        driver.session.wall = lambda: int(time.time())
        return await driver.__aenter__()

    def do(self, verb: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(verb)

    def wait_for(self, true: Callable[[], Any]) -> None:
        self.do(self.driver.until(lambda: bool(true()), PATIENCE_S))

    def wait_for_screen(self, name: str) -> None:
        self.wait_for(lambda: self.driver.screen.name == name)

    def tap(self, target: Any) -> None:
        if self.driver.screen.name == "alarm":
            self.wait_for(lambda: self.driver.screen.armed)
        self.do(self.driver.settle(4))
        self.do(self.driver.tap(target))

    def open_door(self, door_id: str) -> None:
        """The button of that door on a card, then the result."""
        card = next(card for card in self.driver.all(AlarmDoor) if card.row.door_id == door_id)
        self.wait_for(lambda: card.row.allowed)
        self.tap(self.driver.all(Btn, card)[0])
        self.wait_for_screen("result")
        self.wait_for(lambda: self.driver.screen.tone != "running")


@pytest.fixture
def hand(alice: PhoneAtServer) -> Iterator[Hand]:  # noqa: F811 - a fixture comes by name
    made = Hand(alice)
    yield made
    made.do(made.driver.__aexit__())


@pytest.fixture
def at_the_door(  # noqa: PLR0917 - fixtures come by name
    issuer: Issuer,
    server: AsgiServer,  # noqa: F811
    runner: asyncio.Runner,
    tmp_path: Path,
    ether: Ether,
    coverage: Coverage,
) -> Iterator[Hand]:
    """Alice is at work, and the plan has forgotten her: no shift, so no right to any door."""
    issuer.world.shift.delete()
    radio = PhoneRadio(ether, "alice", mtu=247)
    phone = PhoneAtServer(
        runner,
        server.url,
        tmp_path,
        transport=coverage,
        scanner_backend=radio.scanner_backend,
        client_backend=radio.client_backend,
    )
    phone.enrol(issuer.world.alice)
    phone.sign_in()
    phone.do(phone.engine.sync())
    made = Hand(phone)
    yield made
    made.do(made.driver.__aexit__())
    phone.do(phone.engine.stop())


def test_an_alarm_from_the_call_to_the_open_door_and_to_its_end(
    hand: Hand,
    issuer: Issuer,
    ether: Ether,
    call: Any,  # noqa: F811
    patrol: Browser,  # noqa: F811
) -> None:
    world, door = issuer.world, str(issuer.world.apartment.pk)
    agent = hand.do(on_the_air(ether, issuer.apartment_lock, world.apartment_binding))
    hand.wait_for_screen("today")
    hand.tap("Inställningar")

    said = call("alarms", alarm_code="4711", external_id="larm-1")
    hand.wait_for_screen("alarm")
    assert hand.driver.told == ["alarm"]
    assert hand.driver.screen.view.code == "Larmkod 4711"
    hand.tap("Ta larmet")
    hand.wait_for(lambda: hand.driver.screen.view.part == "taken")
    assert AlarmOffer.objects.get().answer == "taken"

    hand.open_door(door)
    assert hand.driver.screen.tone == "good"
    hand.tap("Klar")
    hand.wait_for_screen("alarm")

    patrol.post(f"/admin/alarms/alarm/{said['id']}/end/", {"why": "handled"})
    hand.wait_for(lambda: hand.driver.screen.view.part == "over")
    assert hand.driver.screen.view.title == "Larmet är avslutat"
    hand.tap("Klar")
    hand.wait_for_screen("settings")
    assert door not in hand.engine.state.doors
    hand.do(agent.stop())


def test_an_emergency_opening_by_alarm_code_and_what_the_coordinator_sees(
    at_the_door: Hand,
    issuer: Issuer,
    ether: Ether,
    coverage: Coverage,
) -> None:
    hand, world, door = at_the_door, issuer.world, str(issuer.world.apartment.pk)
    agent = hand.do(on_the_air(ether, issuer.apartment_lock, world.apartment_binding))
    assert dict(hand.engine.state.doors) == {}
    hand.driver.app.navigation.go("emergency")
    hand.do(hand.driver.settle(4))
    [entry] = hand.driver.all(Entry)

    entry.text = "9999"
    hand.tap("Någon ropar på hjälp")
    hand.tap("Ja, ge mig behörighet")
    hand.wait_for(lambda: hand.driver.screen.view.message == "Brukaren hittades inte")
    hand.tap("Ändra")
    entry.text = "4711"
    hand.tap("Någon ropar på hjälp")
    assert not ExtraRight.objects.exists(), "nothing is taken before it is confirmed"
    hand.tap("Ja, ge mig behörighet")
    hand.wait_for(lambda: hand.driver.screen.step == "given")

    coverage.there = False
    hand.open_door(door)
    assert hand.driver.screen.tone == "good", "offline, with the right that is in the phone"
    right = ExtraRight.objects.get()
    assert (right.kind, right.reason, right.staff) == ("break_glass", "call_for_help", world.alice)
    assert right.ends_at > timezone.now()
    assert Deviation.objects.get(kind="break_glass").door == world.apartment
    hand.do(agent.stop())


def test_rule_04_a_revoked_right_is_gone_from_the_screen_without_anybody_asking(
    hand: Hand,
    call: Any,  # noqa: F811
    patrol: Browser,  # noqa: F811
) -> None:
    said = call("alarms", alarm_code="4711", external_id="larm-1")
    hand.wait_for_screen("alarm")
    hand.tap("Ta larmet")
    hand.wait_for(lambda: hand.driver.screen.view.part == "taken")
    right = ExtraRight.objects.get()
    patrol.post(f"/admin/alarms/alarm/{said['id']}/end/", {"why": "false_alarm"})
    hand.wait_for(lambda: not hand.engine.state.doors)
    assert hand.engine.state.login is LoginState.SIGNED_IN
    right.refresh_from_db()
    assert right.withdrawn_at is not None

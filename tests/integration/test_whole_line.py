"""The whole line, each part the real one: server, phone over HTTP and radio, lock, and the way home."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from lockagent.agent import Agent, Parts
from lockagent.core.clock import RtcReading
from lockagent.core.identity import LockSecrets
from lockagent.core.memory import BLANK
from lockagent.lockfolder import store_over
from lockagent.motor.simulated import SimulatedMotor
from lockagent.peripheral.bumble_radio import BumbleRadio
from mobile.engine.state import OpeningState
from protocol import commission
from protocol.reasons import Reason
from server.locks.models import Binding
from server.passages.models import Passage
from simulation.backend import PhoneRadio
from simulation.radio import Ether
from tests.integration.serverworld import PhoneAtServer
from tests.lockagent.crashdisk import CrashDisk
from tests.server.device import Device
from tests.server.issuer import Issuer


class Coverage(httpx.AsyncBaseTransport):
    """The way to the server, which a test can cut."""

    def __init__(self) -> None:
        self.there = True
        self._way = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not self.there:
            raise httpx.ConnectError("no coverage", request=request)
        return await self._way.handle_async_request(request)

    async def aclose(self) -> None:
        await self._way.aclose()


async def _on_the_air(ether: Ether, device: Device, binding: Binding) -> Agent:
    """The lock that the server commissioned, as a real agent with a real radio.

    It was commissioned in January and has heard nothing since: the phone's bulletin sets its clock.
    """
    secrets = LockSecrets(device.static_private, device.log_seed, device.seal_private)
    store = store_over(CrashDisk(), secrets)
    store.create(BLANK.encode())
    controller = ether.controller("lock", position=(1.0, 0.0))
    radio = BumbleRadio(controller, controller, os.urandom)
    motor = SimulatedMotor(travel_seconds=0.2)
    agent = Agent(Parts(store, secrets, motor, RtcReading(int(time.time())), os.urandom), radio=radio)
    assert binding.commission_document is not None
    assert agent.commission(commission.verify(bytes(binding.commission_document))) is Reason.GRANTED
    await agent.start()
    return agent


@pytest.fixture
def coverage() -> Coverage:
    return Coverage()


@pytest.fixture
def ether(runner: asyncio.Runner) -> Ether:
    async def make() -> Ether:
        return Ether(seed=5)

    return runner.run(make())


@pytest.fixture
def alice(  # noqa: PLR0917 - fixtures come by name
    issuer: Issuer,
    live_server: object,
    runner: asyncio.Runner,
    tmp_path: Path,
    ether: Ether,
    coverage: Coverage,
) -> Iterator[PhoneAtServer]:
    radio = PhoneRadio(ether, "alice", mtu=247)
    phone = PhoneAtServer(
        runner,
        str(live_server),
        tmp_path,
        transport=coverage,
        scanner_backend=radio.scanner_backend,
        client_backend=radio.client_backend,
    )
    phone.enrol(issuer.world.alice)
    phone.sign_in()
    phone.do(phone.engine.sync())
    yield phone
    phone.do(phone.engine.stop())


def test_rule_05_a_passage_travels_from_the_door_to_the_server_and_its_receipt_back(
    alice: PhoneAtServer, issuer: Issuer, ether: Ether, coverage: Coverage
) -> None:
    world = issuer.world
    agent = alice.do(_on_the_air(ether, issuer.apartment_lock, world.apartment_binding))
    door = str(world.apartment.pk)

    coverage.there = False
    opening = alice.do(alice.engine.open_door(door))
    assert opening.state is OpeningState.OPEN
    alice.do(alice.engine.settled())
    assert alice.engine.state.sync.waiting_logs == 1
    before = Passage.objects.filter(kind="granted", binding=world.apartment_binding).count()
    assert before == 0

    coverage.there = True
    assert alice.do(alice.engine.sync()).logs_handed_in == 1
    passage = Passage.objects.get(kind="granted", binding=world.apartment_binding)
    assert passage.known_at is not None
    assert abs(passage.happened_at.timestamp() - time.time()) < 60

    alice.do(alice.engine.sync())
    assert alice.do(alice.engine.lock_door(door)).state is OpeningState.LOCKED
    alice.do(alice.engine.settled())
    assert agent._parts.store.boot().state.acked > 0, "the lock holds the receipt and may forget"
    assert Passage.objects.filter(kind="granted", binding=world.apartment_binding).count() == 2
    alice.do(agent.stop())

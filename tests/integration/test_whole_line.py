"""The whole line, each part the real one: server, phone over HTTP and radio, lock, and the way home."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mobile.engine.state import OpeningState
from server.passages.models import Passage
from simulation.backend import PhoneRadio
from simulation.radio import Ether
from tests.integration.doorway import Coverage, on_the_air
from tests.integration.serverworld import PhoneAtServer
from tests.server.issuer import Issuer


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
    agent = alice.do(on_the_air(ether, issuer.apartment_lock, world.apartment_binding))
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

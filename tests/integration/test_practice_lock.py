"""Practice, each part the real one: asked for at the server, done over the radio at a real lock agent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import timezone

from lockagent.agent import Agent
from lockagent.motor.lamp import Lamp
from mobile.engine.errors import ServerError
from mobile.engine.state import DoorKind, OpeningState
from server.locks.models import Binding
from server.passages import live
from server.passages.models import Deviation, LogGap, Passage
from server.places.models import Door
from simulation.backend import PhoneRadio
from simulation.radio import Ether
from tests.integration.doorway import Coverage, on_the_air
from tests.integration.serverworld import PhoneAtServer
from tests.server.device import Device
from tests.server.issuer import Issuer, mount
from tests.server.world import make_door


async def _practice_lock(ether: Ether, device: Device, binding: Binding, shown: list[str]) -> Agent:
    """A practice lock that has no bolt: what would have moved is shown."""
    lamp = Lamp(lambda bolt: shown.append(bolt.value), seconds=0.2)
    return await on_the_air(ether, device, binding, lamp)


@pytest.fixture
def alice(  # noqa: PLR0917 - fixtures come by name
    issuer: Issuer,
    live_server: object,
    runner: asyncio.Runner,
    tmp_path: Path,
    ether: Ether,
    coverage: Coverage,
) -> Iterator[PhoneAtServer]:
    """Alice begins tomorrow: employed, with a phone, and without a shift."""
    issuer.world.shift.delete()
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


def test_a_first_opening_practised_offline_and_what_the_server_makes_of_it(
    alice: PhoneAtServer, issuer: Issuer, ether: Ether, coverage: Coverage
) -> None:
    place = make_door(issuer.world.property, Door.Kind.PRACTICE, must_sign="", address="Kontorsgatan 2")
    device, shown = Device(), list[str]()
    binding = mount(place, device, at=timezone.now(), name="Övningslås 1")
    agent = alice.do(_practice_lock(ether, device, binding, shown))
    engine, door = alice.engine, str(place.pk)
    assert door not in engine.state.doors

    # One question with coverage, then none is needed.
    alice.do(engine.begin_practice())
    assert engine.state.doors[door].kind is DoorKind.PRACTICE
    coverage.there = False
    assert alice.do(engine.open_door(door)).state is OpeningState.OPEN
    assert alice.do(engine.lock_door(door)).state is OpeningState.LOCKED
    assert shown == ["unlocked", "locked"]
    assert not engine.state.doors[door].left_unlocked

    # The refusal is the lock's own, and nothing moves.
    refused = alice.do(engine.ask_too_early(door))
    assert (refused.state, refused.reason, refused.early) == (OpeningState.REFUSED, "not_yet_valid", True)
    alice.do(engine.settled())
    assert shown == ["unlocked", "locked"]
    alice.do(engine.note_practice(frozenset({"near", "open"})))
    alice.do(engine.lock_app())
    alice.do(engine.unlock("493817"))
    assert engine.state.practised == {"near", "open"}, "kept in the vault"

    # The log comes home like any other, and makes work for nobody.
    coverage.there = True
    assert alice.do(engine.sync()).logs_handed_in > 0
    told = list(Passage.objects.filter(binding=binding).order_by("seq").values_list("kind", "reason"))
    assert [kind for kind in told if kind[0] in {"granted", "outcome", "refused"}] == [
        ("granted", ""),
        ("outcome", "moved"),
        ("granted", ""),
        ("outcome", "moved"),
    ], "the refusal waits in the lock for the next courier"
    alice.do(engine.open_door(door))
    alice.do(engine.settled())
    alice.do(engine.sync())
    assert Passage.objects.filter(binding=binding, kind="refused", reason="not_yet_valid").count() == 1
    assert live.latest() == []
    assert not Deviation.objects.exists()
    assert not LogGap.objects.exists()
    alice.do(agent.stop())


def test_without_a_practice_lock_the_phone_says_so_and_without_coverage_too(
    alice: PhoneAtServer, coverage: Coverage
) -> None:
    with pytest.raises(ServerError) as nowhere:
        alice.do(alice.engine.begin_practice())
    assert nowhere.value.code == "practice_nowhere"
    coverage.there = False
    with pytest.raises(ServerError) as away:
        alice.do(alice.engine.begin_practice())
    assert away.value.code == "server_unreachable"

"""An alarm from call to open door, as the patrol sees it: one field, then a page that tells by itself.

Everything is the real thing: the browser, the server with its sweeps, the phone's engine on its own thread,
the lock's agent and, between these two, the simulated radio.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from mobile.engine.engine import PhoneEngine
from mobile.engine.setup import Setup
from mobile.engine.state import AlarmAnswer, OpeningState
from mobile.engine.storage.vaultfile import Cost
from mobile.engine.thread import EngineThread
from simulation.backend import PhoneRadio
from simulation.radio import Ether
from tests.integration.doorway import Coverage, on_the_air
from tests.server.device import Device
from tests.server.issuer import PASSWORD, code_now
from tests.stories.conftest import City

pytestmark = pytest.mark.browser

PIN = "493817"
PATIENCE_S = 40.0
SOON_MS = 10_000
AFTER_A_SWEEP_MS = 40_000

PLACE = """
import json
from datetime import timedelta
from django.utils import timezone
from django_scopes import scope
from server.places.models import DoorPath
from server.tenancy.models import Municipality
from tests.server.alarmworld import respond
from tests.server.device import Device
from tests.server.issuer import enrolment_code, give_sign_in, mount
from tests.server.world import *

now, municipality = timezone.now(), Municipality.objects.get()
with scope(municipality=municipality):
    team = make_team(municipality, "Nattpatrullen Centrum", "Natt")
    respond(team, "all")
    nadja = make_staff(team, "Nadja Natt")
    make_shift(nadja, team, starts_at=now - timedelta(hours=1), ends_at=now + timedelta(hours=7))
    give_sign_in(nadja, "nadja")
    estate = make_estate(municipality, "Bostads AB Eken", "Eken 1")
    apartment = make_door(estate, "apartment", number="1101")
    client = make_client(apartment, make_team(municipality, "Hemtjänst Eken", "Grupp 1"), "LARM-1")[0]
    device = Device()
    binding = mount(apartment, device, name="Lås i berättelsen")
    said = {
        "code": enrolment_code(nadja, now),
        "door": str(apartment.pk),
        "commission": bytes(binding.commission_document).hex(),
        "keys": [key.hex() for key in (device.static_private, device.seal_private, device.log_seed)],
    }
open(%r, "w").write(json.dumps(said))
"""


@dataclass
class Night:
    """Nadja with her phone, and the lock at the door."""

    thread: EngineThread
    engine: PhoneEngine
    coverage: Coverage
    door: str

    def do(self, verb: Any) -> Any:
        return self.thread.submit(verb).result(PATIENCE_S)

    def wait_for(self, page: Page, true: Callable[[], Any]) -> None:
        """Let the browser live meanwhile, as it does on a desk."""
        for _ in range(int(PATIENCE_S * 10)):
            if true():
                return
            page.wait_for_timeout(100)
        raise AssertionError("it did not happen")


@pytest.fixture
def night(city: City, tmp_path: Path) -> Iterator[Night]:
    told = tmp_path / "place.json"
    city.server.run(PLACE % str(told))
    said = json.loads(told.read_text(encoding="utf-8"))
    static, seal, log = (bytes.fromhex(key) for key in said["keys"])
    device = Device(static, seal, log)
    binding: Any = SimpleNamespace(commission_document=bytes.fromhex(said["commission"]))
    thread, coverage = EngineThread(), Coverage()
    thread.start()

    async def begin() -> tuple[PhoneEngine, Any]:
        ether = Ether(seed=11)
        agent = await on_the_air(ether, device, binding)
        radio = PhoneRadio(ether, "nadja", mtu=247)
        setup = Setup(
            tmp_path / "phone",
            transport=coverage,
            vault_cost=Cost(memory_kib=64, passes=1, lanes=1),
            sync_seconds=3600,
            scanner_backend=radio.scanner_backend,
            client_backend=radio.client_backend,
        )
        engine = PhoneEngine(setup)
        await engine.start()
        await engine.enrol(city.server.url, said["code"], PIN)
        await engine.sign_in("nadja", PASSWORD)
        await engine.second_factor(code_now())
        await engine.sync()
        return engine, agent

    engine, agent = thread.submit(begin()).result(PATIENCE_S)
    yield Night(thread, engine, coverage, said["door"])
    thread.submit(engine.stop()).result(PATIENCE_S)
    thread.submit(agent.stop()).result(PATIENCE_S)
    thread.stop()


def test_an_alarm_from_call_to_open_door(desk: Callable[..., Page], night: Night) -> None:
    page, engine = desk("patrol"), night.engine
    page.get_by_role("link", name="Larma", exact=True).first.click()
    expect(page.get_by_label("Larmkod")).to_be_focused()
    page.keyboard.type("LARM-1")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Larm LARM-1")
    expect(page.get_by_role("status")).to_have_text("Ingen har tagit det")
    expect(page.get_by_text("Nadja Natt").first).to_be_visible()

    night.wait_for(page, lambda: engine.state.alarms)
    night.do(engine.answer_alarm(engine.state.alarms[0].id, AlarmAnswer.TAKE))
    expect(page.get_by_role("status")).to_have_text("Någon är på väg", timeout=SOON_MS)
    expect(page.get_by_text(re.compile("i telefonen sedan")).first).to_be_visible(timeout=SOON_MS)

    night.coverage.there = False
    assert night.do(engine.open_door(night.door)).state is OpeningState.OPEN
    night.do(engine.settled())
    night.coverage.there = True
    assert night.do(engine.sync()).logs_handed_in == 1
    expect(page.get_by_role("status")).to_have_text("Dörren har öppnats", timeout=AFTER_A_SWEEP_MS)
    expect(page.get_by_text("enligt låsets egen logg")).to_be_visible()

    page.get_by_label("åtgärdat").check()
    page.get_by_role("button", name="Avsluta larmet").click()
    expect(page.get_by_role("status")).to_contain_text("Avslutat")
    night.wait_for(page, lambda: not engine.state.alarms)
    assert night.do(engine.open_door(night.door)).state is OpeningState.REFUSED

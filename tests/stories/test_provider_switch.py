"""A contract ends: 500 clients change provider at once, from a pasted list to a proof that is handed over.

Nobody visits a lock. One of the locks is heard from afterwards, so that the proof has both to tell: what is
known to have died and when, and what may still live and until when.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.stories.conftest import City, picture

pytestmark = pytest.mark.browser

WORKING_MS = 60_000
"""What two busy cores may need for 500 clients' keys."""

PLACE = """
import json
from datetime import timedelta
from django.utils import timezone
from django_scopes import scope
from server.access.domain.issue import issue_ahead
from server.locks.models import Binding
from server.tenancy.models import Municipality
from tests.server.device import Device
from tests.server.issuer import mount
from tests.server.test_switch_scale import crews, people_behind_gates

now, municipality = timezone.now(), Municipality.objects.get()
with scope(municipality=municipality):
    hours = (now - timedelta(hours=1), now + timedelta(hours=7))
    names = ("Gamla Omsorgen", "Nya Omsorgen", "Grannvård")
    old, _new, beside = (crews(municipality, name, *hours, staff_in_a_team=1) for name in names)
    clients = people_behind_gates(municipality, old, beside[0], first_code=70_000)
    first, device = clients[0], Device()
    old_lock = Binding.objects.get(door=first.door_id).lock
    Binding.objects.filter(lock=old_lock).delete()
    old_lock.delete()
    mount(first.door, device, name="Låset som hörs av")
    issue_ahead(municipality=municipality, at=now)
    said = {
        "codes": [client.alarm_code for client in clients],
        "beside": f"{int(clients[0].alarm_code) + 5}",
        "keys": [key.hex() for key in (device.static_private, device.seal_private, device.log_seed)],
    }
open(%r, "w").write(json.dumps(said))
"""

HEARD = """
from django.utils import timezone
from django_scopes import scope
from server.access.models import Token
from server.locks.models import Binding, Bulletin
from server.passages.domain.intake import take_in
from server.tenancy.models import Municipality
from tests.server.device import Device

now, municipality = timezone.now(), Municipality.objects.get()
with scope(municipality=municipality):
    binding = Binding.objects.get(lock__name="Låset som hörs av")
    device = Device(*(bytes.fromhex(key) for key in %r))
    device.take(bytes(binding.commission_document), at=int(now.timestamp()))
    news = Bulletin.objects.filter(binding=binding).latest("seq")
    device.read_bulletin(bytes(news.document))
    token = Token.objects.filter(binding=binding, provider__name="Nya Omsorgen").first()
    device.opened(bytes(token.token_id), bytes(token.bearer.fingerprint), at=int(now.timestamp()))
    take_in(documents=[device.sealed()], courier=token.bearer.phone, at=now)
"""


@dataclass
class Contract:
    """The codes of the contract's 500 clients, one behind the same gates, and one lock's keys."""

    codes: list[str]
    beside: str
    keys: list[str]


@pytest.fixture
def contract(city: City, tmp_path: Path) -> Contract:
    told = tmp_path / "contract.json"
    city.server.run(PLACE % str(told))
    return Contract(**json.loads(told.read_text(encoding="utf-8")))


def test_500_clients_change_provider(desk: Callable[..., Page], city: City, contract: Contract) -> None:
    page = desk("patrol")
    page.get_by_role("link", name="Nytt utförarbyte").click()
    page.get_by_label("Från utförare").select_option(label="Gamla Omsorgen")
    page.get_by_label("Till utförare").select_option(label="Nya Omsorgen")
    page.get_by_label("Nu, när det bekräftas").check()
    _paste_with_one_bad_code(page, contract)
    _paste_them_all(page, contract)
    _preview(page)
    _confirm_and_read_the_proof(page)
    city.server.run(HEARD % contract.keys)
    _one_lock_was_heard_from(page)
    _the_proof_is_a_file(page, contract)


def _paste_with_one_bad_code(page: Page, contract: Contract) -> None:
    codes = page.get_by_label("Larmkoder, en per rad")
    codes.fill("\n".join([*contract.codes[:250], contract.beside, *contract.codes[250:]]))
    page.get_by_role("button", name="Fortsätt").click()
    bad = page.locator(".bad-codes tbody tr")
    expect(bad).to_have_count(1)
    expect(bad).to_contain_text(contract.beside)
    expect(bad).to_contain_text("251")
    picture(page, "switch-1-one-bad-code")


def _paste_them_all(page: Page, contract: Contract) -> None:
    codes = page.get_by_label("Larmkoder, en per rad")
    assert contract.beside in codes.input_value(), "what was pasted is still there to be corrected"
    codes.fill("\n".join(contract.codes))
    page.get_by_role("button", name="Fortsätt").click()
    page.get_by_label("Grupp för alla").select_option(label="Grupp 0")
    picture(page, "switch-2-teams")
    page.get_by_role("button", name="Till förhandsvisningen").click(timeout=WORKING_MS)


def _preview(page: Page) -> None:
    figures = page.locator(".figures")
    expect(figures).to_contain_text("500", timeout=WORKING_MS)
    expect(figures).to_contain_text("behörigheter räcker längre")
    expect(figures).to_contain_text("nya behörigheter")
    expect(page.locator("table.clients tbody tr")).to_have_count(500)
    picture(page, "switch-3-preview", whole=False)


def _confirm_and_read_the_proof(page: Page) -> None:
    page.get_by_label("Jag har läst förhandsvisningen").check()
    page.get_by_role("button", name="Byt utförare för 500 brukare").click(timeout=WORKING_MS)
    expect(page.locator(".messagelist")).to_contain_text("Bytet är beslutat", timeout=WORKING_MS)
    expect(page.locator(".neighbours")).to_contain_text("De förlorade inget.", timeout=WORKING_MS)
    expect(page.locator(".conclusion")).to_contain_text(re.compile(r"\d+ .* senast till \d{4}-\d\d-\d\d"))
    expect(page.locator("tr[data-cause=lock_knows]")).to_have_count(0)
    picture(page, "switch-4-proof", whole=False)


def _one_lock_was_heard_from(page: Page) -> None:
    page.reload()
    picture(page, "switch-5-one-heard", whole=False)
    page.get_by_role("link", name="Alla brukare, för utskrift").click()  # what lives stands first
    died = page.locator("tr[data-cause=lock_knows]")
    expect(died).to_have_count(1, timeout=WORKING_MS)
    expect(died).to_contain_text("Låset som hörs av")
    expect(died).to_contain_text("låset känner till spärren")


def _the_proof_is_a_file(page: Page, contract: Contract) -> None:
    with page.expect_download() as coming:
        page.get_by_role("link", name="Beviset som CSV").click()
    lines = Path(coming.value.path()).read_text(encoding="utf-8-sig").splitlines()
    assert {line.split(";")[0] for line in lines[1:]} == set(contract.codes)
    assert len(lines) == 1 + 2 * len(contract.codes), "an apartment and a gate each"

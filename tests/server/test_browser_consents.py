"""A portfolio consent that unblocks clients, in a real browser, from the card to the empty list."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.server.fill import PASSWORD, USERNAME
from tests.server.running import RunningServer

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None, reason="no chromium: apt-get install chromium to run the browser tests"
    ),
]
FORGET = """
from django_scopes import scope
from server.care.models import Consent
from server.tenancy.models import Municipality
with scope(municipality=Municipality.objects.get()):
    Consent.objects.filter(scope="property").delete()
"""
PAPER = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    server = RunningServer(tmp_path_factory.mktemp("consents"), SECOND_FACTOR_REQUIRED="false")
    server.migrate()
    server.run("from tests.server.fill import fill; fill(totp=False)")
    server.run(FORGET)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def tab(server: RunningServer) -> Iterator[Page]:
    complaints: list[str] = []
    # Not pytest-playwright's own fixtures: see tests.server.test_browser.
    with sync_playwright() as playwright:
        chromium: Any = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page: Page = chromium.new_context(base_url=server.url, accept_downloads=True).new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.goto("/admin/")
        page.get_by_label("Användarnamn").fill(USERNAME)
        page.get_by_label("Lösenord").fill(PASSWORD)
        page.get_by_role("button", name="Logga in").click()
        page.wait_for_url("**/admin/")
        yield page
        chromium.close()
    assert complaints == []


def test_a_portfolio_consent_unblocks_clients(tab: Page, tmp_path: Path) -> None:
    tab.get_by_role("link", name="2 Brukare som väntar på medgivande").click()
    row = tab.get_by_role("row").filter(has_text="Bostads AB Eken")
    expect(row.locator(".waiting")).to_have_text("2")
    row.get_by_role("link", name="Registrera för alla fastigheter").click()

    paper = tmp_path / "scan.pdf"
    paper.write_bytes(PAPER)
    tab.get_by_label("Undertecknat dokument").set_input_files(paper)
    tab.get_by_role("button", name="Spara", exact=True).click()
    expect(tab.get_by_text("2 brukare väntar inte längre på någon underskrift.")).to_be_visible()

    tab.goto("/admin/care/consent/missing/")
    expect(tab.get_by_text("Ingen fastighetsägare behöver frågas.")).to_be_visible()

    tab.goto("/admin/care/consent/?scope__exact=portfolio")
    tab.locator("#result_list tbody a").first.click()
    with tab.expect_download() as download:
        tab.get_by_role("link", name="PDF,").click()
    assert Path(download.value.path()).read_bytes() == PAPER
    tab.get_by_role("link", name="Återkalla", exact=True).click()
    expect(tab.get_by_role("heading", name="2 brukares besök skulle stå utan väg in")).to_be_visible()
    tab.screenshot(path=tmp_path / "withdraw.png")

"""The administration in a real browser: signing in with a second factor, and passages arriving live.

Server, database and broker are real processes. What the intake would store comes from yet another process,
so the news travels over Redis. A blocked script or style, which the console reports, fails the test.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.server.fill import PASSWORD, TOTP_SECRET, USERNAME
from tests.server.running import RunningServer
from tests.server.test_sign_in import code_now

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None, reason="no chromium: apt-get install chromium to run the browser tests"
    ),
]
ADD = "from tests.server.fill import add_passages; add_passages({})"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[RunningServer]:
    server = RunningServer(tmp_path_factory.mktemp("browser"), REDIS_URL=redis_url)
    server.migrate()
    server.run("from tests.server.fill import fill; fill()")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    # Not pytest-playwright's own fixtures: they keep an event loop running in this thread for the whole run,
    # and Django then refuses its database to every test that comes later.
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def session(chromium: Any, server: RunningServer) -> Any:
    """Cookies of somebody who signed in with password and code; once, since a code works only once."""
    context = chromium.new_context(base_url=server.url)
    page = context.new_page()
    page.goto("/admin/")
    page.get_by_label("Användarnamn").fill(USERNAME)
    page.get_by_label("Lösenord").fill(PASSWORD)
    page.get_by_role("button", name="Logga in").click()
    page.locator("input[name=code]").fill(code_now(TOTP_SECRET))
    page.locator("button[type=submit]").first.click()
    page.wait_for_url("**/admin/")
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def tab(chromium: Any, server: RunningServer, session: Any) -> Iterator[Page]:
    context = chromium.new_context(
        base_url=server.url, viewport={"width": 1280, "height": 800}, storage_state=session
    )
    complaints: list[str] = []
    page: Page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto("/admin/")
    yield page
    context.close()
    # The one thing that may fail is the connection to a server that a test has stopped.
    assert [text for text in complaints if "WebSocket" not in text] == []


def test_live_board_from_sign_in_to_reconnection(tab: Page, server: RunningServer, tmp_path: Path) -> None:
    expect(tab.get_by_role("heading", name="Hej Petra")).to_be_visible()
    tab.get_by_role("link", name="Passager just nu").first.click()
    expect(tab.locator("#live-state")).to_have_text("Direkt")
    expect(tab.get_by_text("Inga passager ännu.")).to_be_visible()

    server.run(ADD.format("count=2"))
    rows = tab.locator("#live-board tbody tr")
    expect(rows).to_have_count(2, timeout=10_000)
    expect(tab.get_by_text("Inga passager ännu.")).to_be_hidden()
    first = rows.first.locator("td")
    expect(first.nth(0)).to_have_text("Upplåsning: beviljad")
    expect(first.nth(1)).to_contain_text("Storgatan 1, port")
    happened, known = first.nth(3).inner_text(), first.nth(4).inner_text()
    assert happened.split("\n")[0] < known.split("\n")[0]
    assert "min senare" in known

    server.stop()
    expect(tab.locator("#live-state")).to_have_text("Anslutningen bröts, försöker igen…", timeout=10_000)
    server.run(ADD.format("refused=True"))
    server.start_again()
    expect(tab.locator("#live-state")).to_have_text("Direkt", timeout=30_000)
    expect(rows).to_have_count(3)
    expect(rows.first).to_contain_text("nekad – behörigheten har gått ut")
    tab.screenshot(path=tmp_path / "live.png")


def test_every_page_of_the_menu_obeys_the_policy(tab: Page) -> None:
    links = tab.locator("#content-main a").evaluate_all("links => [...new Set(links.map(a => a.pathname))]")
    assert len(links) > 30
    for link in links:
        answer = tab.goto(link)
        assert answer is not None and answer.status == 200, link


def test_enrolment_code_and_preview(tab: Page) -> None:
    tab.goto("/admin/people/staffmember/")
    tab.get_by_role("link", name="Alice Andersson").click()
    tab.get_by_role("link", name="Registrera en telefon").click()
    tab.get_by_role("button", name="Skapa koden").click()
    expect(tab.locator(".enrol-code")).to_be_visible()
    assert tab.locator(".enrol-card img").evaluate("image => image.naturalWidth") > 0
    tab.get_by_role("link", name="Vem får öppna?").first.click()
    tab.locator("#q").fill("4711")
    tab.get_by_role("button", name="Sök").click()
    tab.get_by_role("link", name="Storgatan 1, lägenhet 1101").click()
    expect(tab.locator(".verdict").first).to_have_text(re.compile("^får öppna (nu|senare)$"))

"""The stage of every story: one city, one server, and desks where people have really signed in.

The city is the generator's own with a fixed seed, so that the stories meet what a municipality would: several
providers, shared gates, missing consents, weak batteries. Everybody signs in with password and code. Whatever
the browser's console complains about (a blocked script, a missing file) fails the story.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.server.running import RunningServer

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
CLIENTS, SEED = "250", "5"


def choose(page: Page, field_name: str, text: str) -> None:
    """Choose in a field that looks for what is typed, as a person does: open, type, take the first."""
    page.locator(f".field-{field_name} .select2-selection").click()
    page.keyboard.type(text)
    page.locator(".select2-results__option--highlighted", has_text=text).click()
    expect(page.locator(f".field-{field_name} .select2-selection")).to_contain_text(text)


def picture(page: Page, name: str, *, whole: bool = True) -> None:
    """Keep a picture of the page for whoever wants to look: `STORY_PICTURES=<folder>`."""
    if folder := os.environ.get("STORY_PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=whole)


@dataclass
class City:
    """A running server, its people's sign-ins, and a browser."""

    server: RunningServer
    browser: Browser
    people: list[dict[str, str]]
    states: dict[str, Any] = field(default_factory=dict)

    def name_of(self, role: str, number: int = 0) -> str:
        """Return the user name of the n-th person in a role."""
        return [one["username"] for one in self.people if one["role"] == role][number]

    def state_of(self, username: str) -> Any:
        """Return the cookies of somebody who signed in once, for a code works only once."""
        if username not in self.states:
            self.states[username] = self._sign_in(
                next(one for one in self.people if one["username"] == username)
            )
        return self.states[username]

    def _sign_in(self, person: dict[str, str]) -> Any:
        context = self.browser.new_context(base_url=self.server.url, locale="sv-SE")
        page = context.new_page()
        page.goto("/admin/")
        page.get_by_label("Användarnamn").fill(person["username"])
        page.get_by_label("Lösenord").fill(person["password"])
        page.get_by_role("button", name="Logga in").first.click()
        page.locator("input[name=code]").fill(
            format_hotp_value(hotp_value(person["totp_secret"], int(time.time()) // 30))
        )
        page.locator("button[type=submit]").first.click()
        page.wait_for_url("**/admin/")
        state = context.storage_state()
        context.close()
        return state


@pytest.fixture(
    scope="package"
)  # a browser left open keeps an event loop, and Django refuses its database then
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """A municipality of 250 clients whose day shifts began an hour ago."""
    if CHROMIUM is None:
        pytest.skip("no chromium: apt-get install chromium to run the stories")
    folder: Path = tmp_path_factory.mktemp("city")
    server, sign_ins = RunningServer(folder), folder / "sign-ins.json"
    server.migrate()
    server.manage(
        "generate_city", "--clients", CLIENTS, "--seed", SEED, "--working-now", "--sign-ins", str(sign_ins)
    )
    server.start()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            yield City(server, browser, json.loads(sign_ins.read_text(encoding="utf-8")))
            browser.close()
    finally:
        server.stop()


@pytest.fixture
def desk(city: City) -> Iterator[Callable[..., Page]]:
    """Return a page of somebody in a role: `desk("patrol")`, `desk("coordinator", 1)`."""
    opened: list[tuple[Any, list[str]]] = []

    def sit_down(role: str, number: int = 0, *, width: int = 1280) -> Page:
        context = city.browser.new_context(
            base_url=city.server.url,
            viewport={"width": width, "height": 900},
            storage_state=city.state_of(city.name_of(role, number)),
        )
        complaints: list[str] = []
        page: Page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        opened.append((context, complaints))
        page.goto("/admin/")
        return page

    yield sit_down
    for context, complaints in opened:
        context.close()
        assert complaints == []

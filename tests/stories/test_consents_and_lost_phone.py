"""At the patrol's desk: one signature unblocks several clients; a lost phone and what it could still open."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.stories.conftest import City

pytestmark = pytest.mark.browser


def waiting(page: Page) -> int:
    """Return how many clients wait for a signature, as the page says."""
    return int(page.locator("p.lead").first.inner_text().split()[0])


def test_a_portfolio_consent_unblocks_everybody_behind_it(desk: Callable[..., Page]) -> None:
    page = desk("patrol")
    page.get_by_role("link", name="Brukare som väntar på medgivande").click()
    before = waiting(page)
    rows = page.locator("table.care-table tbody tr")
    owners, first = rows.count(), rows.first
    owner, blocked = first.locator("th").inner_text(), int(first.locator("b.waiting").inner_text())
    assert blocked > 1, "one owner holds up several"

    first.get_by_role("link", name="Registrera för alla fastigheter").click()
    expect(page.locator("#id_scope")).to_have_value("portfolio")
    page.get_by_role("button", name="Spara", exact=True).click()

    expect(page.locator(".messagelist")).to_contain_text(str(blocked))
    page.goto("/admin/care/consent/missing/")
    assert waiting(page) == before - blocked
    expect(page.locator("table.care-table")).not_to_contain_text(owner)
    expect(page.locator("table.care-table tbody tr")).to_have_count(owners - 1)


def test_a_lost_phone_is_revoked_and_its_exposure_followed(desk: Callable[..., Page], city: City) -> None:
    city.server.run("from server.access.tasks import issue_ahead; issue_ahead()")
    page = desk("patrol")
    # Somebody calls: "I have lost my phone." Whose it is stands on any of that person's keys.
    page.goto("/admin/access/token/?revoked_at__isempty=1")
    name = page.locator("#result_list tbody tr td.field-person").first.inner_text()
    page.goto("/admin/people/phone/")
    page.locator("#searchbar").fill(name)
    page.get_by_role("button", name="Sök").click()
    page.locator("#result_list tbody th a").first.click()
    page.get_by_role("link", name="Spärra").click()
    exposed = page.locator("table.verdicts tbody tr")
    doors = exposed.count()
    assert doors > 0
    expect(page.locator("table.verdicts")).to_contain_text("hämtar det vid nästa synkronisering")

    page.get_by_role("button", name="Spärra").click()
    expect(page.locator(".messagelist")).to_have_count(0)  # the browser asks for the tick first
    page.get_by_label("Varför").select_option("lost")
    page.get_by_label("Ja, spärra nu").check()
    page.get_by_role("button", name="Spärra").click()
    expect(page.locator(".messagelist")).to_contain_text("Spärrad")
    expect(page.locator("[data-opens=no] .verdict", has_text="inte ännu")).to_have_count(doors)

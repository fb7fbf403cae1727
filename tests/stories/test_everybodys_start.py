"""Everybody's first look in the morning: the start page of each role, and nothing of other roles'."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    "role", ["administrator", "patrol", "coordinator", "installer", "auditor", "owner_contact"]
)
def test_every_link_on_the_start_page_opens(desk: Callable[..., Page], role: str) -> None:
    page = desk(role)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Hej")
    links = page.locator("#content-main a, #user-tools a").evaluate_all(
        "links => [...new Set(links.map(a => a.pathname + a.search))]"
    )
    assert len(links) > 3
    for link in links:
        answer = page.request.get(link)
        assert answer.status == 200 and "/login/" not in answer.url, (role, link)

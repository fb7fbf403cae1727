"""In a city what takes long to count is counted once a minute, for everybody who sees the same."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client as Browser

from server.config import board
from server.passages.models import Deviation
from server.tenancy.admin_paginator import PatientPaginator
from tests.server.pages import coordinator_of
from tests.server.world import NOW, World

pytestmark = pytest.mark.once


def _dead(answer: Any) -> int:
    return sum(card.count for card in answer.context["cards"] if "dead_lock" in card.url)


def _one_more(world: World) -> None:
    common = {"municipality": world.municipality, "kind": "dead_lock", "opened_at": NOW}
    for binding in (world.gate_binding, world.apartment_binding):
        Deviation.objects.filter(lock=binding.lock, kind="dead_lock").update(closed_at=NOW)
        Deviation.objects.create(**common, door=binding.door, lock=binding.lock)


@pytest.mark.parametrize("city", [False, True])
def test_start_page_counts_once_a_minute_in_a_city_only(
    desk: Browser, everything: World, monkeypatch: pytest.MonkeyPatch, city: bool
) -> None:
    monkeypatch.setattr(board, "A_CITY", 1 if city else 1000)
    assert _dead(desk.get("/admin/")) == 0
    _one_more(everything)
    assert _dead(desk.get("/admin/")) == (0 if city else 2)
    cache.clear()  # the minute is over; a Redis would not believe a test's clock
    assert _dead(desk.get("/admin/")) == 2


def test_rule_08_nobody_is_shown_what_was_counted_for_other_eyes(
    desk: Browser, everything: World, monkeypatch: pytest.MonkeyPatch, client: Browser
) -> None:
    monkeypatch.setattr(board, "A_CITY", 1)
    seen = {str(card.title) for card in desk.get("/admin/").context["cards"]}
    narrow = Browser()
    narrow.force_login(coordinator_of(everything.provider))
    other = {str(card.title) for card in narrow.get("/admin/").context["cards"]}
    assert seen != other


def test_long_list_is_counted_once_a_minute(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PatientPaginator, "long", 1)
    rows = Deviation.objects.order_by("pk")
    _one_more(world)
    assert PatientPaginator(rows.all(), 50).count == 2
    _one_more(world)
    assert PatientPaginator(rows.all(), 50).count == 2
    assert PatientPaginator(rows.filter(kind="dead_lock"), 50).count == 4, "another list, another count"
    cache.clear()  # the minute is over; a Redis would not believe a test's clock
    assert PatientPaginator(rows.all(), 50).count == 4

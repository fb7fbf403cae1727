"""Fixtures of the server's tests: a municipality in scope, and one beside it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django_scopes import scope

from server.tenancy.models import Municipality
from tests.server.world import World, make_municipality, make_world


@pytest.fixture(autouse=True)
def fresh_cache() -> Iterator[None]:
    """Rate limits of one test must not reach the next."""
    cache.clear()
    yield


@pytest.fixture
def municipality(db: None) -> Municipality:
    return make_municipality()


@pytest.fixture
def world(municipality: Municipality) -> Iterator[World]:
    """A municipality where everything is in order; the test runs within its scope."""
    with scope(municipality=municipality):
        yield make_world(municipality)


@pytest.fixture
def other_world(world: World) -> World:
    """A second municipality that must never show; built outside the test's scope."""
    other = make_municipality("grannstad")
    with scope(municipality=other):
        return make_world(other)

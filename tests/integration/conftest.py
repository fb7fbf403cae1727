"""Fixtures of the tests in which a phone meets the real server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.cache import cache
from django.utils import timezone
from django_scopes import scope

from simulation.radio import Ether
from tests.integration.doorway import Coverage
from tests.integration.serverworld import PhoneAtServer
from tests.server.issuer import Issuer, found, give_sign_in, make_issuer


@pytest.fixture
def issuer(transactional_db: None) -> Iterator[Issuer]:
    """A municipality in order, with Alice on shift since an hour; the test runs within its scope."""
    cache.clear()
    municipality = found()
    with scope(municipality=municipality):
        made = make_issuer(municipality)
        give_sign_in(made.world.alice, "alice")
        made.world.shift.starts_at = timezone.now() - timedelta(hours=1)
        made.world.shift.ends_at = timezone.now() + timedelta(hours=7)
        made.world.shift.save()
        yield made


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    """The loop that the phone lives on; between its turns the test may use the database."""
    with asyncio.Runner() as made:
        yield made


@pytest.fixture
def coverage() -> Coverage:
    return Coverage()


@pytest.fixture
def ether(runner: asyncio.Runner) -> Ether:
    async def make() -> Ether:
        return Ether(seed=5)

    return runner.run(make())


@pytest.fixture
def alice(
    issuer: Issuer, live_server: object, runner: asyncio.Runner, tmp_path: Path
) -> Iterator[PhoneAtServer]:
    """Alice with a new phone in her hand, not enrolled yet."""
    phone = PhoneAtServer(runner, str(live_server), tmp_path)
    yield phone
    phone.do(phone.engine.stop())

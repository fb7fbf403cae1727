"""What every test shares."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.test.utils import override_settings
from hypothesis import HealthCheck, settings

from tests.plugins.migrated import copy_migrated

# Two slow cores must not turn a right answer into a failed deadline; the number of examples is what counts.
settings.register_profile("nyckelfri", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("nyckelfri")


LONGEST = (
    "tests/ui/test_layout.py",
    "tests/server/test_crawl.py",
    "tests/integration/test_demo.py",
    "tests/integration/test_whole_shift.py",
    "tests/ui/test_tour.py",
    "tests/stories/",
)
"""Begun first: a file is one process's, and the last one to end must not be a long one."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files in front; the others keep their order."""
    items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    return next((place for place, name in enumerate(LONGEST) if name in item.nodeid), len(LONGEST))


@pytest.fixture(scope="session", autouse=True)
def passwords_are_hashed_once() -> Iterator[None]:
    """`test_settings` sees to it that a real server does not."""
    with override_settings(PASSWORD_HASHERS=["tests.plugins.hashing.HashedOnce"]):
        yield


@pytest.fixture(scope="session")
def django_db_keepdb(django_db_modify_db_settings: None) -> bool:
    """Let pytest-django find an SQLite database that is migrated already; it makes PostgreSQL's itself."""
    database = django_settings.DATABASES["default"]
    if not database["ENGINE"].endswith("sqlite3"):
        return False
    copy_migrated(Path(database["TEST"]["NAME"]))
    return True

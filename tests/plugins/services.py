"""Chooses what the tests run on before settings are read: `--database=sqlite` (default) or `postgres`.

With `postgres` a real PostgreSQL and a real Redis are brought up first and taken down last. Either way the
server's files and secrets are the test run's own, never those under var/.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Generator
from typing import Any

import pytest

from tests.plugins.postgres import Postgres
from tests.plugins.redis import Redis

_CHOSEN = "NYCKELFRI_TEST_DATABASE"
_services: list[Postgres | Redis] = []
_folders: list[str] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        choices=["sqlite", "postgres"],
        default="sqlite",
        help="what the server's tests run on; postgres also brings up a real Redis",
    )


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, Any, Any]:
    # A wrapper, so that it comes before pytest-django reads the settings.
    if _CHOSEN not in os.environ:  # a worker of xdist inherits everything from the first process
        _prepare(early_config.known_args_namespace.database)
    elif "REDIS_URL" in os.environ and (worker := os.environ.get("PYTEST_XDIST_WORKER")):
        os.environ["REDIS_URL"] = _own_database(os.environ["REDIS_URL"], worker)
    return (yield)


def _own_database(redis_url: str, worker: str) -> str:
    """Return the address of a worker's own database: no other empties its cache or hears its news."""
    return f"{redis_url.rpartition('/')[0]}/{int(worker.removeprefix('gw')) + 1}"


def _prepare(database: str) -> None:
    atexit.register(pytest_unconfigure)  # also when pytest gives up before it is configured
    folder = tempfile.mkdtemp(prefix="nyckelfri-test-")
    _folders.append(folder)
    for name in ("DATABASE_URL", "REDIS_URL", "ALLOWED_HOSTS", "DEBUG"):
        os.environ.pop(name, None)
    os.environ.update(
        {
            _CHOSEN: database,
            "NYCKELFRI_VAR": folder,
            "SECRET_KEY": "only-for-tests",
            "KEY_ENCRYPTION_KEYS": "only-for-tests",
            "LOG_LEVEL": "WARNING",
        }
    )
    if database == "postgres":
        for name, service in (("DATABASE_URL", Postgres()), ("REDIS_URL", Redis())):
            _services.append(service)
            service.start()
            os.environ[name] = service.url
        os.environ["DATABASE_POOL"] = "false"  # the test database is dropped; a pool would hold it open


def pytest_unconfigure() -> None:
    while _services:
        _services.pop().stop()
    while _folders:
        shutil.rmtree(_folders.pop(), ignore_errors=True)


@pytest.fixture(scope="session")
def redis_url() -> Generator[str, None, None]:
    """The address of a real Redis: the run's own, or one just for the tests that ask."""
    if "REDIS_URL" in os.environ:
        yield os.environ["REDIS_URL"]
        return
    redis = Redis()
    redis.start()
    try:
        yield redis.url
    finally:
        redis.stop()

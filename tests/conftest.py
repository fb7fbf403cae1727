"""What every test shares."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test.utils import override_settings
from hypothesis import HealthCheck, settings

# Two slow cores must not turn a right answer into a failed deadline; the number of examples is what counts.
settings.register_profile("nyckelfri", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("nyckelfri")


@pytest.fixture(scope="session", autouse=True)
def passwords_are_hashed_once() -> Iterator[None]:
    """`test_settings` sees to it that a real server does not."""
    with override_settings(PASSWORD_HASHERS=["tests.plugins.hashing.HashedOnce"]):
        yield

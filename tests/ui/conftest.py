"""Every test here runs without a display: the shim comes before Kivy."""

from __future__ import annotations

import gc
import itertools
from collections.abc import Iterator

import pytest

from tests.ui import shim

__all__ = ["shim"]

TREES = 6
"""Apps to build before their trees are collected: a look through them costs more than building one."""


_tests = itertools.count(1)


@pytest.fixture(autouse=True)
def collect_seldom() -> Iterator[None]:
    """No collecting while a test runs, and only now and then between tests."""
    gc.disable()
    yield
    if next(_tests) % TREES == 0:
        gc.collect()
    gc.enable()

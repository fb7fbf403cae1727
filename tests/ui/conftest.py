"""Every test here runs without a display: the shim comes before Kivy."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from tests.ui import shim

__all__ = ["shim"]


@pytest.fixture(autouse=True)
def collect_nothing() -> Iterator[None]:
    """Put what a test leaves behind aside instead of collecting it.

    A tree of widgets is some hundred thousand objects that hold each other; looking through them takes longer
    than the test. The process ends with the run.
    """
    gc.disable()
    yield
    gc.freeze()
    gc.enable()

"""A telephone in hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.android.phone import Phone, held_in_hand


@pytest.fixture
def take() -> Iterator[Callable[..., Phone]]:
    """Take up a telephone of a kind: `take(sdk=30, location=False)`."""
    with ExitStack() as hands:

        def hand(**kind: Any) -> Phone:
            return hands.enter_context(held_in_hand(Phone(**kind)))

        yield hand

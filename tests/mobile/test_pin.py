"""Which PINs are refused, and why."""

from __future__ import annotations

import pytest

from mobile.engine.errors import WeakPinError
from mobile.engine.storage.pin import check_new_pin, normalise


@pytest.mark.parametrize(
    ("secret", "why"),
    [
        ("", "short"),
        ("49381", "short"),
        ("111111", "repeat"),
        ("121212", "repeat"),
        ("123123", "repeat"),
        ("115511", "repeat"),
        ("123456", "sequence"),
        ("890123", "sequence"),
        ("987654", "sequence"),
        ("246802", "sequence"),
        ("112233", "common"),
        ("493394", "common"),
        ("sommar", "short"),
        ("aaaaaaaaaaaa", "repeat"),
        ("4" * 129, "long"),
    ],
)
def test_weak_ones_are_refused(secret: str, why: str) -> None:
    with pytest.raises(WeakPinError) as refused:
        check_new_pin(secret)
    assert refused.value.details["why"] == why


@pytest.mark.parametrize("secret", ["493817", "70418263", "vinterns långa promenader", "kaffe & kanelbulle"])
def test_good_ones_pass(secret: str) -> None:
    check_new_pin(secret)


def test_composed_and_decomposed_letters_are_the_same() -> None:
    assert normalise("l\u00e5ng") == normalise("la\u030ang")

"""Contrast of at least 4.5:1 for every pair that carries words, in both palettes."""

from __future__ import annotations

import pytest

from mobile.ui.palette import DARK, LIGHT, TEXT_PAIRS, contrast


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("pair", TEXT_PAIRS, ids=lambda pair: f"{pair[0]} on {pair[1]}")
def test_words_can_be_read(palette: dict[str, str], pair: tuple[str, str]) -> None:
    assert contrast(palette[pair[0]], palette[pair[1]]) >= 4.5


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("tone", ["good", "warn", "bad", "running"])
def test_faint_buttons_on_full_colour_can_be_read(palette: dict[str, str], tone: str) -> None:
    """The second buttons of the result screen are the ink at 12 % over the colour."""
    ground, ink = palette[tone], palette[f"over_{tone}"]
    mixed = "".join(
        f"{round(0.88 * int(ground[i : i + 2], 16) + 0.12 * int(ink[i : i + 2], 16)):02X}" for i in (0, 2, 4)
    )
    assert contrast(ink, mixed) >= 4.5


def test_contrast_is_the_one_of_wcag() -> None:
    assert round(contrast("000000", "FFFFFF"), 2) == 21
    assert round(contrast("777777", "FFFFFF"), 2) == 4.48

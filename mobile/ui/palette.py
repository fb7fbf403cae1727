"""Colours as data: two palettes, and the pairs that carry text. A test computes every pair's contrast.

Calm petrol on warm paper. Full colour is kept for results (green, amber, red, and blue while the lock
works) and, in a colour that is none of theirs, for alarms.
Hex RGB; contrast by WCAG 2.1 (relative luminance).
"""

from __future__ import annotations

LIGHT = {
    "ground": "F3F1EA",
    "surface": "FFFFFF",
    "fill": "E8E5DB",
    "outline": "D3CFC2",
    "text": "16211F",
    "muted": "525D59",
    "primary": "0B5A5C",
    "over_primary": "FFFFFF",
    "soft": "D8E8E4",
    "over_soft": "0A4546",
    "good": "16693D",
    "over_good": "FFFFFF",
    "warn": "F2B53C",
    "over_warn": "2A1A00",
    "bad": "A8261C",
    "over_bad": "FFFFFF",
    "running": "144C72",
    "over_running": "FFFFFF",
    "stale": "FADFDA",
    "over_stale": "86190F",
    "notice": "FBEBC8",
    "over_notice": "4A3300",
    "alarm": "7B0F3E",
    "over_alarm": "FFFFFF",
}
DARK = {
    "ground": "0E1615",
    "surface": "182422",
    "fill": "243431",
    "outline": "36473F",
    "text": "EDF3F0",
    "muted": "A8B7B1",
    "primary": "79D3C6",
    "over_primary": "04302C",
    "soft": "1D3D39",
    "over_soft": "AEE8DF",
    "good": "1B7344",
    "over_good": "FFFFFF",
    "warn": "F2B53C",
    "over_warn": "2A1A00",
    "bad": "B4342A",
    "over_bad": "FFFFFF",
    "running": "1B5A85",
    "over_running": "FFFFFF",
    "stale": "50190F",
    "over_stale": "FFCFC7",
    "notice": "443413",
    "over_notice": "FCE3AF",
    "alarm": "8A1548",
    "over_alarm": "FFFFFF",
}
TEXT_PAIRS = (
    ("text", "ground"),
    ("text", "surface"),
    ("text", "fill"),
    ("muted", "ground"),
    ("muted", "surface"),
    ("muted", "fill"),
    ("primary", "ground"),
    ("primary", "surface"),
    ("over_primary", "primary"),
    ("over_soft", "soft"),
    ("over_good", "good"),
    ("over_warn", "warn"),
    ("over_bad", "bad"),
    ("over_running", "running"),
    ("over_stale", "stale"),
    ("over_notice", "notice"),
    ("over_alarm", "alarm"),
)


def rgba(value: str, alpha: float = 1.0) -> list[float]:
    """Hex to four numbers between 0 and 1."""
    return [int(value[place : place + 2], 16) / 255 for place in (0, 2, 4)] + [alpha]


def luminance(value: str) -> float:
    """WCAG 2.1 relative luminance."""
    red, green, blue = (
        channel / 12.92 if channel <= 0.03928 else ((channel + 0.055) / 1.055) ** 2.4
        for channel in rgba(value)[:3]
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG 2.1 contrast ratio, 1 to 21."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)

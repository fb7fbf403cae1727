"""Numbers of rows as addresses and forms bring them."""

from __future__ import annotations

MOST_DIGITS = 18
"""Every such number fits into the 64 bits of the database; a longer one would break the query."""


def row_number(text: str | int | None) -> int:
    """Return the number of a row; 0, which no row has, for what is no number or no row's."""
    digits = str(text or "")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= MOST_DIGITS else 0

"""Which days and moments may be entered at all: those that everything can still compute with.

Business systems write the year 9999 for "until further notice", and a slip of the hand makes the year 1. A
day more, an hour less or another time zone, and such a moment is outside the calendar: one row would stop the
issuing of everybody's keys.
"""

from __future__ import annotations

from datetime import date

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

FIRST_YEAR, LAST_YEAR = 1900, 2199


def is_within_reach(value: date) -> bool:
    """Return whether a day or a moment may be entered."""
    return FIRST_YEAR <= value.year <= LAST_YEAR


def within_reach(value: date) -> None:
    """Validate a day or a moment of a form or a row; raises `ValidationError`."""
    if not is_within_reach(value):
        raise ValidationError(_("Choose a time between 1900 and 2199; leave an open end empty."))

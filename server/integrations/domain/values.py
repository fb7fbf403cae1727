"""Reading single values of imported rows; what cannot be read says what is wrong and how to mend it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from server.switches.localtime import LocalTimeError, to_instant
from server.tenancy.moments import is_within_reach

Text = str | Promise
_PERSONAL = re.compile(r"(?<!\d)(?:(?:18|19|20)\d{2}|\d{2})(\d{2})(\d{2})[-+ ]?\d{4}(?!\d)")
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
_MOST_DAYS = 91
"""Coordination numbers add 60 to the day."""


class BadValueError(ValueError):
    """A value that cannot be used."""

    def __init__(self, what: Text, mend: Text) -> None:
        super().__init__(str(what))
        self.what, self.mend = what, mend


def looks_personal(text: str) -> bool:
    """Return whether something like a Swedish personal identity number stands in the text."""
    return any(
        1 <= int(month) <= 12 and (1 <= int(day) <= 31 or 61 <= int(day) <= _MOST_DAYS)
        for month, day in _PERSONAL.findall(text)
    )


def text(most: int) -> Callable[[Any], str]:
    """Return a reader of texts up to `most` characters."""

    def read(value: Any) -> str:
        if not isinstance(value, str | int) or isinstance(value, bool):
            raise BadValueError(_("not a text"), _("Write it as a text."))
        found = str(value).strip()
        if len(found) > most:
            raise BadValueError(
                format_lazy(_("longer than {most} characters"), most=most), _("Write it shorter.")
            )
        if "\0" in found or not found.isprintable():
            raise BadValueError(_("has characters that cannot be shown"), _("Take them out."))
        return found

    return read


def identity(most: int) -> Callable[[Any], str]:
    """Return a reader of identities, which are never personal identity numbers."""
    plain = text(most)

    def read(value: Any) -> str:
        found = plain(value)
        if looks_personal(found):
            raise BadValueError(
                _("looks like a personal identity number"),
                _("Use an identity that says nothing about the person."),
            )
        return found

    return read


def code(most: int) -> Callable[[Any], str]:
    """Return a reader of what names a client: a code with a digit, never a name or a personal number."""
    plain = identity(most)

    def read(value: Any) -> str:
        found = plain(value)
        if found and not (_CODE.fullmatch(found) and any(one.isdigit() for one in found)):
            raise BadValueError(
                _("looks like a name, not like a code"),
                _("Clients are known by codes of letters and digits only, never by name."),
            )
        return found

    return read


def moment(value: Any) -> datetime:
    """Read a time: ISO 8601, with offset, or local Swedish time without."""
    try:
        found = datetime.fromisoformat(value.strip()) if isinstance(value, str) else None
    except ValueError:
        found = None
    if found is None or len(value.strip()) <= len("2026-01-31"):
        raise BadValueError(
            _("not a date and time"), _("Write it as 2026-01-31 07:00 or 2026-01-31T07:00:00+01:00.")
        )
    _refuse_beyond_reach(found)
    if found.tzinfo is not None:
        return found
    try:
        return to_instant(found)
    except LocalTimeError as error:
        raise BadValueError(str(error), _("Write the time with its offset, such as +01:00.")) from error


def day(value: Any) -> date:
    """Read a date."""
    try:
        found = date.fromisoformat(str(value).strip())
    except ValueError as error:
        raise BadValueError(_("not a date"), _("Write it as 2026-01-31.")) from error
    _refuse_beyond_reach(found)
    return found


def _refuse_beyond_reach(found: date) -> None:
    """Many systems write the year 9999 for an end that nobody knows."""
    if not is_within_reach(found):
        raise BadValueError(_("not between 1900 and 2199"), _("Leave an open end empty."))


_YES = frozenset({"1", "true", "yes", "ja", "j", "y"})
_NO = frozenset({"0", "false", "no", "nej", "n"})


def flag(value: Any) -> bool:
    """Read yes or no."""
    said = str(value).strip().lower()
    if said in _YES:
        return True
    if said in _NO:
        return False
    raise BadValueError(_("neither yes nor no"), _("Write yes or no, ja or nej, 1 or 0."))


def order(value: Any) -> int:
    """Read a small whole number."""
    said = str(value).strip()
    if said.isascii() and said.isdecimal() and len(said) < 6 and int(said) <= 32767:
        return int(said)
    raise BadValueError(_("not a whole number"), _("Write a number from 0 to 32767."))

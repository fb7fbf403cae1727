"""Filters of the list of locks: what somebody works from, with the days, percent or hours to choose.

Any whole number within bounds may stand in the address (`?silent=10`); the choices are only the usual ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from server.locks import list_queries
from server.locks.models import Lock


class NumberFilter(admin.SimpleListFilter):
    """Rows on the wrong side of a number that the person chooses."""

    usual: ClassVar[tuple[int, ...]] = ()
    most: ClassVar[int] = 365
    words: ClassVar[Any] = ""
    """What a choice reads, with `%(n)d` in it."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The usual numbers, and the one in the address when it is another."""
        chosen = self.number()
        numbers = sorted({*self.usual, *([chosen] if chosen is not None else [])})
        return [(str(number), self.words % {"n": number}) for number in numbers]

    def number(self) -> int | None:
        """Return the chosen number; None when nothing or nonsense is chosen."""
        value = self.value() or ""
        number = int(value) if value.isascii() and value.isdigit() and len(value) <= 4 else 0
        return number if 1 <= number <= self.most else None

    def queryset(self, request: HttpRequest, queryset: QuerySet[Lock]) -> QuerySet[Lock]:
        """Only the rows beyond the number; a value that is no number finds nothing rather than everything."""
        if self.value() is None:
            return queryset
        number = self.number()
        return queryset.none() if number is None else self.narrowed(queryset, number)

    def narrowed(self, rows: QuerySet[Lock], number: int) -> QuerySet[Lock]:
        """Return the rows beyond `number`."""
        raise NotImplementedError


class SilentFilter(NumberFilter):
    """Locks that no phone has brought anything from for so many days."""

    title = _("silent")
    parameter_name = "silent"
    usual = (1, 3, 7, 14, 30)
    words = ngettext_lazy("for %(n)d day", "for %(n)d days", "n")

    def narrowed(self, rows: QuerySet[Lock], number: int) -> QuerySet[Lock]:
        """Silent for `number` days."""
        return list_queries.silent(rows, at=timezone.now(), days=number)


class BatteryFilter(NumberFilter):
    """Locks whose batteries read below so many percent."""

    title = _("battery")
    parameter_name = "battery"
    usual = (10, 20, 30, 50)
    most = 100
    words = _("below %(n)d %%")

    def narrowed(self, rows: QuerySet[Lock], number: int) -> QuerySet[Lock]:
        """Below `number` percent."""
        return list_queries.low_battery(rows, percent=number)


class BulletinFilter(NumberFilter):
    """Locks that have not told for so many hours that they know the newest bulletin."""

    title = _("bulletin not known")
    parameter_name = "bulletin"
    usual = (24, 48, 96, 168)
    most = 720
    words = ngettext_lazy("for %(n)d hour", "for %(n)d hours", "n")

    def narrowed(self, rows: QuerySet[Lock], number: int) -> QuerySet[Lock]:
        """A bulletin older than `number` hours is not known."""
        return list_queries.bulletin_unknown(rows, at=timezone.now(), hours=number)


_CONDITIONS: dict[str, tuple[str | Promise, Callable[[QuerySet[Lock]], QuerySet[Lock]]]] = {
    "dead": (_("reported dead"), list_queries.reported_dead),
    "clock": (_("clock uncertain"), list_queries.clock_uncertain),
    "gap": (_("log has a gap"), list_queries.with_gap),
    "unconfirmed": (_("waits for the lock's confirmation"), list_queries.unconfirmed),
}


class ConditionFilter(admin.SimpleListFilter):
    """Locks in a condition that somebody should look at."""

    title = _("to look at")
    parameter_name = "condition"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The conditions."""
        return [(name, words) for name, (words, _narrow) in _CONDITIONS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Lock]) -> QuerySet[Lock]:
        """Only those in the chosen condition."""
        chosen = _CONDITIONS.get(self.value() or "")
        return chosen[1](queryset) if chosen else queryset

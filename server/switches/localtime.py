"""Instants as people write them: local time in Sweden, with the two hours a year when that is not enough."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext as _


class LocalTimeError(ValueError):
    """A local time that is no single instant; the message says what to write instead."""


def to_instant(local: datetime) -> datetime:
    """Return the instant of a naive local time; raises `LocalTimeError` where clocks go forward or back."""
    zone = ZoneInfo(settings.TIME_ZONE)
    first, second = local.replace(tzinfo=zone, fold=0), local.replace(tzinfo=zone, fold=1)
    before, after = first.utcoffset() or timedelta(), second.utcoffset() or timedelta()
    if before == after:
        return first.astimezone(UTC)
    words = {"time": f"{local:%H:%M}", "day": f"{local:%Y-%m-%d}"}
    if before > after:
        raise LocalTimeError(
            _(
                "%(time)s comes twice on %(day)s, when summer time ends. "
                "Choose 01:59 or 03:00, which come once."
            )
            % words
        )
    raise LocalTimeError(
        _("There is no %(time)s on %(day)s: summer time begins and 02:00 is 03:00. Choose 01:59 or 03:00.")
        % words
    )

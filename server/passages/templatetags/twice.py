"""The hour that the clocks of a place show twice, on the night when summer time ends."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

register = template.Library()


@register.filter
def twice(moment: datetime | None) -> str:
    """Say which of the two a moment is in; nothing for a time of day that comes once."""
    if moment is None:
        return ""
    local = localtime(moment)
    if local.utcoffset() == local.replace(fold=1 - local.fold).utcoffset():
        return ""
    return _("summer time") if local.dst() else _("normal time")

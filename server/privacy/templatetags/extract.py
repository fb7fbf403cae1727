"""What a register extract says to people: names of fields in words, instants by the clock on the wall.

The machine's half of the extract keeps the fields' own names and UTC.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

register = template.Library()

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
WORDS: dict[str, str | Promise] = {
    "after": _("after"),
    "answer": _("answer"),
    "answered": _("answered"),
    "at": _("at"),
    "before": _("before"),
    "by_the_person": _("done by the person"),
    "cancelled": _("cancelled"),
    "client": _("client, by alarm code"),
    "created": _("made"),
    "door": _("door"),
    "email": _("e-mail"),
    "employed_from": _("employed from"),
    "employed_to": _("employed to"),
    "enrolled": _("enrolled"),
    "expires": _("ends"),
    "external_id": _("identity in the business system"),
    "first_name": _("first name"),
    "from": _("from"),
    "grounds": _("grounds"),
    "happened": _("happened"),
    "joined": _("sign-in made"),
    "kind": _("kind"),
    "known": _("became known"),
    "last_login": _("last signed in"),
    "last_name": _("last name"),
    "model": _("model"),
    "name": _("name"),
    "object": _("object"),
    "offered": _("asked"),
    "opened_before_known_revocation": _("opened before known revocation"),
    "phone": _("phone"),
    "pool": _("pool phone"),
    "provider": _("care provider"),
    "reason": _("reason"),
    "revoked": _("revoked"),
    "right": _("right beside the plan"),
    "second_factors": _("second factors"),
    "shift": _("shift from"),
    "source": _("source"),
    "team": _("team"),
    "time_uncertain": _("clock uncertain"),
    "to": _("to"),
    "used": _("used"),
    "username": _("user name"),
    "visit": _("visit from"),
    "what": _("what"),
}
"""Every field that a class of personal data hands out."""


@register.filter
def field_in_words(key: str) -> str:
    """Return a field's name in words."""
    return str(WORDS.get(key, key))


@register.filter
def value_in_words(value: Any) -> Any:
    """Return an instant by the clock on the wall, yes or no for a truth, anything else as it is."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, str) and INSTANT.match(value):
        return f"{timezone.localtime(datetime.fromisoformat(value)):%Y-%m-%d %H:%M}"
    return value

"""What people read about passages: the protocol's names of entries, refusals and outcomes, in plain words."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

KINDS: dict[str, str | Promise] = {
    "granted": _("granted"),
    "refused": _("refused"),
    "outcome": _("outcome"),
    "bound": _("mounted on a door"),
    "unbound": _("taken off its door"),
    "boot": _("the lock restarted"),
    "relocked": _("locked by itself"),
    "hand": _("by hand during a visit"),
    "hand_count": _("openings by hand that day"),
    "failures": _("failed attempts by strangers"),
    "bulletin": _("the lock took in a bulletin"),
    "clock": _("the clock was set"),
    "low_battery": _("low battery"),
    "store_corrupt": _("the lock's memory was damaged"),
    "receipt_alarm": _("a receipt for another history"),
    "firmware": _("a new program for the lock"),
    "tamper": _("the lock's cover was opened or closed"),
}

REASONS: dict[str, str | Promise] = {
    "malformed": _("the request could not be read"),
    "key_unknown": _("unknown issuer key"),
    "wrong_binding": _("the key is for another door"),
    "token_invalid": _("the key is not genuine for this phone"),
    "not_yet_valid": _("the key is not valid yet"),
    "expired": _("the key has expired"),
    "need_update": _("the lock needs newer news first"),
    "time_uncertain": _("the lock does not know the time"),
    "revoked": _("the key is revoked"),
    "provider_ended": _("the provider's keys have ended here"),
    "not_permitted": _("not permitted with this key"),
    "busy": _("another phone was acting"),
    "battery_empty": _("the battery's reserve is kept for locking"),
    "lock_fault": _("fault in the lock"),
    "moved": _("the bolt moved"),
    "already": _("it was so already"),
    "jam": _("the bolt jammed"),
    "timeout": _("the bolt did not report in time"),
    "by_hand": _("a hand took over"),
    "ajar": _("the door stands open"),
    "unknown": _("unknown: the lock restarted"),
    "early": _("early warning"),
    "kept": _("it came up and is kept"),
    "fell_back": _("it did not come up, the earlier one runs"),
    "took_over": _("the one before was damaged, this one took over"),
    "damaged": _("it was damaged before it ran"),
    "nothing_to_move": _("a service session, nothing moved"),
}

COMMANDS: dict[str, str | Promise] = {
    "open": _("unlocking"),
    "lock": _("locking"),
    "service": _("an installer's service"),
}

WARNINGS = frozenset(
    {
        "jam",
        "timeout",
        "unknown",
        "ajar",
        "battery_empty",
        "lock_fault",
        "low_battery",
        "store_corrupt",
        "receipt_alarm",
        "fell_back",
        "took_over",
        "damaged",
        "tamper",
        "clock",
        "boot",
    }
)


def describe(kind: str, reason: str, command: str = "") -> str:
    """Return what happened in one line, in the active language; unknown names are shown as they are."""
    words = "" if kind == "outcome" else str(KINDS.get(kind, kind))
    if kind == "relocked" and reason not in ("", "moved", "already"):
        words = gettext("did not lock by itself")
    if command in COMMANDS and kind in ("granted", "refused"):
        words = f"{COMMANDS[command]}: {words}"
    if reason and reason != "granted":
        why = str(REASONS.get(reason, reason))
        words = f"{words} – {why}" if words else why
    return str(capfirst(words or gettext("outcome")))


BEFORE_KNOWN = _("opened before known revocation")
"""The class of its own: not a denial, and not an ordinary opening."""


def tone(kind: str, reason: str, *, before_known: bool = False) -> str:
    """Return how a row should look: `meanwhile`, `refused`, `warning`, `opened` or `quiet`."""
    if before_known:
        return "meanwhile"
    if kind in ("refused", "failures"):
        return "refused"
    if kind in WARNINGS or reason in WARNINGS:
        return "warning"
    return "opened" if kind in ("granted", "outcome") and reason != "nothing_to_move" else "quiet"

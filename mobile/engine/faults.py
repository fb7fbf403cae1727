"""Faults nobody foresaw, told to the log by type and place only: their messages may quote secrets."""

from __future__ import annotations

import logging
import traceback

log = logging.getLogger("nyckelfri.phone")

TALKATIVE = ("httpx", "httpcore", "websockets", "bleak", "asyncio")
"""Libraries whose detailed logs tell of headers (a device token), addresses and doors."""


def hush() -> None:
    """Keep what passes through the libraries out of any log, whatever level somebody else asks for.

    Kivy lets everything through, and on a phone its log is the system's.
    """
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


def note(what: str, error: Exception) -> None:
    """Log that ``what`` failed, and where."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "nowhere"
    log.error("%s failed: %s in %s", what, type(error).__name__, place)

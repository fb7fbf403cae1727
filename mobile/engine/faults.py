"""Faults nobody foresaw, told to the log by type and place only: their messages may quote secrets."""

from __future__ import annotations

import logging
import traceback

log = logging.getLogger("nyckelfri.phone")


def note(what: str, error: Exception) -> None:
    """Log that ``what`` failed, and where."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "nowhere"
    log.error("%s failed: %s in %s", what, type(error).__name__, place)

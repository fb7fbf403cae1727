"""App versions: which is older, and which is too old."""

from __future__ import annotations

import re

from server.problems import Problem
from server.tenancy.models import Municipality
from server.tenancy.policy import policy_of

VERSION = r"^[0-9]{1,4}\.[0-9]{1,4}\.[0-9]{1,4}$"


def parse_version(text: str) -> tuple[int, ...]:
    """Return a version as numbers that compare; an unreadable one is older than all."""
    return tuple(int(part) for part in text.split(".")) if re.match(VERSION, text) else ()


def refuse_old_app(municipality: Municipality, app_version: str) -> None:
    """Raise `Problem` app_too_old when the app is older than the municipality allows."""
    minimum = policy_of(municipality).minimum_app_version
    if parse_version(app_version) < parse_version(minimum):
        raise Problem("app_too_old", minimum_app_version=minimum)

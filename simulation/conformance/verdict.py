"""What came of a case."""

from __future__ import annotations

from dataclasses import dataclass


class DeviationError(Exception):
    """The implementation under test did something else than the page says; the message says what."""


@dataclass(frozen=True)
class Verdict:
    """One case's line in the table; ``wrong`` is empty when it passed."""

    name: str
    section: str
    wrong: str = ""


def expect(wanted: object, got: object, what: str) -> None:
    """Raise DeviationError unless the two are equal."""
    if wanted != got:
        raise DeviationError(f"{what}: expected {_name(wanted)}, got {_name(got)}")


def _name(value: object) -> str:
    return getattr(value, "slug", None) or getattr(value, "name", None) or repr(value)

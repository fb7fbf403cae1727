"""The sweep: what has had its time is shredded, row by row, each in a transaction of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Model

from server.people.models import StaffMember, User
from server.privacy.domain.base import DataClass, was_shredded
from server.privacy.domain.people import Staff
from server.privacy.domain.register import CLASSES
from server.privacy.rules import times
from server.tenancy.models import Municipality
from server.tenancy.scoping import whole_municipality

MOST_AT_ONCE = 500
"""Rows of a class in one run: the next run takes the rest."""


class StillNeededError(ValueError):
    """A person cannot be pseudonymised yet: employed, or something is unfinished."""


@dataclass(frozen=True)
class Due:
    """One class and how many rows of it have had their time."""

    data_class: DataClass
    count: int
    by_itself: bool
    """Whether the class shreds; the others go with the person."""


@whole_municipality()
def preview(municipality: Municipality, *, at: datetime) -> list[Due]:
    """Return, by class, how much has had its time."""
    limits = times(municipality, at=at)
    found = []
    for one in CLASSES:
        rows = one.due(limits)
        found.append(Due(one, rows.count() if rows is not None else 0, rows is not None))
    return found


@whole_municipality()
def sweep(municipality: Municipality, *, at: datetime, actor: User | None = None) -> int:
    """Shred what has had its time; returns how many rows. Twice, late or interrupted is harmless."""
    limits = times(municipality, at=at)
    shredded = 0
    for one in CLASSES:
        rows = one.due(limits)
        for row in rows.order_by("pk")[:MOST_AT_ONCE] if rows is not None else ():
            shredded += _shred(one, row, at, actor)
    return shredded


def _shred(one: DataClass, row: Any, at: datetime, actor: User | None) -> bool:
    with transaction.atomic():
        held = _held(row)
        return held is not None and one.shred(held, at=at, actor=actor)


def _held(row: Model) -> Model | None:
    """Return the row as it is now, locked; None when somebody else has shredded it meanwhile."""
    found: Model | None = type(row)._default_manager.select_for_update(no_key=True).filter(pk=row.pk).first()
    return found


@whole_municipality()
def pseudonymise(*, staff: StaffMember, at: datetime, actor: User | None) -> None:
    """Pseudonymise one person who has left, before the time is up; raises `StillNeededError`.

    The months after leaving need not have passed, when the person asks for it and nothing stands against it.
    """
    if staff.employed_to is None or staff.employed_to >= at.date() or was_shredded(staff, Staff.slug):
        raise StillNeededError
    if not _shred(Staff(), staff, at, actor):
        raise StillNeededError

"""A class of personal data: it names what it holds, hands it out, and shreds what has had its time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar

from django.db.models import CharField, Exists, Model, OuterRef, QuerySet
from django.db.models.functions import Cast
from django.utils.functional import Promise

from server.people.models import StaffMember, User
from server.privacy.models import Shredding
from server.privacy.rules import Times


class DataClass(ABC):
    """One class of personal data."""

    slug: ClassVar[str]
    label: ClassVar[str | Promise]
    holds: ClassVar[str | Promise]
    """What, in plain words."""
    kept: ClassVar[str | Promise]
    """For how long, and what happens then."""
    claims: ClassVar[frozenset[str]]
    """The text fields it answers for, as app.Model.field."""

    @abstractmethod
    def export(self, staff: StaffMember) -> Iterable[Mapping[str, Any]]:
        """Return everything of this class that is held of one person, as plain values."""

    def due(self, times: Times) -> QuerySet[Any] | None:
        """Return the rows that have had their time; None where they go with another class."""
        return None

    def shred(self, row: Any, *, at: datetime, actor: User | None) -> bool:
        """Shred one row in the caller's transaction; False when something still stands against it."""
        raise NotImplementedError


def not_shredded(rows: QuerySet[Any], slug: str) -> QuerySet[Any]:
    """Return the rows that this class has not shredded yet."""
    done = Shredding.objects.filter(
        data_class=slug,
        object_type=rows.model._meta.label_lower,
        object_id=Cast(OuterRef("pk"), CharField()),
    )
    return rows.filter(~Exists(done))


def note(row: Model, slug: str, *, at: datetime, actor: User | None, count: int = 1) -> Shredding:
    """Record that a row was shredded."""
    made: Shredding = Shredding.objects.create(
        municipality_id=row.municipality_id,  # type: ignore[attr-defined]
        data_class=slug,
        at=at,
        by=actor,
        object_type=row._meta.label_lower,
        object_id=str(row.pk),
        count=count,
    )
    return made


def was_shredded(row: Model, slug: str) -> bool:
    """Return whether a row was shredded."""
    found = Shredding.objects.filter(
        data_class=slug, object_type=row._meta.label_lower, object_id=str(row.pk)
    )
    return found.exists()


def moment(at: datetime | None) -> str | None:
    """Return a time as plain text."""
    return at.isoformat() if at is not None else None

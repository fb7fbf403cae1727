"""What every tenant row has: a municipality, scoped managers and, for imported things, an origin."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from server.tenancy.moments import within_reach
from server.tenancy.scoping import ScopedManager


class TenantModel(models.Model):
    """A row that belongs to one municipality."""

    municipality = models.ForeignKey(
        "tenancy.Municipality", on_delete=models.PROTECT, related_name="+", verbose_name=_("municipality")
    )

    objects: ClassVar[ScopedManager[Any]] = ScopedManager()
    unscoped: ClassVar[models.Manager[Any]] = models.Manager()

    class Meta:
        abstract = True

    def clean_fields(self, exclude: Collection[str] | None = None) -> None:
        """Refuse moments that nothing could be computed with (`server.tenancy.moments`)."""
        super().clean_fields(exclude=exclude)
        wrong = {}
        for field in self._meta.concrete_fields:
            value = getattr(self, field.attname)
            if isinstance(value, date) and field.name not in (exclude or ()):
                try:
                    within_reach(value)
                except ValidationError as error:
                    wrong[field.name] = error
        if wrong:
            raise ValidationError(wrong)

    def clean(self) -> None:
        """Refuse relations across municipalities; a form cannot choose them, code might."""
        super().clean()
        for field in self._meta.concrete_fields:
            if not isinstance(field, models.ForeignKey) or getattr(self, field.attname) is None:
                continue
            target = field.related_model
            if isinstance(target, type) and issubclass(target, TenantModel):
                self._refuse_foreign(field.name, getattr(self, field.name))

    def _refuse_foreign(self, name: str, other: TenantModel) -> None:
        if other.municipality_id != self.municipality_id:
            raise ValidationError({name: _("This belongs to another municipality.")})


class ImportedModel(TenantModel):
    """A row that may come from a business system: (source, external id), never the primary key."""

    source = models.CharField(
        _("source"),
        max_length=32,
        blank=True,
        default="",
        help_text=_("The business system it was imported from; empty when entered here."),
    )
    external_id = models.CharField(
        _("external id"),
        max_length=64,
        blank=True,
        default="",
        help_text=_("Its identity in that system. Never a personal identity number."),
    )

    class Meta:
        abstract = True
        constraints = [
            models.UniqueConstraint(
                fields=["municipality", "source", "external_id"],
                condition=~models.Q(external_id=""),
                name="%(app_label)s_%(class)s_unique_origin",
                violation_error_message=_("Something with this source and external id exists already."),
            ),
            models.CheckConstraint(
                condition=models.Q(source="", external_id="")
                | ~models.Q(source="") & ~models.Q(external_id=""),
                name="%(app_label)s_%(class)s_whole_origin",
                violation_error_message=_("Give both source and external id, or neither."),
            ),
        ]


def ends_after_start(name: str, start: str, end: str) -> models.CheckConstraint:
    """Return a constraint: the period [start, end) is not empty; an open end is allowed."""
    return models.CheckConstraint(
        condition=models.Q(**{f"{end}__isnull": True}) | models.Q(**{f"{end}__gt": models.F(start)}),
        name=name,
        violation_error_message=_("The end must be after the start."),
    )

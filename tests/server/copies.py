"""Copies of a filled municipality's rows: what a page meets when there is more of everything.

Each copy is made twice over where the database allows it: once as another child of the same parent (a door
with one more client), once in a world of its own (another door with another client). Unique names, numbers
and ids are made new; everything else is the original's.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.db import IntegrityError, models, transaction

from server.tenancy.base import TenantModel
from server.tenancy.fields import BytesField

Rows = dict[type[models.Model], list[models.Model]]
Copied = dict[tuple[type[models.Model], Any], models.Model]


def tenant_models() -> list[type[TenantModel]]:
    """Every model with a municipality, parents before children."""
    left = [model for model in apps.get_models() if issubclass(model, TenantModel)]
    ordered: list[type[TenantModel]] = []
    while left:
        ready = [model for model in left if not _parents(model) & (set(left) - {model})]
        for model in ready or left[:1]:  # a ring is broken anywhere: the later side keeps its original parent
            ordered.append(model)
            left.remove(model)
    return ordered


def _parents(model: type[models.Model]) -> set[Any]:
    return {field.related_model for field in _relations(model)}


def _relations(model: type[models.Model]) -> list[models.ForeignKey[Any, Any]]:
    return [field for field in model._meta.concrete_fields if isinstance(field, models.ForeignKey)]


def originals(municipality_id: int) -> Rows:
    """Return the rows that are there now, by model."""
    return {
        model: list(model.unscoped.filter(municipality=municipality_id).order_by("pk"))
        for model in tenant_models()
    }


def copy_everything(rows: Rows, number: int) -> None:
    """Add copy `number` of every row, beside the original and in a world of its own."""
    copied: Copied = {}
    for model, found in rows.items():
        for row in found:
            made = _insert(row, number, copied) or _insert(row, number, {})
            if made is not None:
                copied[model, row.pk] = made
            _insert(row, -number, {})


def _insert(row: models.Model, number: int, copied: Copied) -> models.Model | None:
    model = type(row)
    copy = model(**{field.attname: getattr(row, field.attname) for field in model._meta.concrete_fields})
    copy.pk = None
    for field in _relations(model):
        there = copied.get((field.related_model, getattr(row, field.attname)))  # type: ignore[arg-type]
        if there is not None:
            setattr(copy, field.attname, there.pk)
    for field in _named(model):
        setattr(copy, field.attname, _another(field, getattr(row, field.attname), number))
    try:
        with transaction.atomic():
            copy.save_base(raw=True, force_insert=True)
    except IntegrityError:
        return None
    return copy


def _named(model: type[models.Model]) -> Iterable[Any]:
    """Return the plain fields that take part in telling one row from another."""
    constraints = [one for one in model._meta.constraints if isinstance(one, models.UniqueConstraint)]
    unique = {name for one in constraints for name in one.fields}
    for field in model._meta.concrete_fields:
        if field.primary_key or field.is_relation or field.choices:
            continue
        # A stretch of numbers moves as a whole.
        if field.unique or field.name in unique or field.name.endswith("_seq"):
            yield field


def _another(field: models.Field[Any, Any], value: Any, number: int) -> Any:
    if value is None or value == "":
        return value
    if isinstance(field, BytesField):
        return secrets.token_bytes(len(value))
    if isinstance(field, models.CharField):
        return f"{value} {number}"[-(field.max_length or 100) :]
    if isinstance(field, models.IntegerField):
        return value + 100 + number
    return value

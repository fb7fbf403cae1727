"""Isolation between municipalities that fails loudly.

Every tenant model has a scoped manager as its *default* manager, so that forms, reverse relations and
prefetches are scoped too. A query outside `django_scopes.scope(municipality=…)` raises `ScopeError`
instead of answering with everybody's rows. `Model.unscoped` is the documented way around it, for sweeps over
all municipalities and for look-ups that find the municipality in the first place (a device token).
"""

from __future__ import annotations

from typing import Any, TypeVar

from django.db import models
from django_scopes.manager import DisabledQuerySet
from django_scopes.state import get_scope

M = TypeVar("M", bound=models.Model)


class GuardedQuerySet(DisabledQuerySet):
    """What a query outside a scope gets: every use raises `django_scopes.exceptions.ScopeError`.

    django-scopes leaves some methods unguarded (`exists()` and `bulk_create([])` among them); closed here.
    """

    exists = DisabledQuerySet.error
    contains = DisabledQuerySet.error
    exclude = DisabledQuerySet.error
    in_bulk = DisabledQuerySet.error
    bulk_create = DisabledQuerySet.error
    bulk_update = DisabledQuerySet.error
    alias = DisabledQuerySet.error
    distinct = DisabledQuerySet.error
    defer = DisabledQuerySet.error
    select_related = DisabledQuerySet.error
    prefetch_related = DisabledQuerySet.error


class ScopedManager(models.Manager[M]):
    """Rows of the municipality in scope, and nothing at all outside a scope."""

    def get_queryset(self) -> models.QuerySet[M]:
        """Return the scoped rows, or a queryset that raises when no scope is active."""
        state: dict[str, Any] = get_scope()
        if not state.get("_enabled", True):
            return super().get_queryset()
        if "municipality" not in state:
            guarded: models.QuerySet[M] = GuardedQuerySet(
                self.model, using=self._db, missing_scopes={"municipality"}
            )
            return guarded
        return super().get_queryset().filter(municipality=state["municipality"])

    def all(self) -> models.QuerySet[M]:
        """Like `get_queryset`, but already raising outside a scope (Django's own `all()` is lazy)."""
        queryset = super().all()
        return queryset.all() if isinstance(queryset, GuardedQuerySet) else queryset

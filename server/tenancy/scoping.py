"""Isolation between municipalities, and within one between care providers, that fails loudly.

Every tenant model has a scoped manager as its *default* manager, so that forms, reverse relations and
prefetches are scoped too. A query outside `django_scopes.scope(municipality=…)` raises `ScopeError`
instead of answering with everybody's rows. `Model.unscoped` is the documented way around it, for sweeps over
all municipalities and for look-ups that find the municipality in the first place (a device token).

The scope has a second dimension, the viewer: `scope(municipality=…, viewer=Viewer(provider=7))` shows only
what that provider may see, by the table in `server.config.visibility`. A model that the table does not name
raises `NoVisibilityRuleError`. What decides, signs or counts needs the whole truth and runs in
`whole_municipality()`; what a page then shows of the result must be narrow again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ContextDecorator, ExitStack
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import models
from django_scopes import scope
from django_scopes.manager import DisabledQuerySet
from django_scopes.state import get_scope

M = TypeVar("M", bound=models.Model)
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Viewer:
    """Whose eyes a page sees with: one care provider's or one property owner's, by primary key."""

    provider: int | None = None
    owner: int | None = None

    def __post_init__(self) -> None:
        """Refuse a viewer who is nobody, whose rules would otherwise match rows without a provider."""
        if (self.provider is None) == (self.owner is None):
            raise ValueError("a viewer is either one provider or one property owner")


@dataclass(frozen=True)
class Sight:
    """What narrow viewers see of a model's rows, each as a condition from a primary key."""

    provider: Callable[[int], models.Q]
    owner: Callable[[int], models.Q]
    changes: Callable[[int], models.Q] | None = None
    """Which of the rows a provider sees it may also change; None: all, as far as the role goes."""

    def of(self, viewer: Viewer) -> models.Q:
        """Return the condition for a viewer."""
        if viewer.provider is not None:
            return self.provider(viewer.provider)
        assert viewer.owner is not None  # noqa: S101  Viewer holds exactly one
        return self.owner(viewer.owner)


class NoVisibilityRuleError(LookupError):
    """A narrow viewer asked for a model that `server.config.visibility` does not name."""


_sights: dict[str, Sight] = {}


def use_sights(table: Mapping[str, Sight]) -> None:
    """Take the table of rules into use; called once, when the applications are ready."""
    _sights.update(table)


def sight_of(model: type[models.Model]) -> Sight:
    """Return a model's rules; raises `NoVisibilityRuleError`."""
    try:
        return _sights[model._meta.label_lower]
    except KeyError:
        raise NoVisibilityRuleError(
            f"{model._meta.label_lower} has no entry in server.config.visibility"
        ) from None


def viewer_now() -> Viewer | None:
    """Return the narrow viewer in scope; None when the whole municipality (or everything) is seen."""
    state: dict[str, Any] = get_scope()
    viewer: Viewer | None = state.get("viewer") if state.get("_enabled", True) else None
    return viewer


def may_change(row: models.Model) -> bool:
    """Return whether the viewer in scope may change a row it sees; what is shared with others it may not."""
    viewer = viewer_now()
    if viewer is None or row.pk is None or row._meta.label_lower not in _sights:
        return True
    rule = sight_of(type(row)).changes
    if viewer.provider is None:
        return False
    if rule is None:
        return True
    return row._meta.base_manager.filter(rule(viewer.provider), pk=row.pk).exists()


def seen_by(viewer: Viewer, rows: models.QuerySet[M]) -> models.QuerySet[M]:
    """Return those of `rows` that a narrow viewer may see."""
    return rows.filter(sight_of(rows.model).of(viewer))


class _Whole(ContextDecorator):
    """What `whole_municipality` returns; a function it decorates carries the mark `sees_whole`."""

    def __init__(self) -> None:
        self._scopes = ExitStack()

    def _recreate_cm(self) -> _Whole:
        return _Whole()  # one for every call: calls nest and run beside each other

    def __call__(self, function: F) -> F:
        decorated = super().__call__(function)
        decorated.sees_whole = True  # type: ignore[attr-defined]
        return decorated

    def __enter__(self) -> None:
        if viewer_now() is not None:
            self._scopes.enter_context(scope(viewer=None))

    def __exit__(self, *_error: object) -> None:
        self._scopes.close()


def whole_municipality() -> _Whole:
    """Drop the viewer and keep the municipality, as a context or a decorator.

    For everything that decides, signs, revokes or counts: a verb must not know less because of who asked for
    it. Scopes that are disabled (an operator, a sweep) stay disabled.
    """
    return _Whole()


class NarrowSightError(RuntimeError):
    """Something that needs the whole truth was about to happen with a narrow viewer's eyes."""


def require_whole(what: str) -> None:
    """Raise `NarrowSightError` when a narrow viewer is in scope.

    Guards what must never rest on a part of the facts, whichever way it was reached: a bulletin signed
    without another provider's revocations would bring dead keys back to life.
    """
    if viewer_now() is not None:
        raise NarrowSightError(f"{what} needs the whole municipality in sight")


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
    """Rows of the municipality that the viewer in scope may see, and nothing at all outside a scope."""

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
        rows = super().get_queryset().filter(municipality=state["municipality"])
        viewer = viewer_now()
        return rows if viewer is None else seen_by(viewer, rows)

    def all(self) -> models.QuerySet[M]:
        """Like `get_queryset`, but already raising outside a scope (Django's own `all()` is lazy)."""
        queryset = super().all()
        return queryset.all() if isinstance(queryset, GuardedQuerySet) else queryset

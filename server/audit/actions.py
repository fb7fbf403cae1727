"""The registry of actions that may stand in the audit trail, each with what a reader sees."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Action:
    """An action; `needs_actor` marks those that only a person can do."""

    slug: str
    label: str | Promise
    needs_actor: bool = False


class UnknownActionError(LookupError):
    """An action was recorded that nobody registered."""


_actions: dict[str, Action] = {}


def register(slug: str, label: str | Promise, *, needs_actor: bool = False) -> str:
    """Register an action and return its slug; registering it twice is a mistake."""
    if slug in _actions:
        raise ValueError(f"audit action {slug!r} is registered already")
    _actions[slug] = Action(slug, label, needs_actor)
    return slug


def get(slug: str) -> Action:
    """Return a registered action; raises `UnknownActionError`."""
    try:
        return _actions[slug]
    except KeyError as error:
        raise UnknownActionError(slug) from error


def labels() -> list[tuple[str, str]]:
    """Return every registered action with its label, in the order of the labels."""
    return sorted(((slug, str(one.label)) for slug, one in _actions.items()), key=lambda pair: pair[1])


def label_of(slug: str) -> str:
    """Return the label of an action, or its slug when it is one of an older version."""
    return str(_actions[slug].label) if slug in _actions else slug


ADDED = register("admin.added", _("added in the administration"), needs_actor=True)
CHANGED = register("admin.changed", _("changed in the administration"), needs_actor=True)
DELETED = register("admin.deleted", _("deleted in the administration"), needs_actor=True)
"""The three generic actions of the admin; domain verbs register their own beside themselves."""

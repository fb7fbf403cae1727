"""The menu of pages that belong to no single table: each app adds its own in a module `navigation`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from server.people.models import User


class Group(IntEnum):
    """Under which heading a page stands, in the order of the menu."""

    TODAY = 1
    CARE = 2
    ACCESS = 3
    LOCKS = 4
    PASSAGES = 5
    OVERSIGHT = 6

    @property
    def title(self) -> str | Promise:
        """The heading."""
        return _TITLES[self]


_TITLES: dict[Group, str | Promise] = {
    Group.TODAY: _("Today"),
    Group.CARE: _("Clients and consents"),
    Group.ACCESS: _("Keys"),
    Group.LOCKS: _("Locks and installation"),
    Group.PASSAGES: _("Passages"),
    Group.OVERSIGHT: _("Oversight"),
}


@dataclass(frozen=True)
class Entry:
    """One page in the menu."""

    url_name: str
    title: str | Promise
    permission: str
    group: Group
    hint: str | Promise = ""
    quick: bool = False
    """Whether it also stands in the header of every page: for the few that are needed all day."""

    @property
    def url(self) -> str:
        """Its address."""
        return reverse(self.url_name)


_entries: dict[str, Entry] = {}


def add(
    url_name: str,
    title: str | Promise,
    *,
    permission: str,
    group: Group,
    hint: str | Promise = "",
    quick: bool = False,
) -> None:
    """Put a page into the menu of everybody with `permission`; twice is a mistake."""
    if url_name in _entries:
        raise ValueError(f"{url_name} stands in the menu already")
    _entries[url_name] = Entry(url_name, title, permission, group, hint, quick)


def menu_for(user: User) -> list[tuple[Group, list[Entry]]]:
    """Return the headings with the pages that this person may see, in order."""
    found: dict[Group, list[Entry]] = {}
    for entry in _entries.values():
        if user.has_perm(entry.permission):
            found.setdefault(entry.group, []).append(entry)
    return sorted(found.items())

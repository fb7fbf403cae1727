"""Doing something for every municipality: what is wrong in one must not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django_scopes import scope

from server.tenancy.models import Municipality


def in_each(municipalities: Iterable[Municipality], do: Callable[[Municipality], int]) -> int:
    """Run `do` for each municipality in its scope; returns the sum of what it returned.

    All of them get their turn; whatever went wrong in some is raised afterwards, together.
    """
    total, failures = 0, []
    for municipality in municipalities:
        try:
            with scope(municipality=municipality):
                total += do(municipality)
        except Exception as error:  # nothing is hidden: raised below, when the others have been served
            error.add_note(f"municipality {municipality.slug}")
            failures.append(error)
    if failures:
        raise ExceptionGroup(f"failed in {len(failures)} municipalities", failures)
    return total

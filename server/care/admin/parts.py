"""What this app's pages share: who is asking, and problems in plain words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.translation import get_language

from server.people.models import User
from server.problems import Problem


def person(request: HttpRequest) -> User:
    """Return who is signed in; the admin lets nobody else in."""
    assert isinstance(request.user, User)  # noqa: S101
    return request.user


def demand(request: HttpRequest, *permissions: str) -> User:
    """Return who is signed in, or refuse whoever lacks one of the permissions."""
    user = person(request)
    if not user.has_perms(permissions):
        raise PermissionDenied
    return user


def in_words(problem: Problem) -> str:
    """Return what a problem says in the reader's language."""
    said = problem.as_dict()
    return str(said["message_en"] if get_language() == "en" else said["message_sv"])


def attempt(request: HttpRequest, do: Callable[[], Any], done: str) -> bool:
    """Do it and say so, or say why not; returns whether it was done."""
    try:
        do()
    except Problem as problem:
        messages.error(request, in_words(problem))
        return False
    messages.success(request, done)
    return True

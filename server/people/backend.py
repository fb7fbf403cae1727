"""Signing in as allauth has it, with permissions from the role instead of from the database."""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend

from server.people.roles import permissions_of


class RoleBackend(AuthenticationBackend):
    """Answers `has_perm` and `has_module_perms` from `roles.PERMISSIONS`.

    Django itself lets an active superuser do everything before any backend is asked.
    """

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """Return what the user's role may do; a permission is never for one object."""
        if not user_obj.is_active or user_obj.is_anonymous or obj is not None:
            return set()
        if user_obj.provider_id is not None and not user_obj.provider.active:
            return set()  # a provider that was shut out is told nothing more, neither phones nor planners
        return set(permissions_of(user_obj.role))

    def get_user_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """Return what the user's role may do."""
        return self.get_all_permissions(user_obj, obj)

    def get_group_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """Return nothing: there are no groups."""
        return set()

"""What people change about their own sign-in stands in the audit trail: passwords and second factors.

The pages are allauth's, so its signals are listened to; what was set is never recorded, only that it was.
"""

from __future__ import annotations

from typing import Any

from allauth.account.signals import password_changed, password_reset, password_set
from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset
from django.dispatch import receiver
from django.utils.translation import gettext_lazy as _

from server.audit import actions
from server.audit.domain import record
from server.people.models import User

OWN_PASSWORD = actions.register("people.own_password_set", _("set an own new password"), needs_actor=True)
FACTOR_ADDED = actions.register("people.factor_added", _("second factor set up"), needs_actor=True)
FACTOR_REMOVED = actions.register("people.factor_removed", _("second factor removed"), needs_actor=True)
FACTOR_RENEWED = actions.register("people.factor_renewed", _("recovery codes renewed"), needs_actor=True)


@receiver((password_changed, password_set, password_reset))
def password_was_set(user: User, **_more: Any) -> None:
    """Record that somebody set an own password."""
    _record(OWN_PASSWORD, user, {})


@receiver(authenticator_added)
def factor_was_added(user: User, authenticator: Any, **_more: Any) -> None:
    """Record which kind of second factor was set up."""
    _record(FACTOR_ADDED, user, {"kind": str(authenticator.type)})


@receiver(authenticator_removed)
def factor_was_removed(user: User, authenticator: Any, **_more: Any) -> None:
    """Record which kind of second factor was removed."""
    _record(FACTOR_REMOVED, user, {"kind": str(authenticator.type)})


@receiver(authenticator_reset)
def factor_was_renewed(user: User, authenticator: Any, **_more: Any) -> None:
    """Record that recovery codes were made anew."""
    _record(FACTOR_RENEWED, user, {"kind": str(authenticator.type)})


def _record(action: str, user: User, after: dict[str, Any]) -> None:
    if user.municipality_id is not None:  # an operator stands in no municipality's trail
        record(action=action, target=user, actor=user, after=after)

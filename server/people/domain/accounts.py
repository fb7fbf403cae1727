"""Making sign-ins for staff and administrators."""

from __future__ import annotations

from allauth.mfa.totp.internal.auth import TOTP
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from server.audit import actions
from server.audit.domain import record
from server.people.models import StaffMember, User

LOGIN_CREATED = actions.register("people.login_created", _("made a sign-in"))


@transaction.atomic
def create_staff_login(
    *,
    staff_member: StaffMember,
    username: str,
    password: str,
    totp_secret: str | None = None,
    actor: User | None = None,
) -> User:
    """Make the user a staff member signs in with on the phone, and return it.

    With `totp_secret` (base 32) the second factor is in place at once; otherwise the person sets it up in the
    browser before the phone lets them in. The user gets no way into the administration.
    """
    user: User = User.objects.create_user(
        username=username, password=password, municipality_id=staff_member.municipality_id
    )
    if totp_secret is not None:
        TOTP.activate(user, totp_secret)
    staff_member.user = user
    staff_member.save(update_fields=["user"])
    record(action=LOGIN_CREATED, target=staff_member, actor=actor, after={"username": username})
    return user

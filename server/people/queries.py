"""Look-ups of phones, bearers and enrolment codes; some must run before any scope is known."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import F, Q, QuerySet

from server.people.models import Bearer, EnrolmentCode, Phone, PhoneContact, StaffMember
from server.people.roles import Role


def phone_by_token_hash(token_hash: bytes) -> Phone | None:
    """Return the phone with this device token hash, in whichever municipality."""
    return Phone.unscoped.select_related("municipality").filter(device_token_hash=token_hash).first()


def code_for_update(code_hash: bytes) -> EnrolmentCode | None:
    """Return the enrolment code, its row locked until the transaction ends."""
    return EnrolmentCode.unscoped.select_for_update(no_key=True).filter(code_hash=code_hash).first()


def bearer_on_phone(phone: Phone, user_id: int) -> Bearer | None:
    """Return the bearer of a signed-in person on a phone, a revoked one only when there is no other."""
    return (
        Bearer.objects.filter(phone=phone, staff__user=user_id)
        .select_related("staff__provider", "phone", "municipality")
        .order_by(F("revoked_at").asc(nulls_first=True), "-pk")
        .first()
    )


def bearer_by_id(phone: Phone, bearer_id: int) -> Bearer | None:
    """Return a bearer of this phone, revoked or not."""
    return Bearer.objects.filter(pk=bearer_id, phone=phone).first()


def note_contact(phone: Phone, *, at: datetime, **moments: datetime) -> None:
    """Note that the phone was heard from; `moments` may name last_sync_at or last_logs_at."""
    values = {"last_seen_at": at, **moments}
    if not PhoneContact.unscoped.filter(phone=phone).update(**values):
        PhoneContact.unscoped.update_or_create(
            phone=phone, defaults={"municipality_id": phone.municipality_id, **values}
        )


def visible_users(users: QuerySet[Any], viewer: Any) -> QuerySet[Any]:
    """Return those of `users` that somebody may see.

    An operator sees all, others their municipality's, a coordinator own staff's and fellow coordinators', an
    owner's contact nobody but themselves. Users are no tenant rows: they are found before any scope is known.
    """
    if viewer.municipality_id is None:
        return users if viewer.is_superuser else users.none()
    users = users.filter(municipality=viewer.municipality_id)
    if viewer.role == Role.COORDINATOR:
        staff = StaffMember.unscoped.filter(provider=viewer.provider_id, user__isnull=False)
        return users.filter(Q(provider=viewer.provider_id) | Q(pk__in=staff.values("user")))
    return users.filter(pk=viewer.pk) if viewer.role == Role.OWNER_CONTACT else users

"""One-time codes that turn a phone into somebody's bearer."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from server.audit import actions
from server.audit.domain import record
from server.people.models import EnrolmentCode, StaffMember, User

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O or U, so a code survives being read aloud and typed."""
CODE_LENGTH = 12
_LOOKALIKES = str.maketrans("ILO", "110")

CODE_CREATED = actions.register(
    "people.enrolment_code_created", _("made an enrolment code"), needs_actor=True
)


def normalise(code: str) -> str:
    """Return a typed code in its one form: capitals, without dashes and spaces, lookalikes resolved."""
    return "".join(code.upper().split()).replace("-", "").translate(_LOOKALIKES)


def hash_code(code: str) -> bytes:
    """Return what is stored of a code: SHA-256 of its one form (60 random bits that live for minutes)."""
    return hashlib.sha256(b"nyckelfri enrolment 1" + normalise(code).encode()).digest()


@transaction.atomic
def create_code(
    *, staff: StaffMember, actor: User, for_pool_phone: bool = False, at: datetime | None = None
) -> tuple[EnrolmentCode, str]:
    """Make a code for `staff` and return it with its plain form, which exists nowhere else afterwards.

    Earlier unused codes of the person die, so that a code written down yesterday opens nothing. Deliberately
    not checked here: employment; somebody may be given a phone the day before the first shift.
    """
    now = timezone.now() if at is None else at
    staff.enrolment_codes.filter(used_at__isnull=True, expires_at__gt=now).delete()
    plain = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
    code = EnrolmentCode.objects.create(
        municipality_id=staff.municipality_id,
        staff=staff,
        code_hash=hash_code(plain),
        for_pool_phone=for_pool_phone,
        created_at=now,
        created_by=actor,
        expires_at=now + timedelta(minutes=settings.ENROLMENT_CODE_MINUTES),
    )
    record(action=CODE_CREATED, target=staff, actor=actor, after={"for_pool_phone": for_pool_phone})
    return code, "-".join(plain[i : i + 4] for i in range(0, CODE_LENGTH, 4))

"""Enrolment: a one-time code, made for one person, turns a phone's own public key into a bearer.

The code lives a quarter of an hour and works once, also when two phones send it at the same instant; a new
code for the same person kills the earlier ones. The phone's private key never leaves the phone and the
device token is shown to it once: the server keeps hashes of code and token only.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_scopes import scope

from protocol import keys
from protocol.errors import ProtocolError
from protocol.keys import HolderKey
from server.access.domain.revoke import revoke_bearer
from server.access.models import Revocation
from server.audit import actions
from server.audit.domain import record
from server.locks.key_types import key_types_taken
from server.people.models import Bearer, EnrolmentCode, Phone, StaffMember, User
from server.people.queries import code_for_update
from server.problems import Problem
from server.tenancy.domain.keyring import current_manifest
from server.tenancy.domain.versions import refuse_old_app

CODE_MADE = actions.register("enrolment.code_made", _("enrolment code made"))
ENROLLED = actions.register("enrolment.enrolled", _("phone enrolled"))

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Letters and digits that cannot be mistaken for each other when read aloud or from paper."""
CODE_LENGTH = 12
"""12 of 30 characters are 58 bits: not to be guessed within a quarter of an hour and a rate limit."""
MAX_CODE_LENGTH = 24


@dataclass(frozen=True)
class Enrolment:
    """A bearer that came into being, and the token its phone must keep."""

    bearer: Bearer
    device_token: str = field(repr=False)


def hash_code(code: str) -> bytes:
    """Return what is kept of a code; case, spaces and dashes do not matter."""
    plain = "".join(character for character in code.upper() if character.isalnum())
    return hashlib.sha256(b"nyckelfri-enrolment-code:" + plain.encode()).digest()


def hash_device_token(token: str) -> bytes:
    """Return what is kept of a device token (256 random bits need no more than one SHA-256)."""
    return hashlib.sha256(token.encode()).digest()


@transaction.atomic
def make_enrolment_code(
    *,
    staff: StaffMember,
    actor: User | None = None,
    at: datetime | None = None,
    for_pool_phone: bool = False,
) -> tuple[EnrolmentCode, str]:
    """Make a one-time code for `staff`; returns its row and the code, which is shown once."""
    now = at or timezone.now()
    groups = ["".join(secrets.choice(ALPHABET) for _number in range(4)) for _group in range(CODE_LENGTH // 4)]
    text = "-".join(groups)
    earlier = EnrolmentCode.unscoped.filter(staff=staff, used_at=None, expires_at__gt=now, created_at__lt=now)
    earlier.update(expires_at=now)
    code: EnrolmentCode = EnrolmentCode.unscoped.create(
        municipality_id=staff.municipality_id,
        staff=staff,
        code_hash=hash_code(text),
        for_pool_phone=for_pool_phone,
        created_at=now,
        created_by=actor,
        expires_at=now + timedelta(minutes=settings.ENROLMENT_CODE_MINUTES),
    )
    record(action=CODE_MADE, target=code, actor=actor, after={"staff": staff.pk})
    return code, text


@transaction.atomic
def enrol(
    *,
    code: str,
    key_type: int,
    public_key: bytes,
    at: datetime,
    app_version: str,
    phone_model: str = "",
    known_phone: Phone | None = None,
    known_token: str = "",
) -> Enrolment:
    """Use up a code; returns the bearer and the phone's device token.

    A pool phone that is enrolled already sends its device token along (`known_phone`, `known_token`) and
    keeps it; every other phone is new. Raises `Problem`: code_unknown, code_used, code_expired, app_too_old,
    key_unusable, key_in_use; the code stays good after the last three.
    """
    holder = _usable_key(key_type, public_key)
    found = _good_code(code, at)
    if holder.key_type not in key_types_taken(found.municipality_id):
        raise Problem("key_unusable")
    refuse_old_app(found.municipality, app_version)
    current_manifest(found.municipality)  # without keys the phone could trust nobody
    joins = (
        known_phone is not None
        and found.for_pool_phone
        and known_phone.is_pool
        and known_phone.revoked_at is None
        and known_phone.municipality_id == found.municipality_id
    )
    token = known_token if joins else secrets.token_urlsafe(32)
    phone = known_phone if joins and known_phone is not None else _new_phone(found, token, phone_model)
    Phone.unscoped.filter(pk=phone.pk).update(app_version=app_version)
    bearer = _new_bearer(found, phone, holder, at)
    if not EnrolmentCode.unscoped.filter(pk=found.pk, used_at=None).update(used_at=at, used_by=bearer):
        raise Problem("code_used")
    record(action=ENROLLED, target=bearer, after={"staff": found.staff_id, "phone": phone.pk})
    return Enrolment(bearer, token)


def _good_code(code: str, at: datetime) -> EnrolmentCode:
    found = code_for_update(hash_code(code))
    if found is None:
        raise Problem("code_unknown")
    if found.used_at is not None:
        raise Problem("code_used")
    if found.expires_at <= at:
        raise Problem("code_expired")
    return found


def _usable_key(key_type: int, public_key: bytes) -> HolderKey:
    """Return the phone's key; refuse unknown types, what is no point, and points without a shared secret."""
    try:
        holder = keys.holder_key(key_type, public_key)
        if holder.key_type is keys.KeyType.X25519:
            X25519PrivateKey.generate().exchange(X25519PublicKey.from_public_bytes(holder.public))
    except (ProtocolError, ValueError) as error:
        raise Problem("key_unusable") from error
    return holder


def _new_phone(code: EnrolmentCode, token: str, model: str) -> Phone:
    phone: Phone = Phone.unscoped.create(
        municipality_id=code.municipality_id,
        device_token_hash=hash_device_token(token),
        is_pool=code.for_pool_phone,
        model=model,
    )
    return phone


def _new_bearer(code: EnrolmentCode, phone: Phone, holder: HolderKey, at: datetime) -> Bearer:
    # The same person again on the same phone: the earlier key is lost, and what it may open dies with it.
    with scope(municipality=code.municipality_id):
        for earlier in Bearer.objects.filter(staff=code.staff_id, phone=phone, revoked_at=None):
            revoke_bearer(bearer=earlier, reason=Revocation.Reason.LOST, at=at)
    try:
        with transaction.atomic():
            bearer: Bearer = Bearer.unscoped.create(
                municipality_id=code.municipality_id,
                staff_id=code.staff_id,
                phone=phone,
                key_type=int(holder.key_type),
                public_key=holder.public,
                fingerprint=holder.fingerprint,
            )
    except IntegrityError as error:
        raise Problem("key_in_use") from error
    return bearer

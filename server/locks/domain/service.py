"""What an installer's phone is given to work at a lock: a token for an hour, and the order to end a binding.

The right is for the key that the phone holds in its memory while the installer works, and for one lock. To
serve moves nothing. To open, for a test, is given only while there is an installation or an order at that
door, and only where everybody who must has consented.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from protocol import retire, suites, token
from protocol.keys import HolderKey
from protocol.retire import RetireOrder
from protocol.token import Scope, TokenClaims
from server.access.consents import missing_consents
from server.audit import actions
from server.audit.domain import record
from server.locks.domain.bulletins import build_bulletins, ensure_fresh
from server.locks.models import Binding, Bulletin, Lock, ServiceRight
from server.locks.order_queries import open_orders
from server.people.models import User
from server.problems import Problem
from server.tenancy.domain import keyring
from server.tenancy.models import RoleKey
from server.tenancy.scoping import whole_municipality

GIVEN = actions.register("lock.service_given", _("service right given"))

LASTS = timedelta(hours=1)
TEST_WITHIN = timedelta(hours=2)
"""A lock may be tried by its installer for so long after it has confirmed its commissioning."""
KEPT = timedelta(days=180)
"""How long it is remembered that a right was given."""
_NOBODYS_GRP = 0
"""Providers have numbers from 1."""


@dataclass(frozen=True)
class Given:
    """A service right, and what the phone must know of the lock to use it."""

    token: bytes = field(repr=False)
    scope: Scope
    expires: datetime
    binding: bytes
    lock_record: bytes = field(repr=False)
    bulletin: bytes = field(repr=False)
    before: bytes | None
    """The binding that the lock has until it takes this one in; None when this one is confirmed."""


@whole_municipality()
def give_service(
    *, lock: Lock, holder: HolderKey, installer: User, at: datetime, binding_id: bytes | None = None
) -> Given:
    """Give `installer`, whose phone holds `holder`, a service right at `lock`.

    `binding_id`: the binding that the lock says it has, when it is another than the server's: a lock that is
    being moved or taken down has its last one until it has heard of it. Raises `Problem` lock_not_mounted
    binding_unknown, and key_invalid for a key of a type that this lock does not know.
    """
    if not suites.of_key(holder.key_type).among(lock.suites):
        raise Problem("key_invalid")
    at = at.replace(microsecond=0)
    binding = _binding(lock, binding_id)
    scope = _scope(binding, installer, at)
    claims = TokenClaims(
        binding=bytes(binding.binding_id),
        not_before=int(at.timestamp()),
        expires=int((at + LASTS).timestamp()),
        issued_at=int(at.timestamp()),
        token_id=secrets.token_bytes(token.TOKEN_ID_LENGTH),
        grp=_NOBODYS_GRP,
        scope=scope,
    )
    key = keyring.signing_key(lock.municipality_id, RoleKey.Role.TOKEN)
    ensure_fresh(lock.municipality, [binding.pk], at=at)
    right = ServiceRight.objects.create(
        municipality_id=lock.municipality_id,
        token_id=claims.token_id,
        binding=binding,
        installer=installer,
        fingerprint=holder.fingerprint,
        scope=int(scope),
        issued_at=at,
        expires=at + LASTS,
    )
    after = {"lock": lock.name, "scope": int(scope), "phone": holder.fingerprint.hex()}
    record(action=GIVEN, target=right, actor=installer, after=after)
    return Given(
        token=token.issue(claims, key, holder),
        scope=scope,
        expires=right.expires,
        binding=claims.binding,
        lock_record=bytes(binding.lock_record or b""),
        bulletin=_newest_bulletin(binding),
        before=_before(binding),
    )


@whole_municipality()
def news_for(*, lock: Lock, binding_id: bytes | None, at: datetime) -> bytes:
    """Return the newest bulletin with the newest receipt, for the binding that the lock says it has."""
    binding = _binding(lock, binding_id)
    build_bulletins(lock.municipality, [binding.pk], at=at)
    return _newest_bulletin(binding)


def _newest_bulletin(binding: Binding) -> bytes:
    return bytes(Bulletin.objects.filter(binding=binding).latest("seq").document)


@whole_municipality()
def retire_order(*, lock: Lock, at: datetime) -> bytes | None:
    """Return the signed order by which the lock forgets the last binding it confirmed; None if it had none.

    The server has ended the binding before: the order is for the lock that may still be within reach.
    """
    last = (
        Binding.objects.filter(lock=lock, commissioned_at__isnull=False).order_by("-starts_at", "-pk").first()
    )
    if last is None:
        return None
    key = keyring.signing_key(lock.municipality_id, RoleKey.Role.BULLETIN)
    said = RetireOrder(bytes(lock.lock_id), bytes(last.binding_id), int(at.timestamp()))
    return retire.sign(said, key)


def _binding(lock: Lock, binding_id: bytes | None) -> Binding:
    mine = Binding.objects.filter(lock=lock).select_related("door__property__owner").order_by("-starts_at")
    wanted = mine.filter(ends_at=None) if binding_id is None else mine.filter(binding_id=binding_id)
    found: Binding | None = wanted.first()
    if found is None:
        raise Problem("lock_not_mounted" if binding_id is None else "binding_unknown")
    return found


def forget_service_rights(*, at: datetime) -> int:
    """Delete what half a year ago gave nobody anything any more; the audit trail keeps who did what."""
    return int(ServiceRight.objects.filter(expires__lt=at - KEPT).delete()[0])


def _before(binding: Binding) -> bytes | None:
    if binding.commissioned_at is not None:
        return None
    earlier = Binding.objects.filter(lock=binding.lock, commissioned_at__isnull=False)
    last = earlier.order_by("-starts_at", "-pk").first()
    return bytes(last.binding_id) if last is not None else None


def _scope(binding: Binding, installer: User, at: datetime) -> Scope:
    if binding.ends_at is not None or not _installing(binding, installer, at):
        return Scope.SERVICE
    if missing_consents(binding.door, at=at):
        return Scope.SERVICE
    return Scope.OPEN | Scope.LOCK | Scope.SERVICE


def _installing(binding: Binding, installer: User, at: datetime) -> bool:
    """Whether there is work at this door today that a test opening belongs to."""
    confirmed = binding.commissioned_at
    if confirmed is None or confirmed >= at - TEST_WITHIN:
        return True
    theirs = Q(installer=installer) | Q(installer=None)
    today = timezone.localdate(at)
    return open_orders().filter(theirs, door=binding.door, planned_for__lte=today).exists()

"""Commissioning: a lock gets a door, and with it a fresh binding; moving it kills the binding it had.

The package made here is all the lock needs: the roots to pin, the manifest, and bulletin 1 with the advert
key sealed to this lock. Nothing secret leaves the lock, and the server never learns more of it than the
public keys in its identity document. No token is issued before the lock confirmed (`confirm`, or its log's
first `bound` entry).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from protocol import bulletin, commission, identity, seal
from protocol.errors import ProtocolError
from protocol.identity import LockIdentity
from protocol.keys import SigningKey
from protocol.manifest import RootSet
from server.access.consents import missing_consents
from server.audit import actions
from server.audit.domain import record
from server.locks.domain import advert_keys
from server.locks.domain.bulletins import signed_row
from server.locks.domain.leaving import end_binding, follow, hold
from server.locks.domain.orders import drop_orders_of, finish_orders_at
from server.locks.domain.records import signed_record
from server.locks.models import Binding, Bulletin, Lock, LockStatus, LogPosition
from server.locks.order_queries import PLACING
from server.locks.rules import lock_settings
from server.people.models import User
from server.places.models import Door
from server.problems import Problem
from server.tenancy.domain import keyring
from server.tenancy.models import Municipality, RoleKey
from server.tenancy.scoping import whole_municipality

COMMISSIONED = actions.register("lock.commissioned", _("lock commissioned"))
CONFIRMED = actions.register("lock.confirmed", _("lock confirmed its commissioning"))
MOVED = actions.register("lock.moved", _("lock moved to another door"))


@transaction.atomic
@whole_municipality()
def commission_lock(
    *, door: Door, identity_document: bytes, at: datetime, name: str = "", actor: User | None = None
) -> Binding:
    """Bind the lock that stated `identity_document` to `door`; returns the new binding.

    Asking again before the lock confirmed answers with the same package, so a lost answer costs nothing.
    Raises `Problem`: identity_invalid, consent_missing (who), door_has_lock, lock_retired, lock_name_taken,
    lock_foreign, practice_lock_only (an ordinary lock at a practice place) and practice_lock (the other way
    round). A lock first commissioned at a practice place is a practice lock from then on.
    """
    _require_consent(door, at)
    lock = _lock(door, _identity(identity_document), name)
    return _give(lock, door, at=at, actor=actor)


@transaction.atomic
@whole_municipality()
def move_lock(*, lock: Lock, door: Door, at: datetime, actor: User | None = None) -> Binding:
    """Give a lock we know another door; returns the new binding, whose package the lock must be handed.

    The old binding ends now: nothing is issued for it any more. It is dead cryptographically from the moment
    the lock takes the package in: another binding id, another advert key. Raises `Problem` as commissioning
    does, and lock_is_there when it sits on that door already.
    """
    _require_consent(door, at)
    held = hold(lock)
    if held.state == Lock.State.RETIRED:
        raise Problem("lock_retired")
    if Binding.objects.filter(lock=held, door=door, ends_at=None, commissioned_at__isnull=False).exists():
        raise Problem("lock_is_there")
    held.state = Lock.State.MOUNTED
    held.save(update_fields=["state"])
    return _give(held, door, at=at, actor=actor)


def _require_fit(lock: Lock, door: Door) -> None:
    """Practice locks sit at practice places and nowhere else: one may tell of a bolt that is not there."""
    practice_place = door.kind == Door.Kind.PRACTICE
    if lock.is_practice != practice_place:
        raise Problem("practice_lock_only" if practice_place else "practice_lock")


def _require_consent(door: Door, at: datetime) -> None:
    missing = missing_consents(door, at=at)
    if missing:
        raise Problem(
            "consent_missing", missing=[{"signatory": one.signatory, "who": one.who} for one in missing]
        )


def _give(lock: Lock, door: Door, *, at: datetime, actor: User | None) -> Binding:
    """Bind a lock, whose row is held, to a door; from where it was it is moved."""
    _require_fit(lock, door)
    at = at.replace(microsecond=0)
    pending: Binding | None = Binding.objects.filter(
        lock=lock, door=door, ends_at=None, commissioned_at=None
    ).first()
    if pending is not None:
        return pending
    if Binding.objects.filter(door=door, ends_at=None).exclude(lock=lock).exists():
        raise Problem("door_has_lock")
    left = list(Binding.objects.filter(lock=lock, ends_at=None).select_related("lock"))
    for old in left:
        end_binding(binding=old, at=at, actor=actor)
    binding = _bind(lock, door, at)
    before = {"door": left[0].door_id, "binding": bytes(left[0].binding_id).hex()} if left else {}
    after = {"lock": lock.name, "door": door.pk, "binding": bytes(binding.binding_id).hex()}
    record(action=MOVED if left else COMMISSIONED, target=binding, actor=actor, before=before, after=after)
    if left:
        drop_orders_of(lock=lock, at=at, actor=actor)
        follow(lock=lock, door=door)
    return binding


def _identity(document: bytes) -> LockIdentity:
    try:
        return identity.verify(document)
    except ProtocolError as error:
        raise Problem("identity_invalid") from error


def _lock(door: Door, stated: LockIdentity, name: str) -> Lock:
    """Return the lock's row, locked against a second commissioning at the same time."""
    known: Lock | None = Lock.unscoped.select_for_update(no_key=True).filter(lock_id=stated.lock_id).first()
    if known is None:
        return _register(door, stated, name or stated.lock_id.hex())
    if known.municipality_id != door.municipality_id:
        raise Problem("lock_foreign")
    if known.state == Lock.State.RETIRED:
        raise Problem("lock_retired")
    known.state, known.suites = Lock.State.MOUNTED, stated.suites
    known.save(update_fields=["state", "suites"])
    return known


def _register(door: Door, stated: LockIdentity, name: str) -> Lock:
    try:
        with transaction.atomic():
            lock: Lock = Lock.objects.create(
                municipality_id=door.municipality_id,
                name=name,
                lock_id=stated.lock_id,
                static_public_key=stated.static_public,
                log_public_key=stated.log_public,
                seal_public_key=stated.seal_public,
                protocol_version=stated.protocol_version,
                suites=stated.suites,
                state=Lock.State.MOUNTED,
                is_practice=door.kind == Door.Kind.PRACTICE,
            )
    except IntegrityError as error:
        if Lock.unscoped.filter(lock_id=stated.lock_id).exists():
            return _lock(door, stated, name)  # registered by another call a moment ago
        raise Problem("lock_name_taken") from error
    LockStatus.objects.create(municipality_id=door.municipality_id, lock=lock)
    return lock


def _bind(lock: Lock, door: Door, at: datetime) -> Binding:
    binding_id, adv_key = secrets.token_bytes(8), advert_keys.draw()
    binding = Binding(
        municipality_id=door.municipality_id,
        binding_id=binding_id,
        lock=lock,
        door=door,
        starts_at=at,
        sealed_adv_key=advert_keys.sealed(adv_key, binding_id),
    )
    position = LogPosition.objects.filter(lock=lock, acked_seq__gt=0).order_by("-epoch").first()
    first = equip(
        binding, adv_key, signing=signing_of(door.municipality), receipt=position and position.receipt, at=at
    )
    try:
        with transaction.atomic():
            binding.save(force_insert=True)
    except IntegrityError as error:
        raise Problem("door_has_lock") from error  # another lock was given to it a moment ago
    first.binding = binding
    first.save(force_insert=True)
    return binding


@dataclass(frozen=True)
class Signing:
    """What a municipality's commissioning packages are made with; opened once for many locks."""

    key: SigningKey
    roots: RootSet
    manifest: bytes
    version: int
    """The manifest's."""


def signing_of(municipality: Municipality) -> Signing:
    """Return the municipality's bulletin key, roots and manifest; raises `KeyMissingError`."""
    key = keyring.signing_key(municipality.pk, RoleKey.Role.BULLETIN)
    held, document = keyring.current_manifest(municipality)
    return Signing(key, keyring.root_set(municipality), document, held.version)


def equip(
    binding: Binding, adv_key: bytes, *, signing: Signing, at: datetime, receipt: bytes | None = None
) -> Bulletin:
    """Give a binding, not saved yet, its package and lock record; returns its bulletin 1, not saved either.

    `receipt`: the newest signed receipt for the lock's log, which a lock that was moved still waits for.
    """
    first = signed_row(binding, _first_bulletin(binding, adv_key, receipt, at), key=signing.key, at=at)
    binding.lock_record = signed_record(binding, (adv_key,), key=signing.key, at=at)
    binding.manifest_version = signing.version
    binding.commission_document = commission.encode(signing.roots, signing.manifest, bytes(first.document))
    commission.verify(bytes(binding.commission_document))
    return first


def _first_bulletin(
    binding: Binding, adv_key: bytes, receipt: bytes | None, at: datetime
) -> bulletin.Bulletin:
    binding_id = bytes(binding.binding_id)
    return bulletin.Bulletin(
        binding=binding_id,
        lock_id=bytes(binding.lock.lock_id),
        seq=1,
        time=int(at.timestamp()),
        settings=lock_settings(binding, clock_ppm=None),
        receipt=bytes(receipt) if receipt else None,
        secrets=seal.seal_adv_keys((adv_key,), bytes(binding.lock.seal_public_key), binding_id, 1),
    )


@transaction.atomic
@whole_municipality()
def confirm(*, binding: Binding, at: datetime, actor: User | None = None) -> None:
    """Note that the lock took its commissioning in, so its door may be issued for. Twice is harmless."""
    if binding.ends_at is not None:
        raise Problem("binding_ended")
    confirmed = Binding.objects.filter(pk=binding.pk, commissioned_at=None).update(commissioned_at=at)
    if confirmed:
        record(action=CONFIRMED, target=binding, actor=actor)
        finish_orders_at(door_id=binding.door_id, kinds=PLACING, at=at, actor=actor)

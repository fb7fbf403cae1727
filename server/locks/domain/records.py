"""Lock records: what phones must know of a door; signed anew when its advert keys or the signer change."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from protocol import cose, lockrecord
from protocol.keys import SigningKey
from protocol.lockrecord import LockRecord
from server.locks.domain.advert_keys import current_and_next
from server.locks.models import Binding
from server.locks.rules import door_kind
from server.tenancy.domain import keyring
from server.tenancy.models import RoleKey


def signed_record(binding: Binding, adv_keys: tuple[bytes, ...], *, key: SigningKey, at: datetime) -> bytes:
    """Return the binding's record with these advert keys, current first; lock and door fetched along."""
    record = LockRecord(
        binding=bytes(binding.binding_id),
        lock_id=bytes(binding.lock.lock_id),
        static_public=bytes(binding.lock.static_public_key),
        adv_keys=adv_keys,
        door_kind=door_kind(binding),
        issued_at=int(at.timestamp()),
        protocol_version=binding.lock.protocol_version,
        suites=binding.lock.suites,
    )
    return lockrecord.sign(record, key)


def sign_records_anew(municipality_id: int, binding_ids: Collection[int], *, at: datetime) -> None:
    """Sign the records of these bindings with the key that signs now."""
    key = keyring.signing_key(municipality_id, RoleKey.Role.BULLETIN)
    with transaction.atomic():
        held = Binding.unscoped.select_for_update(no_key=True, of=("self",)).select_related("lock", "door")
        bindings = list(held.filter(pk__in=binding_ids).order_by("pk"))
        for binding in bindings:
            binding.lock_record = signed_record(binding, current_and_next(binding), key=key, at=at)
        Binding.unscoped.bulk_update(bindings, ["lock_record"])


def signer_of(record: bytes) -> bytes:
    """Return the id of the key that signed a record."""
    return cose.parse1(record, max_size=lockrecord.MAX_SIZE).kid

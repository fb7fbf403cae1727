"""Sealing secrets at rest anew, so that an old encryption key can be taken out of the settings.

One function for each kind of secret. Everything under the first key already is left alone, so a run that was
interrupted goes on where it stopped, and a second run changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models import Model, QuerySet

from server.care.domain.documents import seal_context
from server.care.models import ConsentDocument
from server.locks.domain.advert_keys import adv_key_context
from server.locks.models import Binding
from server.people.accounts import TOTP_CONTEXT
from server.tenancy import custody
from server.tenancy.keepers.database import context_of
from server.tenancy.models import RoleKey


def _column(rows: QuerySet[Any], name: str, context: Callable[[Any], str]) -> int:
    done = 0
    for row in rows.exclude(**{f"{name}__isnull": True}).order_by("pk").iterator(chunk_size=100):
        if not custody.is_current(getattr(row, name)):
            done += _reseal(row, name, context)
    return done


@transaction.atomic
def _reseal(row: Model, name: str, context: Callable[[Any], str]) -> int:
    """Reseal one row as it is at this moment: it may have changed, or gone, since it was listed."""
    held = type(row)._base_manager.select_for_update(no_key=True).filter(pk=row.pk).first()
    sealed = getattr(held, name, None)
    if held is None or sealed is None:
        return 0
    setattr(held, name, custody.reseal(sealed, context(held)))
    held.save(update_fields=[name])
    return 1


def _role_keys() -> int:
    return _column(RoleKey.unscoped.all(), "sealed_private_key", context_of)


def _advert_keys() -> int:
    def context(binding: Binding) -> str:
        return adv_key_context(bytes(binding.binding_id))

    rows = Binding.unscoped.all()
    return _column(rows, "sealed_adv_key", context) + _column(rows, "sealed_adv_key_next", context)


def _documents() -> int:
    def context(document: ConsentDocument) -> str:
        return seal_context(document.consent_id, bytes(document.sha256))

    return _column(ConsentDocument.unscoped.all(), "sealed_content", context)


_SEALED_TEXTS = ("secret", "seed")
"""What one-time codes and recovery codes are made from, in allauth's rows."""


@transaction.atomic
def _codes() -> int:
    """Reseal what codes are made from; allauth keeps it as text."""
    done = 0
    for row in Authenticator.objects.select_for_update().order_by("pk"):
        for name in _SEALED_TEXTS:
            sealed = bytes.fromhex(row.data.get(name, ""))
            if sealed and not custody.is_current(sealed):
                row.data[name] = custody.reseal(sealed, TOTP_CONTEXT).hex()
                row.save(update_fields=["data"])
                done += 1
    return done


KINDS: Mapping[str, Callable[[], int]] = {
    "role keys": _role_keys,
    "advert keys": _advert_keys,
    "consent documents": _documents,
    "one-time code secrets": _codes,
}


def reseal_all() -> dict[str, int]:
    """Reseal every secret of every municipality; returns how many of each kind were under an older key."""
    return {name: reseal() for name, reseal in KINDS.items()}

"""What follows a new manifest: everything that an old key signed and somebody still reads is signed anew.

Worked out from the database as it stands, in pieces with transactions of their own, so it may stop anywhere,
run twice, or late. Until it is done the old signatures still hold, unless their key was given up as leaked;
then phones ask again until they do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from django.db import transaction

from protocol import cose
from protocol import receipt as receipts
from server.access.domain.issue import issue_ahead
from server.access.token_queries import live_tokens
from server.keys.domain.erasing import erase_due
from server.locks.domain.bulletins import build_due
from server.locks.domain.receipts import sign_receipts
from server.locks.domain.records import sign_records_anew, signer_of
from server.locks.models import Binding, LogPosition
from server.people.push import poke_phones
from server.tenancy.models import Municipality, RoleKey
from server.tenancy.queries import active_key, tokens_not_before
from server.tenancy.scoping import whole_municipality

CHUNK = 200


@whole_municipality()
def follow(municipality: Municipality, *, at: datetime) -> int:
    """Do what is left to do; returns how many things. Must run in the municipality's scope."""
    return (
        _records(municipality, at)
        + _receipts(municipality, at)
        + build_due(municipality, at=at)
        + _tokens(municipality, at)
        + erase_due(municipality, at=at)
    )


def _records(municipality: Municipality, at: datetime) -> int:
    """Sign the lock records of mounted locks that another key than today's signed."""
    rows = Binding.unscoped.filter(municipality=municipality, ends_at__isnull=True, lock_record__isnull=False)
    stale = _signed_by_another(
        rows.values_list("pk", "lock_record").iterator(), signer_of, _kid(municipality, RoleKey.Role.BULLETIN)
    )
    for chunk in _chunks(stale):
        sign_records_anew(municipality.pk, chunk, at=at)
    return len(stale)


def _receipts(municipality: Municipality, at: datetime) -> int:
    """Sign the receipts that another key than today's signed, of locks that may still wait for them."""
    rows = LogPosition.unscoped.filter(municipality=municipality, receipt__isnull=False)
    stale = _signed_by_another(
        rows.values_list("pk", "receipt").iterator(),
        lambda document: cose.parse1(document, max_size=receipts.MAX_SIZE).kid,
        _kid(municipality, RoleKey.Role.RECEIPT),
    )
    for chunk in _chunks(stale):
        with transaction.atomic():
            held = LogPosition.unscoped.select_for_update(no_key=True, of=("self",)).select_related("lock")
            positions = list(held.filter(pk__in=chunk).order_by("pk"))
            sign_receipts(positions, municipality_id=municipality.pk, at=at)
    return len(stale)


def _tokens(municipality: Municipality, at: datetime) -> int:
    """Issue anew what is dead because a token key leaked, and tell the phones concerned."""
    since = tokens_not_before(municipality.pk)
    if since is None:
        return 0
    dead = live_tokens(at=at).filter(issued_at__lt=since)
    phones = set(dead.values_list("bearer__phone_id", flat=True))
    if not phones:
        return 0
    done = issue_ahead(municipality=municipality, at=at)
    poke_phones(phones)
    return done.signed


def _kid(municipality: Municipality, role: str) -> bytes:
    return bytes(active_key(municipality.pk, role).kid)


def _signed_by_another(
    rows: Iterable[tuple[int, bytes]], signer: Callable[[bytes], bytes], kid: bytes
) -> list[int]:
    return [pk for pk, document in rows if signer(bytes(document)) != kid]


def _chunks(keys: Sequence[int]) -> list[Sequence[int]]:
    return [keys[start : start + CHUNK] for start in range(0, len(keys), CHUNK)]

"""What a phone's sync reads: the shift, its visits, the doors, tokens with their bulletins."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q

from server.access.models import Token
from server.access.token_queries import live_tokens
from server.care.models import CareAssignment, Shift, Visit
from server.locks.models import Binding, Bulletin
from server.people.models import Bearer
from server.places.models import Door, DoorPath


def shift_to_show(bearer: Bearer, *, at: datetime, grace: timedelta, horizon: timedelta) -> Shift | None:
    """Return the shift that runs now, else the next one within the horizon, else one in its grace."""
    shifts: list[Shift] = list(
        Shift.objects.filter(
            staff=bearer.staff_id,
            cancelled_at__isnull=True,
            starts_at__lt=at + horizon,
            ends_at__gt=at - grace,
        )
        .select_related("team")
        .order_by("starts_at", "pk")
    )
    running = [shift for shift in shifts if shift.ends_at > at]
    return next(iter(running or shifts), None)


def visits_of(shift: Shift, *, at: datetime) -> list[Visit]:
    """Return the shift's visits in their order, with clients and apartment doors.

    A plan may lag behind: what a visit tells (address, alarm code, where a key lies) is only for a provider
    whose care for the client covers the visit and has not ended by now.
    """
    not_over = Q(ends_at__isnull=True) | Q(ends_at__gt=at) & Q(ends_at__gt=OuterRef("starts_at"))
    in_care = CareAssignment.objects.filter(
        not_over,
        client=OuterRef("client"),
        provider=shift.provider_id,
        provider__active=True,
        starts_at__lt=OuterRef("ends_at"),
    )
    visits = shift.visits.filter(Exists(in_care)).exclude(client__ended_at__lte=at)
    return list(visits.select_related("client__door").order_by("order", "starts_at", "pk"))


def ways_to(apartment_ids: Collection[int]) -> dict[int, list[Door]]:
    """Return the doors on the way to each apartment, outermost first."""
    ways: dict[int, list[Door]] = defaultdict(list)
    paths = DoorPath.objects.filter(apartment__in=apartment_ids).select_related("via").order_by("order", "pk")
    for path in paths:
        ways[path.apartment_id].append(path.via)
    return ways


def tokens_to_hold(bearer: Bearer, *, at: datetime) -> list[Token]:
    """Return the bearer's live tokens without documents, with binding, lock and door."""
    return list(
        live_tokens(at=at)
        .filter(bearer=bearer)
        .defer("document", "binding__commission_document", "binding__lock_record")
        .select_related("binding__lock", "binding__door")
        .order_by("not_before", "pk")
    )


def token_documents(token_ids: Collection[int]) -> dict[int, bytes]:
    """Return the signed documents of tokens by primary key."""
    rows = Token.objects.filter(pk__in=token_ids).values_list("pk", "document")
    return {pk: bytes(document) for pk, document in rows}


def lock_records(binding_ids: Collection[int]) -> dict[int, bytes]:
    """Return the signed lock records of bindings by id; those never commissioned here have none."""
    rows = Binding.objects.filter(pk__in=binding_ids, lock_record__isnull=False)
    return {pk: bytes(record) for pk, record in rows.values_list("pk", "lock_record") if record}


def bulletin_documents(bulletin_ids: Collection[int]) -> dict[int, bytes]:
    """Return bulletins' signed documents by binding id."""
    rows = Bulletin.objects.filter(pk__in=bulletin_ids).values_list("binding_id", "document")
    return {binding: bytes(document) for binding, document in rows}


def names_of_tokens(token_ids: Collection[int], *, at: datetime) -> list[bytes]:
    """Return the token ids of tokens that have not ended by themselves."""
    rows = Token.objects.filter(pk__in=token_ids, expires__gt=at).order_by("pk")
    return [bytes(token_id) for token_id in rows.values_list("token_id", flat=True)]


def names_of_revoked(token_ids: Collection[int] | None, *, bearer: Bearer, at: datetime) -> list[bytes]:
    """Return the token ids of this bearer's tokens that were revoked and have not ended by themselves.

    Of these tokens; with None, of all that there are.
    """
    rows = Token.objects.filter(bearer=bearer, revoked_at__isnull=False, expires__gt=at)
    if token_ids is not None:
        rows = rows.filter(pk__in=token_ids)
    return [bytes(token_id) for token_id in rows.order_by("pk").values_list("token_id", flat=True)]


def mark_delivered(token_ids: Collection[int], *, at: datetime) -> None:
    """Note that a phone fetched these tokens, the first time only."""
    Token.objects.filter(pk__in=token_ids, delivered_at__isnull=True).update(delivered_at=at)


def mark_manifest(bearer: Bearer, version: int) -> None:
    """Note the key manifest that the phone says it has; seldom a new one, so seldom a write."""
    if bearer.manifest_version < version:
        Bearer.objects.filter(pk=bearer.pk, manifest_version__lt=version).update(manifest_version=version)

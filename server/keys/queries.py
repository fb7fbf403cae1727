"""Where manifests have arrived, which roots are trusted somewhere, which old keys are still needed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from protocol import manifest as wire
from protocol import seal
from protocol.entries import Entry, Granted
from protocol.errors import ProtocolError
from protocol.manifest import RootSet
from server.access.models import Token
from server.locks.models import Binding, Lock, ServiceRight
from server.locks.rules import EDGE
from server.passages.models import Passage, SealedBatch
from server.people.models import Bearer
from server.tenancy.models import Manifest, ManifestDraft, Municipality, RoleKey


def open_draft(municipality_id: int) -> ManifestDraft | None:
    """Return the manifest that waits for signatures, if any."""
    return ManifestDraft.unscoped.filter(
        municipality=municipality_id, outcome=ManifestDraft.Outcome.OPEN
    ).first()


def keys_in_manifest(municipality_id: int) -> list[RoleKey]:
    """Return the role keys that the manifest in force names, those that sign no more included."""
    rows = RoleKey.unscoped.filter(
        municipality=municipality_id, active_from__isnull=False, retired_at__isnull=True
    )
    return list(rows.order_by("role", "pk"))


def manifests_in_locks(municipality_id: int) -> dict[int, int]:
    """Return the version that each lock is known to hold, by lock id.

    A lock in stock counts: it keeps the roots it was bound under, and has to follow them to its next door. A
    package that no lock has confirmed counts only where the lock has had no other.
    """
    bindings = Binding.unscoped.filter(municipality=municipality_id).exclude(lock__state=Lock.State.RETIRED)
    columns = ("lock", "manifest_version", "lock__status__manifest_version")
    held: dict[int, int] = {}
    for lock, brought, confirmed in bindings.filter(commissioned_at__isnull=False).values_list(*columns):
        held[lock] = max(held.get(lock, 0), brought, confirmed or 0)
    pending = bindings.filter(commissioned_at__isnull=True, ends_at__isnull=True)
    for lock, brought, _confirmed in pending.values_list(*columns):
        held.setdefault(lock, brought)
    return held


def bearers_at_work(municipality_id: int) -> QuerySet[Bearer]:
    """Return the bearers whose phones follow the manifests."""
    rows: QuerySet[Bearer] = Bearer.unscoped.filter(
        municipality=municipality_id, revoked_at__isnull=True, phone__revoked_at__isnull=True
    )
    return rows


@dataclass(frozen=True)
class Spread:
    """How many locks and phones are known to hold one version."""

    version: int
    locks: int
    phones: int


def spread(municipality_id: int) -> list[Spread]:
    """Return how far each version has come, the newest first."""
    locks = Counter(manifests_in_locks(municipality_id).values())
    phones = Counter(bearers_at_work(municipality_id).values_list("manifest_version", flat=True))
    return [
        Spread(version, locks[version], phones[version])
        for version in sorted({*locks, *phones}, reverse=True)
    ]


def locks_behind(municipality_id: int, version: int) -> list[Lock]:
    """Return the locks that are not known to hold this version or a newer one."""
    late = [lock for lock, held in manifests_in_locks(municipality_id).items() if held < version]
    return list(Lock.unscoped.filter(pk__in=late).select_related("status").order_by("name"))


def phones_behind(municipality_id: int, version: int) -> QuerySet[Bearer]:
    """Return the bearers whose phones have not told of this version or a newer one."""
    rows = bearers_at_work(municipality_id).filter(manifest_version__lt=version)
    return rows.select_related("staff", "phone__contact").order_by("staff__name", "pk")


def roots_by_version(municipality_id: int) -> dict[int, RootSet]:
    """Return the root set that each manifest names."""
    rows = Manifest.unscoped.filter(municipality=municipality_id).values_list("version", "document")
    return {version: wire.roots_in(bytes(document)) for version, document in rows}


def roots_still_trusted(municipality_id: int) -> list[RootSet]:
    """Return every root set that some lock may still trust, oldest first, each once."""
    known = roots_by_version(municipality_id)
    oldest = min(known, default=0)
    versions = {max(held, oldest) for held in manifests_in_locks(municipality_id).values()}
    return each_once(known[version] for version in sorted(versions & known.keys()))


def each_once(sets: Iterable[RootSet]) -> list[RootSet]:
    """Return the root sets in order, without those that came before."""
    found = {one.fingerprint: one for one in sets}
    return list(found.values())


def is_needed(key: RoleKey, *, at: datetime) -> bool:
    """Say whether something that a superseded key signed must still be believed.

    Bulletins, lock records and receipts are signed anew when their key changes. Tokens are not: they live
    until they end. What a firmware key signed is for a person to say.
    """
    if key.role == RoleKey.Role.FIRMWARE or key.superseded_at is None:
        return True
    if key.role != RoleKey.Role.TOKEN:
        return False
    older = Token.unscoped.filter(municipality=key.municipality_id, issued_at__lte=key.superseded_at)
    return older.filter(expires__gt=at - EDGE, revoked_at__isnull=True).exists()


COURIERS_KEEP = timedelta(days=30)
"""So long a sealed log may lie in a phone that nobody opens, after its lock took the newer key."""


@dataclass(frozen=True)
class Waiting:
    """What a retired sealing key still waits for."""

    locks: int
    batches: int
    until: datetime
    """A phone may hand in what it took from a lock until then."""

    def is_over(self, at: datetime) -> bool:
        """Return whether nothing sealed to the key can come any more."""
        return not self.locks and not self.batches and self.until <= at


def sealing_waits_for(key: RoleKey) -> Waiting:
    """Return what keeps a retired sealing key from being erased.

    A lock seals to the key of the manifest it holds, and its confirmation of a newer one stands in its log:
    once that entry is receipted, so is every earlier one. A lock in stock seals to the newest when it is
    bound again.
    """
    if key.retired_at is None:
        raise ValueError("the key still stands in the manifest")
    since = _first_without(key)
    mounted = Binding.unscoped.filter(municipality=key.municipality_id, ends_at__isnull=True)
    brought = Q(manifest_version__gte=since, commissioned_at__isnull=False)
    late = mounted.exclude(brought).exclude(lock__status__manifest_version__gte=since)
    held = SealedBatch.unscoped.filter(municipality=key.municipality_id, status=SealedBatch.Status.HELD)
    batches = [document for document in held.values_list("document", flat=True) if _is_for(key, document)]
    return Waiting(late.count(), len(batches), key.retired_at + COURIERS_KEEP)


def _first_without(key: RoleKey) -> int:
    """Return the first version of the manifest that names another sealing key than this one, which it did."""
    rows = Manifest.unscoped.filter(municipality=key.municipality_id).order_by("version")
    seen = False
    version: int
    for version, document in rows.values_list("version", "document"):
        names = wire.body_of(bytes(document)).sealing_key.kid == bytes(key.kid)
        if seen and not names:
            return version
        seen = seen or names
    raise ValueError("the key is in the newest manifest, or in none")


def _is_for(key: RoleKey, document: bytes) -> bool:
    try:
        return seal.parse_log(bytes(document)).kid == bytes(key.kid)
    except ProtocolError:
        return False


def unissued_openings(municipality_id: int, *, since: datetime) -> list[Passage]:
    """Return openings since then with a token that this server never issued, the newest first.

    That a lock accepted it means that somebody else has a token key, or that a back-up was restored since.
    Look no further back than half a year: tokens without passages are forgotten then.
    """
    rows = Passage.unscoped.filter(
        municipality=municipality_id, kind="granted", token__isnull=True, happened_at__gte=since
    )
    named = {row.pk: _token_in(row) for row in rows.order_by("pk")}
    ids = {one[0] for one in named.values() if one is not None}
    # An id alone says nothing: whoever has a token key can copy one. It was issued for one phone's key.
    ours = {
        (bytes(token_id), bytes(phone))
        for model, key in ((Token, "bearer__fingerprint"), (ServiceRight, "fingerprint"))
        for token_id, phone in model.unscoped.filter(token_id__in=ids).values_list("token_id", key)
    }
    found = [pk for pk, token in named.items() if token not in ours]
    shown = Passage.unscoped.filter(pk__in=found).select_related("binding__door", "lock")
    return list(shown.order_by("-happened_at", "-pk"))


def _token_in(passage: Passage) -> tuple[bytes, bytes] | None:
    """Return the token id in a granted entry, and the fingerprint of the phone that proved its key.

    None where nothing can be read of it, which is nothing of ours.
    """
    try:
        entry = Entry.decode(bytes(passage.entry_bytes))
        phone = Granted.parse(entry.detail).phone
    except ProtocolError:
        return None
    return (entry.token_id, phone) if entry.token_id is not None else None


def municipalities_with_keys() -> QuerySet[Municipality]:
    """Return the municipalities that have been founded."""
    return Municipality.objects.filter(pk__in=Manifest.unscoped.values("municipality"))

"""Passages verified and stored a second, beside a bare bulk insert of the very same rows.

Sealed batches as couriers bring them: opened (HPKE), parsed, signature and chain checked, attributed, stored
exactly once, receipted. The baseline is Django's ``bulk_create`` of the rows that came of it.
"""

import statistics
from time import perf_counter

from bench.database import fresh_database
from bench.output import emit
from bench.results import Figure

ROUNDS = 11
BATCHES = 40
OPENINGS_IN_A_BATCH = 20
"""Each is two entries, granted and outcome: 40 entries, about what fits one session."""


def measure() -> list[Figure]:
    """Hand in new batches in every round, then insert the same rows bare."""
    with fresh_database():
        from django.db import transaction  # noqa: PLC0415 - Django is set up only here
        from django.utils import timezone  # noqa: PLC0415
        from django_scopes import scope  # noqa: PLC0415

        from server.access.domain.issue import issue_for_bearer  # noqa: PLC0415
        from server.passages.domain.intake import take_in  # noqa: PLC0415
        from server.passages.models import Passage  # noqa: PLC0415
        from tests.server.issuer import found, make_issuer  # noqa: PLC0415
        from tests.server.world import NOW  # noqa: PLC0415

        municipality = found("lindvik")
        ours, bare = [], []
        with scope(municipality=municipality):
            issuer = make_issuer(municipality)
            device, bearer = issuer.apartment_lock, issuer.world.bearer
            take_in(documents=[device.sealed()], courier=bearer.phone, at=timezone.now())
            issue_for_bearer(bearer=bearer, at=NOW)
            token_id = bytes(issuer.token_at(issuer.world.apartment_binding).token_id)
            for _ in range(ROUNDS + 1):
                documents = []
                for _batch in range(BATCHES):
                    first = len(device.entries) + 1
                    for _opening in range(OPENINGS_IN_A_BATCH):
                        device.opened(token_id, bytes(bearer.fingerprint))
                    documents.append(device.sealed(device.batch(first)))
                before = set(Passage.objects.values_list("pk", flat=True))
                begun = perf_counter()
                results = take_in(documents=documents, courier=bearer.phone, at=timezone.now())
                seconds = perf_counter() - begun
                count = sum(result.new_passages for result in results)
                if count < BATCHES * OPENINGS_IN_A_BATCH * 2:
                    raise RuntimeError(f"only {count} passages were stored: {results[0]}")
                ours.append(count / seconds)
                rows = list(Passage.objects.exclude(pk__in=before))
                Passage.objects.exclude(pk__in=before).delete()
                for row in rows:
                    row.pk = None
                begun = perf_counter()
                with transaction.atomic():
                    Passage.objects.bulk_create(rows)
                bare.append(len(rows) / (perf_counter() - begun))
    stored, inserted = statistics.median(ours[1:]), statistics.median(bare[1:])
    return [
        Figure(
            "passages.ratio_to_bare_insert",
            stored / inserted,
            "×",
            "≥ 0.5",
            f"{stored:.0f} passages/s verified and stored, {inserted:.0f} rows/s bare",
        )
    ]


if __name__ == "__main__":
    emit(measure())

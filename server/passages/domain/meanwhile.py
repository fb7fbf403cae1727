"""Openings with a key that was revoked already: rightly opened, for the lock could not know, or a fault.

A lock decides offline. Between a revocation and the moment a phone brings the news, an opening with the
revoked key is what the lock had to do: a class of its own, "öppnad före känd spärr", neither a denial nor an
ordinary opening. A lock whose bulletin said otherwise and that opened all the same is at fault: a deviation.
What happened before the revocation is an ordinary opening. Where the lock's clock was uncertain, its time is
a lower bound: later than the revocation stays later; earlier is left alone, and its row is marked uncertain.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, QuerySet

from protocol import bulletin
from protocol.bulletin import Bulletin as News
from server.access.models import Token
from server.locks.models import Bulletin
from server.passages.models import Deviation, Passage

IDS_PER_QUERY = 500
RECENT = timedelta(minutes=30)
"""How far back the sweep looks for a revocation and an upload that passed each other."""


def classify_tokens(token_ids: Collection[int], *, at: datetime) -> int:
    """Look again at what was opened with keys that have just been revoked; returns openings of the class.

    Called by whatever revokes, for a revocation may take effect before openings that are known already.
    """
    found = 0
    for ids in _pieces(list(token_ids)):
        found += classify(list(_suspects().filter(token__in=ids).values_list("pk", flat=True)), at=at)
    return found


def classify_recent(*, at: datetime) -> int:
    """Look again at what became known lately: a revocation may have been committed beside the upload."""
    recent = _suspects().filter(known_at__gt=at - RECENT, known_at__lte=at)
    return classify(list(recent.values_list("pk", flat=True)), at=at)


def classify(passage_ids: Sequence[int], *, at: datetime) -> int:
    """Put these openings into their class; returns how many are of it. Twice is harmless."""
    found = 0
    for ids in _pieces(passage_ids):
        passages = list(
            _suspects()
            .filter(pk__in=ids)
            .select_related("token", "binding")
            .defer("token__document", "entry_bytes", "entry_hash")
        )
        news = _news(passages)
        faults = [one for one in passages if _knew(one, news)]
        known = {one.pk for one in faults}
        rightly = [one.pk for one in passages if one.pk not in known]
        found += Passage.objects.filter(pk__in=rightly).update(opened_before_known_revocation=True)
        _report(faults, at)
    return found


def _suspects() -> QuerySet[Passage]:
    """Openings after their key was revoked that are not in the class, nor reported as faults."""
    reported = Deviation.objects.filter(passage=OuterRef("pk"), kind=Deviation.Kind.OPENED_REVOKED)
    found: QuerySet[Passage] = Passage.objects.filter(
        ~Exists(reported),
        kind="granted",
        opened_before_known_revocation=False,
        token__revoked_at__lt=F("happened_at"),
    )
    return found


def _news(passages: Iterable[Passage]) -> dict[tuple[int | None, int], News]:
    """Return what the locks had been told when they opened, by binding and bulletin number.

    A bulletin that is not kept any more is long replaced: it was made well before any revocation whose news
    could still be on its way, so the lock did not know.
    """
    wanted = {(one.binding_id, int(one.detail.get("bulletin_seq", 0))) for one in passages}
    rows = Bulletin.objects.filter(
        binding__in={binding for binding, _seq in wanted if binding},
        seq__in={seq for _binding, seq in wanted},
    )
    return {
        (row.binding_id, row.seq): bulletin.parse(bytes(row.document)).body
        for row in rows
        if (row.binding_id, row.seq) in wanted
    }


def _knew(passage: Passage, news: dict[tuple[int | None, int], News]) -> bool:
    held = news.get((passage.binding_id, int(passage.detail.get("bulletin_seq", 0))))
    token: Token | None = passage.token
    if held is None or token is None:
        return False
    issued = int(token.issued_at.timestamp())
    return held.revokes(bytes(token.token_id)) or held.ends(token.grp, issued)


def _report(faults: Iterable[Passage], at: datetime) -> None:
    Deviation.objects.bulk_create(
        Deviation(
            municipality_id=one.municipality_id,
            kind=Deviation.Kind.OPENED_REVOKED,
            lock_id=one.lock_id,
            door_id=one.binding.door_id if one.binding else None,
            passage=one,
            provider_id=one.provider_id,
            opened_at=at,
        )
        for one in faults
    )


def _pieces(ids: Sequence[int]) -> list[Sequence[int]]:
    return [ids[start : start + IDS_PER_QUERY] for start in range(0, len(ids), IDS_PER_QUERY)]

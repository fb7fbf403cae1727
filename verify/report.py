"""A verdict in words: what is proven, what nobody can know, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from protocol.entries import Entry, EntryType
from protocol.proof import Stretch, Verdict
from protocol.statement import Claim, Missing, OnlyIssuer, Range

_MISSING = {
    Missing.OVERWRITTEN: "overwritten when the lock's memory was full (signed by the lock)",
    Missing.LOST: "lost by the issuer: the lock holds a receipt for them",
    Missing.AWAITED: "not come home yet, although later ones have",
}
_ONLY_ISSUER = {
    OnlyIssuer.NOT_KEPT: "taken in before signatures were kept",
    OnlyIssuer.ERASED_BESIDE: "older entries of the same signed batch have been erased",
}


def lines(verdict: Verdict, *, compared: bool, entries: bool = False) -> Iterator[str]:
    """Yield the report, line by line."""
    if verdict.claims is not None:
        claims = verdict.claims
        yield f"Door:      {claims.door}"
        yield f"Period:    {_moment(claims.start)} to {_moment(claims.end)} (UTC, by the locks' clocks)"
        yield f"Made:      {_moment(claims.made_at)}; entries before {_moment(claims.kept_from)} are erased"
    if verdict.roots:
        yield f"Root keys: {verdict.roots.hex()}{_roots(compared)}"
    for stretch in verdict.stretches:
        yield ""
        yield from _stretch(stretch, entries=entries)
    yield ""
    if verdict.holds:
        yield _held(verdict)
        return
    yield f"REFUSED: {len(verdict.findings)} findings."
    for finding in verdict.findings:
        yield f"  {finding}"


def _held(verdict: Verdict) -> str:
    if any(stretch.open_before for stretch in verdict.stretches):
        return "HOLDS as far as it goes: nothing shown was changed, reordered or put in, or left out between."
    return "HOLDS: nothing was changed, left out, reordered or put in."


def _roots(compared: bool) -> str:
    return "" if compared else "\n           Compare them with the municipality's, or give --roots."


def _stretch(stretch: Stretch, *, entries: bool) -> Iterator[str]:
    claim = stretch.claim
    yield f"Lock {claim.lock_id.hex()}, epoch {claim.epoch}: numbers {claim.first} to {claim.last}"
    inside = [number for number in stretch.entries if claim.first <= number <= claim.last]
    signed = sum(number in stretch.signed for number in inside)
    yield f"  {len(inside)} entries, {signed} of them under the lock's own signature"
    for one in claim.missing:
        yield f"  missing {_span(one)}: {_MISSING[Missing(one.why)]}"
    for one in claim.only_issuer:
        yield f"  on the issuer's word only {_span(one)}: {_ONLY_ISSUER[OnlyIssuer(one.why)]}"
    if stretch.open_before:
        yield f"  before number {claim.first}: nothing shows whether the period has more entries"
    yield f"  {_after(claim)}"
    if entries:
        for number in sorted(stretch.entries):
            yield f"    {_entry(stretch.entries[number], signed=number in stretch.signed)}"


def _after(claim: Claim) -> str:
    if claim.ended:
        return (
            f"The lock lost its memory after number {claim.received}: what it had not told will never come."
        )
    return f"Receipted through {claim.received}; what the lock logged since cannot be known from here."


def _span(one: Range) -> str:
    return str(one.first) if one.first == one.last else f"{one.first}–{one.last}"


def _entry(entry: Entry, *, signed: bool) -> str:
    kind = EntryType(entry.kind).name.lower() if entry.kind in set(EntryType) else f"type {entry.kind}"
    said = [value.hex() if isinstance(value, bytes) else value for value in entry.detail]
    token = entry.token_id.hex() if entry.token_id else "-"
    mark = "" if signed else "  (not signed)"
    return f"{entry.seq:>8}  {_moment(entry.time)}  {kind:<14} {token:<16} {said}{mark}"


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")

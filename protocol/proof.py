"""Judging a completeness statement: bytes in, a verdict out, without any server, database or network.

What is proven when nothing is found: every number of every stretch is there, or named among the missing with
its reason; no entry was changed, reordered, left out or put in since the lock wrote it, for each stands in
the hash chain that the lock itself signed; the issuer stands by door, period and ranges with its signature.
What cannot be proven is said as well: what had not come home when the statement was made, and what a lock
that lost its memory had not told before.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from protocol import log, manifest, receipt
from protocol.batchhead import Head
from protocol.entries import Entry, EntryType
from protocol.errors import ProtocolError
from protocol.evidence import Evidence, Run, Statement, parse
from protocol.manifest import Manifest, Role
from protocol.statement import Claim, Claims, Missing, parse_claims, verify_claims

MAX_NUMBERS = 5_000_000
"""Of one stretch, its gaps included; a lock that is opened every minute needs nine years for them."""


@dataclass(frozen=True)
class Finding:
    """Something that does not hold: where, and what is wrong there."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass
class Stretch:
    """A judged stretch: what was claimed, its entries by number, and how far the lock's signature reaches."""

    claim: Claim
    entries: dict[int, Entry] = field(default_factory=dict)
    signed: set[int] = field(default_factory=set)
    """Numbers under a signature of the lock."""
    receipted: int = 0
    """The newest number under the issuer's receipt, 0 for none."""
    open_before: bool = False
    """Whether nothing shows if the period has more entries, before the first number: they may be erased."""


@dataclass
class Verdict:
    """Everything found in a file. It holds when there are no findings and the roots are the right ones."""

    findings: list[Finding] = field(default_factory=list)
    claims: Claims | None = None
    roots: bytes = b""
    """Fingerprint of the root keys in the file: to be compared with the municipality's."""
    stretches: list[Stretch] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


def judge(data: bytes, *, roots: bytes | None = None) -> Verdict:
    """Judge a file. ``roots``: the municipality's root fingerprint, from another source than the file."""
    verdict = Verdict()
    try:
        statement = parse(data)
    except ProtocolError as error:
        verdict.findings.append(Finding("file", str(error)))
        return verdict
    holding = _manifest(statement, roots, verdict)
    if holding is None:
        return verdict
    try:
        message, _unverified = parse_claims(statement.signed_claims)
        verdict.claims = verify_claims(statement.signed_claims, holding.verify_key(Role.RECEIPT, message.kid))
    except ProtocolError as error:
        verdict.findings.append(Finding("claims", str(error)))
        return verdict
    stretches = verdict.claims.stretches
    if len(stretches) != len(statement.evidence):
        what = f"{len(stretches)} stretches are claimed, evidence is there for {len(statement.evidence)}"
        verdict.findings.append(Finding("file", what))
    for claim, evidence in zip(stretches, statement.evidence, strict=False):
        period = (verdict.claims.start, verdict.claims.end)
        verdict.stretches.append(_Judge(claim, evidence, holding, period, verdict.findings).judge())
    return verdict


def _manifest(statement: Statement, roots: bytes | None, verdict: Verdict) -> Manifest | None:
    """Return the manifest under its own roots, which must be the ones expected, if any are."""
    try:
        trusted = manifest.roots_in(statement.manifest)
        verdict.roots = trusted.fingerprint
        holding = manifest.verify(statement.manifest, trusted)
    except ProtocolError as error:
        verdict.findings.append(Finding("manifest", str(error)))
        return None
    if roots is not None and roots != verdict.roots:
        verdict.findings.append(Finding("manifest", "made under other root keys than the municipality's"))
    return holding


@dataclass
class _Judge:
    """Weighs the evidence for one claim."""

    claim: Claim
    evidence: Evidence
    manifest: Manifest
    period: tuple[int, int]
    findings: list[Finding]

    def judge(self) -> Stretch:
        stretch = Stretch(self.claim)
        if self.evidence.digest != self.claim.evidence:
            self._find("evidence", "is not what the issuer signed the claim with")
        if not self._bounded():
            self._find("claim", f"names more than {MAX_NUMBERS} numbers")
            return stretch
        if self.evidence.identity.lock_id != self.claim.lock_id:
            self._find("lock keys", "are not those of the lock that the claim names")
            return stretch
        after: dict[int, bytes] = {}
        for run in self.evidence.runs:
            self._read(run, stretch, after)
        self._check_numbers(stretch)
        for encoded in self.evidence.heads:
            self._check_head(encoded, stretch, after)
        self._check_missing(stretch)
        if after.get(self.claim.last) != self.claim.end and self.claim.last >= self.claim.first:
            self._find(f"number {self.claim.last}", "does not end in the chain hash that the issuer signed")
        self._check_signed(stretch)
        self._check_receipt(stretch, after)
        self._check_edges(stretch)
        return stretch

    def _bounded(self) -> bool:
        """A hostile file must not make the verifier count to four thousand millions."""
        spans = [(one.first, one.last) for one in (*self.claim.missing, *self.claim.only_issuer)]
        gaps = [head.gap for head in self._heads() if head.gap is not None]
        spans += [(gap.first, gap.last) for gap in gaps]
        spans.append((self.claim.first, self.claim.last))
        return sum(max(last - first, 0) for first, last in spans) <= MAX_NUMBERS

    def _heads(self) -> list[Head]:
        """The heads that can be read."""
        found = []
        for encoded in self.evidence.heads:
            with suppress(ProtocolError):  # reported where they are checked
                found.append(Head.decode(encoded))
        return found

    def _find(self, where: str, what: str) -> None:
        lock = self.claim.lock_id.hex()
        self.findings.append(Finding(f"lock {lock}, epoch {self.claim.epoch}, {where}", what))

    def _read(self, run: Run, stretch: Stretch, after: dict[int, bytes]) -> None:
        """Follow the chain through a run; every entry must stand in its place and fit."""
        previous = run.h_start
        if run.first == 1 and previous != log.genesis(self.claim.lock_id, self.claim.epoch):
            self._find("number 1", "does not begin at the beginning of the log")
        after.setdefault(run.first - 1, previous)
        for number, (encoded, digest) in enumerate(run.entries, run.first):
            try:
                entry = Entry.decode(encoded)
            except ProtocolError as error:
                self._find(f"number {number}", f"cannot be read: {error}")
                entry = None
            if entry is not None and entry.seq != number:
                self._find(f"number {number}", f"number {entry.seq} stands in its place")
            if log.link(previous, encoded) != digest:
                self._find(
                    f"number {number}", "does not fit into the chain: it or what came before is altered"
                )
            if number in stretch.entries:
                self._find(f"number {number}", "is there twice")
            if entry is not None:
                stretch.entries[number] = entry
            after[number] = previous = digest

    def _check_numbers(self, stretch: Stretch) -> None:
        """Every number of the stretch is there, or named as missing; nothing else is."""
        named: set[int] = set()
        for one in self.claim.missing:
            named.update(range(one.first, one.last + 1))
        expected = set(range(self.claim.first, self.claim.last + 1))
        for number in _edges(expected - named - stretch.entries.keys()):
            self._find(f"number {number}", "is missing, and nothing says why")
        for number in _edges(named & stretch.entries.keys()):
            self._find(f"number {number}", "is there, although it is said to be missing")

    def _check_head(self, encoded: bytes, stretch: Stretch, after: dict[int, bytes]) -> None:
        """What the lock signed must hold, and begin at the chain where it says."""
        try:
            head = Head.decode(encoded)
        except ProtocolError as error:
            self._find("a batch", f"cannot be read: {error}")
            return
        where = f"batch {head.first}–{head.last}"
        entries = [stretch.entries.get(number) for number in range(head.first, head.last + 1)]
        if None in entries:
            self._find(where, "entries that the lock signed are missing")
            return
        try:
            head.verify(self.evidence.identity.log_key, self.claim.epoch, [one for one in entries if one])
        except ProtocolError as error:
            self._find(where, f"is not what the lock signed: {error}")
            return
        known = after.get(head.first - 1)
        if known is not None and known != head.h_start:
            self._find(where, "begins at another chain hash than the entries before it end in")
            return
        kept = head.gap.kept if head.gap is not None else ()
        if any(after.get(one.entry.seq, one.hash) != one.hash for one in kept):
            self._find(where, "brings entries out of its gap that are other ones here")
            return
        self._believe(head, stretch)

    def _believe(self, head: Head, stretch: Stretch) -> None:
        """A signed batch stands for its entries and, through the chain, for the unbroken run before them.

        So it does for each entry that it brings out of its gap.
        """
        kept = [one.entry.seq for one in head.gap.kept] if head.gap is not None else []
        for last in (head.last, *kept):
            number = last
            while number in stretch.entries and number not in stretch.signed:
                stretch.signed.add(number)
                number -= 1

    def _check_missing(self, stretch: Stretch) -> None:
        """What the lock is said to have overwritten must be under its own signature."""
        stated: set[int] = set()
        for gap in (head.gap for head in self._heads()):
            for first, last in gap.lost() if gap is not None else ():
                stated.update(range(first, last + 1))
        for one in self.claim.missing:
            if one.why == Missing.OVERWRITTEN and not stated >= set(range(one.first, one.last + 1)):
                what = "are said to be overwritten, but the lock has not signed that"
                self._find(f"numbers {one.first}–{one.last}", what)

    def _check_edges(self, stretch: Stretch) -> None:
        """The stretch reaches to where the period ends: an entry beyond it, or nothing follows."""
        first, last = self.claim.first, self.claim.last
        stretch.open_before = first > 1 and self._inside(stretch, first) and not _moved(stretch, first + 1)
        if last < self.claim.received and last in stretch.entries and self._inside(stretch, last):
            what = "is the last one shown, inside the period, although the issuer has later ones"
            self._find(f"number {last}", what)

    def _inside(self, stretch: Stretch, number: int) -> bool:
        """Whether a number may stand inside the period, at the same door: the lock moves between two."""
        entry = stretch.entries.get(number)
        start, end = self.period
        return entry is None or (start <= entry.time < end and not _moved(stretch, number))

    def _check_signed(self, stretch: Stretch) -> None:
        """What no signature of the lock reaches must be named as resting on the issuer's word."""
        named: set[int] = set()
        for one in self.claim.only_issuer:
            named.update(range(one.first, one.last + 1))
        for number in _edges(stretch.entries.keys() - stretch.signed - named):
            self._find(f"number {number}", "is under no signature of the lock")

    def _check_receipt(self, stretch: Stretch, after: dict[int, bytes]) -> None:
        if self.evidence.receipt is None:
            if self.claim.received:
                self._find("receipt", "is missing")
            return
        try:
            given = receipt.verify(self.evidence.receipt, self.manifest)
        except ProtocolError as error:
            self._find("receipt", str(error))
            return
        if (given.lock_id, given.epoch) != (self.claim.lock_id, self.claim.epoch):
            self._find("receipt", "is for another log")
        elif given.seq in after and after[given.seq] != given.hash:
            self._find(f"number {given.seq}", "does not end in the chain hash that was receipted")
        else:
            stretch.receipted = given.seq


def _moved(stretch: Stretch, number: int) -> bool:
    """Whether the lock was given a door with this entry."""
    entry = stretch.entries.get(number)
    return entry is not None and entry.kind == EntryType.BOUND


def _edges(numbers: Iterable[int]) -> list[int]:
    """Return the first of each unbroken run of numbers: one finding says enough of it."""
    found = sorted(numbers)
    return [number for place, number in enumerate(found) if place == 0 or found[place - 1] != number - 1]

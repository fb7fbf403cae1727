"""Proofs of logs: what holds, and that no tampering with the file goes unnoticed or unplaced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocol import cbor, evidence, log, manifest, receipt, statement
from protocol.batchhead import Head
from protocol.entries import Entry, EntryType
from protocol.evidence import Evidence, Run, Statement
from protocol.identity import LockIdentity
from protocol.keys import SigningKey, x25519_public
from protocol.log import Batch, Gap, Kept
from protocol.manifest import Manifest, Role, RoleKey, RootSet
from protocol.proof import judge
from protocol.receipt import Receipt
from protocol.statement import Claim, Claims, Missing, Range
from tests.protocol import page
from verify.__main__ import main
from verify.report import lines

NOW = 1_790_000_000
ROOTS = [manifest.root_signing_key(bytes([n]) * 32) for n in (1, 2, 3)]
ISSUER = SigningKey.from_seed(b"\0\2", b"i" * 32)
SEED = b"l" * 32
IDENTITY = LockIdentity(
    x25519_public(b"s" * 32), SigningKey.from_seed(b"\0", SEED).public, x25519_public(b"e" * 32)
)
LOCK = SigningKey.from_seed(IDENTITY.lock_id, SEED)
ENTRIES = tuple(
    Entry(
        n, NOW - 1000 + n, EntryType.BOOT if n % 3 else EntryType.LOW_BATTERY, None, (n, 1) if n % 3 else (7,)
    )
    for n in range(1, 21)
)
GAP = (11, 14)


@cache
def hash_after(number: int) -> bytes:
    return log.chain(log.genesis(IDENTITY.lock_id, 1), (entry.encode() for entry in ENTRIES[:number]))


def signed_head(first: int, last: int, gap: Gap | None = None, key: SigningKey = LOCK) -> bytes:
    batch = Batch(
        IDENTITY.lock_id,
        1,
        1,
        7,
        NOW,
        b"courier8",
        0,
        first,
        hash_after(first - 1),
        gap,
        ENTRIES[first - 1 : last],
    )
    return Head.of(batch, evidence_signature(batch, key)).encode()


def evidence_signature(batch: Batch, key: SigningKey) -> bytes:
    return log.parse(log.sign(batch, key)).message.signature


def run(first: int, last: int) -> Run:
    pairs = tuple((ENTRIES[n - 1].encode(), hash_after(n)) for n in range(first, last + 1))
    return Run(first, hash_after(first - 1), pairs)


def receipt_for(number: int) -> bytes:
    return receipt.sign(Receipt(IDENTITY.lock_id, 1, number, hash_after(number), NOW), ISSUER)


GOOD = Evidence(
    identity=IDENTITY,
    runs=(run(1, 10), run(15, 20)),
    heads=(
        signed_head(1, 6),
        signed_head(7, 10),
        signed_head(15, 20, Gap(*GAP, hash_after(GAP[1]))),
    ),
    receipt=receipt_for(20),
)


@cache
def manifest_document() -> bytes:
    keys = (
        RoleKey(Role.RECEIPT, ISSUER.kid, ISSUER.public),
        RoleKey(Role.SEALING, b"\0\4", x25519_public(b"z" * 32)),
    )
    roots = RootSet(tuple(key.public for key in ROOTS), 2)
    return manifest.sign(Manifest(1, b"kommunen", NOW, roots, keys), ROOTS[:2])


FINGERPRINT = RootSet(tuple(key.public for key in ROOTS), 2).fingerprint


def claim_for(proof: Evidence, **changes: object) -> Claim:
    claim = Claim(
        lock_id=IDENTITY.lock_id,
        binding=b"bindings",
        epoch=1,
        first=1,
        last=20,
        end=hash_after(20),
        received=20,
        ended=False,
        missing=(Range(*GAP, Missing.OVERWRITTEN),),
        only_issuer=(),
        evidence=proof.digest,
    )
    return replace(claim, **changes)  # type: ignore[arg-type]


def file_of(proof: Evidence = GOOD, key: SigningKey = ISSUER, **changes: object) -> bytes:
    """A file as an issuer makes it; a lying issuer signs whatever evidence it likes."""
    claims = Claims("Storgatan 1, lägenhet 1101", NOW, NOW - 5000, NOW, 0, (claim_for(proof, **changes),))
    return evidence.encode(Statement(statement.sign(claims, key), manifest_document(), (proof,)))


def test_a_good_file_holds_and_says_how_far_the_signatures_reach() -> None:
    verdict = judge(file_of(), roots=FINGERPRINT)
    assert (verdict.holds, verdict.findings) == (True, [])
    (stretch,) = verdict.stretches
    assert stretch.signed == set(range(1, 21)) - set(range(11, 15))
    assert (stretch.receipted, verdict.roots) == (20, FINGERPRINT)


def test_roots_of_somebody_else_are_refused() -> None:
    assert [str(one) for one in judge(file_of(), roots=b"x" * 32).findings] == [
        "manifest: made under other root keys than the municipality's"
    ]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_rule_05_no_flipped_bit_of_a_file_goes_unnoticed(data: st.DataObject) -> None:
    file = bytearray(file_of())
    at = data.draw(st.integers(0, len(file) - 1))
    file[at] ^= 1 << data.draw(st.integers(0, 7))
    assert not judge(bytes(file), roots=FINGERPRINT).holds


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 3000), st.binary(max_size=40))
def test_a_cut_or_stuffed_file_is_refused_and_never_breaks_the_judge(at: int, stuffing: bytes) -> None:
    file = file_of()
    at %= len(file)
    assert not judge(file[:at]).holds
    assert judge(file[:at] + stuffing + file[at:]).holds is (not stuffing)


def without(number: int) -> Evidence:
    pairs = tuple(pair for n, pair in enumerate(GOOD.runs[0].entries, 1) if n != number)
    return replace(GOOD, runs=(replace(GOOD.runs[0], entries=pairs), GOOD.runs[1]))


def swapped(number: int) -> Evidence:
    pairs = list(GOOD.runs[0].entries)
    pairs[number - 1], pairs[number] = pairs[number], pairs[number - 1]
    return replace(GOOD, runs=(replace(GOOD.runs[0], entries=tuple(pairs)), GOOD.runs[1]))


def rehashed(number: int, entry: Entry) -> Evidence:
    """Another entry in a number's place, with every hash after it made to fit."""
    previous, pairs = GOOD.runs[0].h_start, []
    for n, (encoded, _digest) in enumerate(GOOD.runs[0].entries, 1):
        chosen = entry.encode() if n == number else encoded
        previous = log.link(previous, chosen)
        pairs.append((chosen, previous))
    return replace(GOOD, runs=(replace(GOOD.runs[0], entries=tuple(pairs)), GOOD.runs[1]))


def inserted(number: int) -> Evidence:
    pairs = list(GOOD.runs[0].entries)
    pairs.insert(number, pairs[number - 1])
    return replace(GOOD, runs=(replace(GOOD.runs[0], entries=tuple(pairs)), GOOD.runs[1]))


def keeping_file(
    runs: tuple[Run, ...] = (run(1, 10), run(12, 12), run(15, 20)),
    missing: tuple[tuple[int, int], ...] = ((11, 11), (13, 14)),
) -> bytes:
    """A file about a lock that kept number 12 when it overwrote 11 to 14."""
    gap = Gap(*GAP, hash_after(GAP[1]), (Kept(hash_after(11), ENTRIES[11]),))
    proof = replace(GOOD, runs=runs, heads=(*GOOD.heads[:2], signed_head(15, 20, gap)))
    return file_of(proof, missing=tuple(Range(*one, Missing.OVERWRITTEN) for one in missing))


def other_kept() -> Run:
    """Number 12 as the lock did not write it."""
    other = replace(ENTRIES[11], detail=(99,)).encode()
    return Run(12, hash_after(11), ((other, log.link(hash_after(11), other)),))


class TestALyingIssuer:
    """Whoever holds the issuer's keys can sign any claim, but not for the lock; the place is named."""

    @settings(max_examples=40, deadline=None)
    @given(st.integers(1, 9), st.sampled_from([without, swapped, inserted]))
    def test_rule_05_dropped_swapped_and_inserted_entries_are_named(
        self, number: int, tampering: Callable[[int], Evidence]
    ) -> None:
        findings = judge(file_of(tampering(number)), roots=FINGERPRINT).findings
        assert findings
        assert any(f"number {n}" in one.where for one in findings for n in (number, number + 1))

    @pytest.mark.parametrize("number", [1, 5, 10])
    def test_rule_05_an_altered_entry_breaks_the_locks_signature(self, number: int) -> None:
        lie = Entry(number, NOW, EntryType.BOOT, None, (99, 1))
        findings = judge(file_of(rehashed(number, lie)), roots=FINGERPRINT).findings
        assert any("is not what the lock signed" in one.what for one in findings)

    def test_rule_05_a_batch_left_out_leaves_its_entries_unsigned(self) -> None:
        cut = replace(GOOD, heads=(GOOD.heads[0], GOOD.heads[2]))
        (finding,) = judge(file_of(cut), roots=FINGERPRINT).findings
        assert finding.where.endswith("number 7")
        assert finding.what == "is under no signature of the lock"

    def test_an_earlier_batch_is_covered_by_the_chain_of_a_later_one(self) -> None:
        assert judge(file_of(replace(GOOD, heads=GOOD.heads[1:])), roots=FINGERPRINT).holds

    def test_rule_05_an_entry_out_of_a_gap_is_under_the_locks_signature(self) -> None:
        verdict = judge(keeping_file())
        assert verdict.findings == []
        [stretch] = verdict.stretches
        assert 12 in stretch.signed
        assert stretch.entries[12] == ENTRIES[11]

    @pytest.mark.parametrize(
        ("runs", "missing", "where"),
        [
            ((run(1, 10), run(15, 20)), ((11, 14),), "numbers 11–14: are said to be overwritten"),
            ((run(1, 10), other_kept(), run(15, 20)), ((11, 11), (13, 14)), "batch 15–20: brings entries"),
        ],
    )
    def test_rule_05_what_a_lock_kept_can_be_neither_left_out_nor_altered(
        self, runs: tuple[Run, ...], missing: tuple[tuple[int, int], ...], where: str
    ) -> None:
        findings = judge(keeping_file(runs, missing)).findings
        assert any(where in str(one) for one in findings)

    def test_rule_05_a_gap_the_lock_did_not_sign_is_no_overwriting(self) -> None:
        unsigned = replace(GOOD, heads=(*GOOD.heads[:2], signed_head(15, 20)))
        (finding,) = judge(file_of(unsigned), roots=FINGERPRINT).findings
        assert finding.what == "are said to be overwritten, but the lock has not signed that"
        assert judge(file_of(unsigned, missing=(Range(*GAP, Missing.LOST),)), roots=FINGERPRINT).holds

    def test_rule_05_numbers_nobody_explains_are_missing(self) -> None:
        (finding,) = judge(file_of(missing=()), roots=FINGERPRINT).findings
        assert (finding.where.split(", ")[-1], finding.what) == (
            "number 11",
            "is missing, and nothing says why",
        )

    def test_another_lock_cannot_stand_in(self) -> None:
        stranger = SigningKey.from_seed(IDENTITY.lock_id, b"x" * 32)
        forged = replace(GOOD, heads=(signed_head(1, 6, key=stranger), *GOOD.heads[1:]))
        findings = judge(file_of(forged), roots=FINGERPRINT).findings
        assert [one.what for one in findings] == ["is not what the lock signed: signature does not hold"]

    def test_a_receipt_must_fit_the_chain_and_be_there(self) -> None:
        wrong = receipt.sign(Receipt(IDENTITY.lock_id, 1, 20, b"h" * 32, NOW), ISSUER)
        assert not judge(file_of(replace(GOOD, receipt=wrong))).holds
        assert not judge(file_of(replace(GOOD, receipt=None))).holds

    def test_rule_05_a_period_cut_short_is_not_the_whole_period(self) -> None:
        cut = replace(GOOD, runs=(run(1, 10),), heads=GOOD.heads[:2])
        shown: dict[str, Any] = {"first": 1, "last": 10, "end": hash_after(10), "missing": ()}
        (finding,) = judge(file_of(cut, **shown), roots=FINGERPRINT).findings
        assert finding.where.endswith("number 10")
        assert "later ones" in finding.what
        nothing_later = replace(cut, receipt=receipt_for(10))
        assert judge(file_of(nothing_later, **shown, received=10), roots=FINGERPRINT).holds

    def test_rule_05_what_came_before_the_first_number_is_said_to_be_unproven(self) -> None:
        begun = replace(GOOD, runs=(run(7, 10), run(15, 20)), heads=GOOD.heads[1:])
        verdict = judge(file_of(begun, first=7), roots=FINGERPRINT)
        assert verdict.holds
        assert verdict.stretches[0].open_before
        assert not judge(file_of(), roots=FINGERPRINT).stretches[0].open_before
        said = list(lines(verdict, compared=True))
        assert "  before number 7: nothing shows whether the period has more entries" in said
        assert said[-1].startswith("HOLDS as far as it goes")

    def test_numbers_without_end_are_refused_at_once(self) -> None:
        huge = file_of(missing=(Range(11, 2**32 - 1, Missing.LOST),))
        assert any("names more than" in one.what for one in judge(huge).findings)


def test_somebody_else_cannot_sign_for_the_issuer() -> None:
    forged = file_of(key=SigningKey.from_seed(ISSUER.kid, b"x" * 32))
    assert [str(one) for one in judge(forged).findings] == ["claims: signature does not hold"]


def test_the_command_says_what_holds_and_what_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = tmp_path / "good.cbor", tmp_path / "bad.cbor"
    good.write_bytes(file_of())
    assert main([str(good), "--roots", FINGERPRINT.hex(), "--entries"]) == 0
    said = capsys.readouterr().out
    assert "HOLDS" in said
    assert "missing 11–14: overwritten when the lock's memory was full (signed by the lock)" in said
    bad.write_bytes(file_of(swapped(4)))
    assert main([str(bad)]) == 1
    assert "number 4: number 5 stands in its place" in capsys.readouterr().out
    assert main([str(tmp_path / "away.cbor")]) == 2


def test_the_page_describes_the_file() -> None:
    assert page.fits("statement-file", file_of()) == []


def test_a_file_is_deterministic_cbor() -> None:
    assert cbor.encode(cbor.decode(file_of(), max_size=evidence.MAX_FILE)) == file_of()

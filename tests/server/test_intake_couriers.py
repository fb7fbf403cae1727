"""Rule 5 against every kind of courier at once: random logs, handed in by phones that do as they like."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocol import log
from protocol.entries import EntryType
from server.locks.models import LogPosition
from server.passages.domain.intake import take_in
from server.passages.models import LogGap, Passage
from tests.server.issuer import Issuer
from tests.server.world import NOW

ENTRIES = 12

spans = st.tuples(st.integers(1, ENTRIES), st.integers(0, 5)).map(
    lambda span: (span[0], min(span[0] + span[1], ENTRIES))
)
acts = st.one_of(
    st.tuples(st.just("hand in"), spans),
    st.tuples(st.just("replay"), st.integers(0, 20)),
    st.tuples(st.just("alter"), spans),
    st.tuples(st.just("truncate"), spans),
    st.tuples(st.just("invent"), spans),
)


@pytest.fixture
def logged(issuer: Issuer) -> Issuer:
    """The gate lock has written ENTRIES entries."""
    for number in range(ENTRIES - 1):
        issuer.gate_lock.add(EntryType.HAND_COUNT, (number, number))
    return issuer


def carry(issuer: Issuer, act: tuple[str, Any], carried: list[bytes]) -> None:
    """Let a courier do one thing; afterwards the server must hold a true prefix-closed part of the log."""
    lock, (what, how) = issuer.gate_lock, act
    if what == "replay":
        sealed = carried[how % len(carried)] if carried else b"nothing"
    else:
        sealed = lock.sealed(lock.batch(*how))
    if what == "hand in":
        carried.append(sealed)
    elif what == "alter":
        middle = len(sealed) // 2
        sealed = sealed[:middle] + bytes([sealed[middle] ^ 1]) + sealed[middle + 1 :]
    elif what == "truncate":
        sealed = sealed[: -(how[0])]
    elif what == "invent":
        # Without the lock's key the best a courier can do is another lock's bytes, changed.
        sealed = issuer.apartment_lock.sealed(issuer.apartment_lock.batch())
        sealed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    results = take_in(documents=[sealed], courier=issuer.world.phone, at=NOW)
    if what in ("alter", "truncate", "invent"):
        assert [one.status for one in results] == ["rejected"]


def check_truth(issuer: Issuer) -> int:
    """Every stored passage is the lock's own, once, and the receipted prefix has no hole; returns its end."""
    lock, row = issuer.gate_lock, issuer.world.gate_binding.lock
    stored = list(Passage.objects.filter(lock=row).order_by("seq").values_list("seq", "entry_bytes"))
    assert [bytes(data) for _seq, data in stored] == [lock.entries[seq - 1].encode() for seq, _data in stored]
    position = LogPosition.objects.filter(lock=row).first()
    end = position.acked_seq if position else 0
    assert [seq for seq, _data in stored] == list(range(1, end + 1))
    if position:
        start = log.genesis(lock.lock_id, 1)
        assert bytes(position.acked_hash) == log.chain(start, (bytes(data) for _seq, data in stored))
    return end


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=st.lists(acts, max_size=14), last=st.permutations([(1, 4), (5, 8), (9, ENTRIES)]))
def test_rule_05_whatever_couriers_do_the_server_holds_the_truth_once(
    logged: Issuer, plan: list[tuple[str, Any]], last: list[tuple[int, int]]
) -> None:
    with transaction.atomic():
        carried: list[bytes] = []
        for act in plan:
            carry(logged, act, carried)
            check_truth(logged)
        # Nothing is lost as long as every entry is handed in by somebody, whatever was tried before.
        for span in last:
            carry(logged, ("hand in", span), carried)
        assert check_truth(logged) == ENTRIES
        assert not LogGap.objects.exists()
        transaction.set_rollback(True)

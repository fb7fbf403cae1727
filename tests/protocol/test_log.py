"""Entries, chain and batches: read back the same, and every change is noticed."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol import (
    bulletin,
    log,
    messages,
    seal,
)
from protocol.entries import Entry, EntryType, Granted, OutcomeDetail, Refused
from protocol.errors import ProtocolError
from protocol.log import Batch, Gap
from tests.protocol.vectors import logs, world

counters = st.integers(0, 2**32 - 1)
numbers = st.integers(1, 2**32 - 1)


def octets(length: int) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=length, max_size=length)


entries = st.one_of(
    st.builds(
        Granted,
        st.integers(0, 255),
        octets(8),
        octets(8),
        st.integers(0, 65535),
        counters,
        st.integers(0, 255),
    ).map(lambda detail: (EntryType.GRANTED, detail.detail())),
    st.builds(
        Refused,
        st.integers(0, 255),
        st.none() | st.integers(0, 255),
        st.none() | octets(8),
        octets(8),
        counters,
    ).map(lambda detail: (EntryType.REFUSED, detail.detail())),
    st.builds(
        OutcomeDetail,
        counters,
        st.integers(0, 255),
        st.none() | st.integers(0, 100),
        st.none() | st.tuples(counters, counters),
    ).map(lambda detail: (EntryType.OUTCOME, detail.detail())),
    st.just((EntryType.HAND, (1,))),
    st.tuples(
        st.integers(64, 255), st.lists(st.integers(0, 99) | st.binary(max_size=9), max_size=8).map(tuple)
    ),
)


@given(numbers, counters, octets(8), entries)
def test_entries(seq: int, time: int, cti: bytes, kind: tuple[int, tuple[Any, ...]]) -> None:
    one = Entry(seq, time, kind[0], None if kind[0] == EntryType.HAND else cti, kind[1])
    assert Entry.decode(one.encode()) == one


@settings(max_examples=40)
@given(st.integers(1, 2**32 - 300), st.lists(entries, max_size=12), st.none() | octets(32), numbers)
def test_batches(
    first: int, kinds: list[tuple[int, tuple[Any, ...]]], gap_hash: bytes | None, epoch: int
) -> None:
    lock = world.LOCK.lock_id
    start = log.genesis(lock, epoch) if first == 1 else gap_hash or bytes(32)
    gap = Gap(1, first - 1, start) if gap_hash and first > 1 else None
    made = tuple(
        Entry(first + n, n, kind, None if kind == EntryType.HAND else bytes(8), detail)
        for n, (kind, detail) in enumerate(kinds)
    )
    one = Batch(lock, epoch, 1, 7, 2, bytes(8), 0, first, start, gap, made)
    read = log.parse(log.sign(one, world.LOCK_LOG_KEY)).verify(world.LOCK.log_key)
    assert (read, read.last) == (one, first + len(kinds) - 1)
    assert read.h_end == log.chain(start, [entry.encode() for entry in made])


def test_the_chain_notices_every_change() -> None:
    """Left out, doubled, swapped or altered: the end of the chain is another one."""
    encoded = [entry.encode() for entry in logs.ENTRIES]
    end = log.chain(logs.HASHES[0], encoded)
    assert end == logs.HASHES[-1]
    for at in range(len(encoded) - 1):
        others = [
            encoded[:at] + encoded[at + 1 :],
            [*encoded[: at + 1], *encoded[at:]],
            [*encoded[:at], encoded[at + 1], encoded[at], *encoded[at + 2 :]],
            [*encoded[:at], encoded[at][:-1] + b"\xff", *encoded[at + 1 :]],
        ]
        assert all(log.chain(logs.HASHES[0], other) != end for other in others)
    assert log.genesis(world.LOCK.lock_id, 1) != log.genesis(world.LOCK.lock_id, 2)
    assert log.genesis(world.LOCK.lock_id, 1) != log.genesis(world.OTHER_LOCK_ID, 1)


def test_the_largest_batch_can_be_carried() -> None:
    room = log.MAX_BATCH - len(log.sign(replace(logs.BATCH, entries=()), world.LOCK_LOG_KEY)) - 4
    size = len(logs.ENTRIES[3].encode())
    entries = tuple(replace(logs.ENTRIES[3], seq=n) for n in range(1, room // (size + 2)))
    signed = log.sign(replace(logs.BATCH, entries=entries), world.LOCK_LOG_KEY)
    sealed = seal.seal_log(signed, world.SEALING_KEY)
    assert len(signed) > log.MAX_BATCH - 300
    message = messages.encode(messages.LogBatch(sealed))
    assert messages.parse_from_lock(message) == messages.LogBatch(sealed)
    with pytest.raises(ProtocolError):
        many = tuple(replace(logs.ENTRIES[3], seq=n) for n in range(1, 120))
        log.sign(replace(logs.BATCH, entries=many), world.LOCK_LOG_KEY)


@given(st.binary(min_size=1, max_size=4608))
def test_sealed_logs(batch: bytes) -> None:
    sealed = seal.parse_log(seal.seal_log(batch, world.SEALING_KEY))
    assert sealed.open(world.SEALING_PRIVATE) == batch
    with pytest.raises(ProtocolError):
        sealed.open(world.LOCK_SEAL)


def test_sealed_secrets_belong_to_one_bulletin() -> None:
    keys = (world.ADV_KEY, world.NEXT_ADV_KEY)
    sealed = seal.seal_adv_keys(keys, world.LOCK.seal_public, world.BINDING, 7)
    assert len(sealed) <= bulletin.MAX_SECRETS
    assert seal.open_adv_keys(sealed, world.LOCK_SEAL, world.BINDING, 7) == keys
    for wrong in ((world.LOCK_STATIC, world.BINDING, 7), (world.LOCK_SEAL, world.OTHER_BINDING, 7)):
        with pytest.raises(ProtocolError):
            seal.open_adv_keys(sealed, *wrong)
    with pytest.raises(ProtocolError):
        seal.open_adv_keys(sealed, world.LOCK_SEAL, world.BINDING, 8)

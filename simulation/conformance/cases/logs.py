"""The log as a courier carries it and a server reads it: sealed, signed, chained, freed by receipts only."""

from __future__ import annotations

import asyncio
from itertools import pairwise

from protocol import log, seal
from protocol.entries import EntryType
from protocol.errors import ProtocolError
from protocol.keys import HolderKey, KeyType
from protocol.log import Batch
from protocol.messages import Command
from protocol.reasons import Reason, reason
from simulation.conformance.bench import Bench
from simulation.conformance.case import Chapter
from simulation.conformance.verdict import DeviationError, expect

CHAPTER = Chapter("18")
MANY = 60


async def carried(bench: Bench, *, command: Command = Command.OPEN) -> Batch:
    """Open, carry, and return the batch as a server reads it."""
    async with bench.line() as line:
        decision = await bench.ask(line, bench.request(command=command))
        expect(Reason.GRANTED, reason(decision.reason), "m2")
        batches = await bench.finish(line, carry=4096)
    expect(1, len(batches), "log batches")
    return bench.place.opened(batches[0].sealed)


async def everything(bench: Bench) -> list[Batch]:
    """Carry and receipt until the lock has nothing older than the last opening."""
    found = []
    for _ in range(MANY):
        batch = await carried(bench)
        found.append(batch)
        await _receipt(bench, batch)
        if any(one.kind == EntryType.GRANTED for one in batch.entries[-3:]):
            return found
    raise DeviationError(f"the lock's log has no end after {MANY} batches")


async def _receipt(bench: Bench, batch: Batch, digest: bytes | None = None) -> Reason | None:
    receipt = bench.place.receipt(batch, digest=digest)
    return reason((await bench.offer(bench.place.news(time=bench.now(), receipt=receipt))).reason)


@CHAPTER.case("a batch is sealed to the server, signed by the lock, and names its courier", "18.2")
async def first(bench: Bench) -> None:
    """And the courier cannot read it."""
    async with bench.line() as line:
        await bench.ask(line, bench.request())
        (batch,) = await bench.finish(line, carry=4096)
    sealed = seal.parse_log(batch.sealed)
    expect(b"s1", sealed.kid, "sealing kid")
    for private in (bench.anna.private, bench.bo.private):
        try:
            sealed.open(private)
        except ProtocolError:
            continue
        raise DeviationError("a phone could read the log")
    read = bench.place.opened(batch.sealed)
    expect(HolderKey(KeyType.X25519, bench.anna.public).fingerprint, read.courier, "courier")
    expect(bench.place.lock.lock_id, read.lock_id, "lock")


@CHAPTER.case("a batch within 4096 bytes, and none beyond what the phone takes", "12.1")
async def bounded(bench: Bench) -> None:
    """Oldest first, whatever fits."""
    for carry in (4096, 1000, 0):
        async with bench.line() as line:
            await bench.ask(line, bench.request())
            batches = await bench.finish(line, carry=carry)
        if any(len(one.sealed) > carry for one in batches) or len(batches) > 1:
            raise DeviationError(f"more log than the {carry} bytes that were asked for")


@CHAPTER.case("entries are chained from one batch to the next, and freed by receipts", "18.5")
async def chained(bench: Bench) -> None:
    """Every entry once, without a hole, until the newest."""
    batches = await everything(bench)
    following = batches[0].first
    for batch in batches:
        if batch.first > following:
            raise DeviationError(f"entries {following} to {batch.first - 1} are missing")
        following = batch.last + 1
    for one, next_one in pairwise(batches):
        if next_one.first == one.last + 1:
            expect(one.h_end, next_one.h_start, "chain hash between two batches")


@CHAPTER.case("grant and outcome stand in the log, with the numbers that m2 and m3 named", "18.1")
async def numbers(bench: Bench) -> None:
    """What was said is what is logged."""
    await everything(bench)
    async with bench.line() as line:
        decision = await bench.ask(line, bench.request())
        await bench.finish(line)
    batch = await carried(bench)
    entries = {entry.seq: entry for entry in batch.entries}
    granted = entries.get(decision.seq)
    if granted is None or granted.kind != EntryType.GRANTED:
        raise DeviationError("m2 named a log entry that is no grant")
    following = entries.get(decision.seq + 1)
    if following is None or following.kind != EntryType.OUTCOME:
        raise DeviationError("no outcome follows the grant")


@CHAPTER.case("nothing is freed without a receipt: the same entries come again", "18.4")
async def kept(bench: Bench) -> None:
    """The courier threw its batch away."""
    await everything(bench)
    lost = await carried(bench)
    again = await carried(bench)
    if again.first > lost.first:
        raise DeviationError(f"entry {lost.first} is gone without a receipt")


@CHAPTER.case("a receipt for another history frees nothing and is logged as an alarm", "18.5")
async def other_history(bench: Bench) -> None:
    """Its hash is not the lock's."""
    await everything(bench)
    batch = await carried(bench)
    expect(Reason.GRANTED, await _receipt(bench, batch, digest=bytes(32)), "bulletin-result")
    again = await carried(bench)
    if again.first > batch.first:
        raise DeviationError("entries were freed by a receipt for another history")
    kinds = [one.kind for one in again.entries]
    if EntryType.RECEIPT_ALARM not in kinds:
        raise DeviationError("no receipt alarm in the log")


@CHAPTER.case("a receipt by a key that is none frees nothing", "18.5")
async def forged_receipt(bench: Bench) -> None:
    """Signed by the bulletin key."""
    await everything(bench)
    batch = await carried(bench)
    forged = bench.place.receipt(batch, key=bench.place.issuer.bulletin_key)
    await bench.offer(bench.place.news(time=bench.now(), receipt=forged))
    if (await carried(bench)).first > batch.first:
        raise DeviationError("entries were freed by a forged receipt")


@CHAPTER.case("an entry's hash follows from the one before", "18.1")
async def recomputed(bench: Bench) -> None:
    """h_n = SHA-256(0x02, h_(n-1), entry)."""
    batch = await carried(bench)
    chain = batch.h_start
    for entry in batch.entries:
        chain = log.link(chain, entry.encode())
    expect(batch.h_end, chain, "chain hash after the batch")


@CHAPTER.case("a batch says how many seconds the lock has run since the boot that it names", "18.2")
async def ran(bench: Bench) -> None:
    """By its own crystal, which may be off, but not by a second in five."""
    first = await carried(bench)
    await asyncio.sleep(5)
    second = await carried(bench)
    expect(first.boot, second.boot, "boot")
    if not 4 <= second.ran - first.ran <= 30:
        raise DeviationError(f"ran went from {first.ran} to {second.ran} in about five seconds")


@CHAPTER.case("a lock that has lost nothing states no gap", "18.2")
async def whole(bench: Bench) -> None:
    """A gap is the lock's own word that entries are gone."""
    batch = await carried(bench)
    if batch.acked + 1 == batch.first and batch.gap is not None:
        raise DeviationError("a gap, although the entries before the batch are receipted")

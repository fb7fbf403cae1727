"""Vectors for the log: entries of every type, the chain, batches, sealed batches."""

from dataclasses import replace
from typing import Any

from protocol import cbor, cose, log, manifest
from protocol.entries import Entry, EntryType, Granted, OutcomeDetail, Refused
from protocol.keys import SigningKey
from protocol.log import Batch, Gap, Kept
from protocol.messages import Command, OutcomeCode
from protocol.reasons import Reason
from tests.protocol.vectors import world
from tests.protocol.vectors.world import NOW, seed

EPOCH = 2
_PHONE = world.PHONE_KEY.fingerprint
_CTI = world.CLAIMS.token_id
_DETAILS: list[tuple[int, bytes | None, tuple[Any, ...]]] = [
    (EntryType.STORE_CORRUPT, None, (2,)),
    (EntryType.BOOT, None, (17, 1)),
    (EntryType.BOUND, None, (world.BINDING, 1)),
    (EntryType.GRANTED, _CTI, Granted(Command.OPEN, world.REQUEST_ID, _PHONE, 7, 70_001).detail()),
    (EntryType.OUTCOME, _CTI, OutcomeDetail(4, OutcomeCode.MOVED, 87, (1, 5)).detail()),
    (EntryType.RELOCKED, None, (4, OutcomeCode.MOVED)),
    (EntryType.HAND, None, (1,)),
    (EntryType.HAND_COUNT, None, (NOW // 86_400, 3)),
    (EntryType.REFUSED, _CTI, Refused(Reason.EXPIRED, 1, world.REQUEST_ID, _PHONE, 70_001).detail()),
    (EntryType.REFUSED, None, Refused(Reason.MALFORMED, None, None, _PHONE, 70_001).detail()),
    (EntryType.FAILURES, None, (250, NOW)),
    (EntryType.BULLETIN, None, (70_002,)),
    (EntryType.CLOCK, None, (NOW, NOW + 61)),
    (EntryType.LOW_BATTERY, None, (20,)),
    (EntryType.RECEIPT_ALARM, None, (EPOCH, 99)),
    (EntryType.GRANTED, _CTI, Granted(Command.LOCK, seed("second", 8), _PHONE, 7, 70_002, 1).detail()),
    (EntryType.OUTCOME, _CTI, OutcomeDetail(16, OutcomeCode.UNKNOWN).detail()),
    (EntryType.TAMPER, None, (1, 1)),
    (EntryType.FIRMWARE, None, (6, 7, 0)),
    (200, None, ("of a later version", True, None, -5)),
]
ENTRIES = tuple(
    Entry(seq=number, time=NOW + 10 * number, kind=kind, token_id=cti, detail=detail)
    for number, (kind, cti, detail) in enumerate(_DETAILS, 1)
)
HASHES = [log.genesis(world.LOCK.lock_id, EPOCH)]
for _entry in ENTRIES:
    HASHES.append(log.link(HASHES[-1], _entry.encode()))

BATCH = Batch(
    lock_id=world.LOCK.lock_id,
    epoch=EPOCH,
    boot=17,
    ran=864_000,
    now=NOW + 1000,
    courier=_PHONE,
    acked=0,
    first=1,
    h_start=HASHES[0],
    gap=None,
    entries=ENTRIES,
)
GAPPED = replace(BATCH, first=5, h_start=HASHES[4], gap=Gap(1, 4, HASHES[4]), entries=ENTRIES[4:])
LATER = replace(BATCH, acked=3, first=10, h_start=HASHES[9], gap=None, entries=ENTRIES[9:12])
KEPT = tuple(Kept(HASHES[entry.seq - 1], entry) for entry in (*ENTRIES[:3], ENTRIES[10]))
KEEPING = replace(
    GAPPED, first=13, h_start=HASHES[12], gap=Gap(1, 12, HASHES[12], KEPT), entries=ENTRIES[12:]
)
BATCH_BYTES = log.sign(BATCH, world.LOCK_LOG_KEY)


def _raw(batch: Batch, changes: dict[int, Any], key: SigningKey = world.LOCK_LOG_KEY) -> bytes:
    """A batch over any items, properly signed."""
    body = cbor.decode(cose.parse1(log.sign(batch, key), max_size=4608).payload, max_size=4608)
    for index, value in changes.items():
        body[index] = value
    return cose.sign1(cbor.encode(body), key, cose.context("log-batch"))


def _refused_entries() -> list[dict[str, Any]]:
    granted = ENTRIES[3].as_array()
    cases = [
        ("four items", granted[:4]),
        ("cti of 7 bytes", [*granted[:3], bytes(7), granted[4]]),
        ("granted without its flags", [*granted[:4], granted[4][:5]]),
        ("phone of 7 bytes", [*granted[:4], [1, bytes(8), bytes(7), 7, 1, 0]]),
        ("offered of one", [5, NOW, 3, _CTI, [4, 0, None, [1]]]),
        ("battery of 101 percent", [5, NOW, 3, _CTI, [4, 0, 101, None]]),
        ("boot as text", [5, NOW, 5, None, ["17", 1]]),
        ("hand of nobody", [5, NOW, 7, None, []]),
        ("tamper without its number of times", [5, NOW, 15, None, [1]]),
        ("tamper by somebody", [5, NOW, 15, _CTI, [1, 1]]),
        ("firmware with an unknown result", [5, NOW, 16, None, [6, 7, 4]]),
        ("larger than 128 bytes", [5, NOW, 200, None, [bytes(120)]]),
        ("nine details", [5, NOW, 200, None, list(range(9))]),
        ("type 256", [5, NOW, 256, None, []]),
    ]
    return [{"name": name, "bytes": cbor.encode(value)} for name, value in cases]


def _refused_batches() -> list[dict[str, Any]]:
    forger = SigningKey.from_seed(world.LOCK.lock_id, seed("forged log key"))
    items = [entry.as_array() for entry in ENTRIES]
    cases = [
        ("forged", log.sign(BATCH, forger)),
        (
            "kid of another lock",
            _raw(BATCH, {}, SigningKey.from_seed(world.OTHER_LOCK_ID, world.LOCK_LOG_SEED)),
        ),
        ("version 2", _raw(BATCH, {0: 2})),
        ("epoch 0", _raw(BATCH, {2: 0})),
        ("an entry of wrong form", _raw(LATER, {11: [[10, NOW, EntryType.HAND, None, [2]]]})),
        ("an entry left out", _raw(BATCH, {11: items[:2] + items[3:]})),
        ("an entry twice", _raw(BATCH, {11: [items[0], *items]})),
        ("first is not the first", _raw(BATCH, {8: 2})),
        ("not from the genesis of its epoch", _raw(BATCH, {9: seed("elsewhere")})),
        ("gap backwards", _raw(GAPPED, {10: [4, 1, HASHES[4], []]})),
        ("gap into the batch", _raw(GAPPED, {10: [1, 5, HASHES[5], []]})),
        ("gap with another chain", _raw(GAPPED, {10: [1, 4, seed("elsewhere"), []]})),
        ("gap without what was kept", _raw(GAPPED, {10: [1, 4, HASHES[4]]})),
        ("seconds since boot as text", _raw(BATCH, {4: "864000"})),
        *((name, _keeping(kept)) for name, kept in _refused_kept()),
        ("signed as a receipt", cose.sign1(_payload(), world.LOCK_LOG_KEY, cose.context("receipt"))),
        ("cut short", BATCH_BYTES[:-1]),
    ]
    return [{"name": name, "bytes": data} for name, data in cases]


def _keeping(kept: list[Any]) -> bytes:
    return _raw(KEEPING, {10: [1, 12, HASHES[12], kept]})


def _refused_kept() -> list[tuple[str, list[Any]]]:
    kept = [[one.hash_before, one.entry.as_array()] for one in KEPT]
    begin, elsewhere = kept[0][1], seed("elsewhere")
    last = [HASHES[11], ENTRIES[11].as_array()]
    return [
        ("a kept entry of wrong form", [[HASHES[0], [1, NOW, EntryType.HAND, None, [2]]]]),
        ("kept entries out of order", [kept[1], kept[0]]),
        ("a kept entry twice", [kept[0], kept[0]]),
        ("a kept entry beyond its gap", [[HASHES[12], ENTRIES[12].as_array()]]),
        ("the first entry kept, not from the genesis", [[elsewhere, begin]]),
        ("two kept side by side, not chained", [kept[0], [elsewhere, kept[1][1]]]),
        ("the gap's last entry kept, not chained to the gap", [[elsewhere, last[1]]]),
        ("a kept entry without the hash before it", [[begin]]),
        ("65 kept entries", [kept[0]] * 65),
    ]


def _payload() -> bytes:
    return cose.parse1(BATCH_BYTES, max_size=4608).payload


def log_file() -> dict[str, Any]:
    return {
        "about": "Sections 18.1 and 18.2. hashes[n] is h_n; the lock is that of lock-identity.json.",
        "lock_id": world.LOCK.lock_id,
        "log_public": world.LOCK.log_public,
        "epoch": EPOCH,
        "entries": [entry.encode() for entry in ENTRIES],
        "hashes": HASHES,
        "refused_entries": _refused_entries(),
        "batches": [
            {"name": name, "bytes": log.sign(batch, world.LOCK_LOG_KEY), "fields": _fields(batch)}
            for name, batch in (
                ("whole epoch", BATCH),
                ("after a gap", GAPPED),
                ("with entries out of its gap", KEEPING),
                ("a stretch", LATER),
            )
        ],
        "refused_batches": _refused_batches(),
    }


def _fields(batch: Batch) -> dict[str, Any]:
    gap = batch.gap
    return {
        "lock_id": batch.lock_id,
        "epoch": batch.epoch,
        "boot": batch.boot,
        "ran": batch.ran,
        "now": batch.now,
        "courier": batch.courier,
        "acked": batch.acked,
        "first": batch.first,
        "h_start": batch.h_start,
        "gap": None if gap is None else gap.as_array(),
        "entries": len(batch.entries),
        "h_end": batch.h_end,
    }


def sealed_file() -> dict[str, Any]:
    kid = world.SEALING_KEY.kid
    info = cose.context("log", kid)
    sealed = world.seal(BATCH_BYTES, world.SEALING_KEY.public, info, "batch")
    envelope = cbor.encode([1, kid, sealed])
    secrets_info = world.secrets_info(world.BINDING, 9)
    keys = cbor.encode([world.ADV_KEY, world.NEXT_ADV_KEY])
    return {
        "about": "Sections 3.3, 18.3 and 16. The ephemeral key is fixed here and random in use.",
        "log": {
            "private": world.SEALING_PRIVATE,
            "info": info,
            "bytes": envelope,
            "kid": kid,
            "batch": BATCH_BYTES,
        },
        "secrets": {
            "private": world.LOCK_SEAL,
            "info": secrets_info,
            "binding": world.BINDING,
            "seq": 9,
            "bytes": world.seal(keys, world.LOCK.seal_public, secrets_info, "two adv_keys"),
            "adv_keys": [world.ADV_KEY, world.NEXT_ADV_KEY],
        },
        "refused_log": [
            {"name": "changed", "bytes": cbor.encode([1, kid, sealed[:-1] + bytes([sealed[-1] ^ 1])])},
            {"name": "under another kid", "bytes": cbor.encode([1, b"\x40\x02", sealed])},
            {
                "name": "encapsulated key of low order",
                "bytes": cbor.encode([1, kid, bytes(32) + sealed[32:]]),
            },
            {"name": "version 2", "bytes": cbor.encode([2, kid, sealed])},
            {"name": "shorter than key and tag", "bytes": cbor.encode([1, kid, sealed[:47]])},
            {"name": "cut short", "bytes": envelope[:-1]},
        ],
    }


def manifest_of_strangers() -> bytes:
    """A newer manifest that only strangers' roots signed."""
    roots = world.root_set((world.STRANGER_ROOT,), 1)
    return manifest.sign(replace(world.MANIFEST, version=9, roots=roots), (world.STRANGER_ROOT,))

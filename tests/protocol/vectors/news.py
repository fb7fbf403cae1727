"""Vectors for what phones carry to locks: bulletins, the receipts inside them, fresh time."""

from dataclasses import replace
from typing import Any

from protocol import bulletin, cbor, cose, freshtime, handshake, receipt
from protocol.bulletin import Bulletin
from protocol.freshtime import FreshTime
from protocol.keys import SigningKey
from protocol.receipt import Receipt
from protocol.settings import LockSettings
from tests.protocol.vectors import logs, opening, world
from tests.protocol.vectors.world import NOW, seed

_NEXT = replace(world.BULLETIN, seq=world.BULLETIN.seq + 1, time=NOW)
_FORGER = SigningKey.from_seed(world.BULLETIN_KEY.kid, seed("forger"))


def _signed(key: SigningKey = world.BULLETIN_KEY, **changes: Any) -> bytes:
    return bulletin.sign(replace(_NEXT, **changes), key)


def _secrets(seq: int = _NEXT.seq) -> bytes:
    info = world.secrets_info(world.BINDING, seq)
    return world.seal(cbor.encode([world.NEXT_ADV_KEY]), world.LOCK.seal_public, info, "next adv_key")


def _full() -> bytes:
    """A bulletin with everything in it, signed by a bulletin key that its own manifest introduces."""
    return _signed(
        world.NEXT_BULLETIN_KEY,
        manifest=world.NEXT_MANIFEST_BYTES,
        receipt=RECEIPT_BYTES,
        secrets=_secrets(),
    )


def _raw(**changes: Any) -> bytes:
    """A bulletin over any body, properly signed."""
    body = cbor.decode(cose.parse1(_signed(), max_size=8192).payload, max_size=8192)
    body |= {int(name[1:]): value for name, value in changes.items()}
    return cose.sign1(cbor.encode(body), world.BULLETIN_KEY, cose.context("bulletin"))


def bulletin_file() -> dict[str, Any]:
    hashes = sorted(_NEXT.revoked)
    foreign_manifest = logs.manifest_of_strangers()
    cases = [
        ("newer", _signed(), "granted"),
        ("with everything, by a new key", _full(), "granted"),
        ("with the manifest the lock has", _signed(manifest=world.MANIFEST_BYTES), "granted"),
        ("numbers may be skipped", _signed(seq=2**32 - 1), "granted"),
        ("the one the lock has", world.BULLETIN_BYTES, "bulletin_old"),
        ("number 1", _signed(seq=1), "bulletin_old"),
        ("other binding", _signed(binding=world.OTHER_BINDING), "bulletin_wrong_binding"),
        ("other lock", _signed(lock_id=world.OTHER_LOCK_ID), "bulletin_wrong_binding"),
        ("forged", _signed(_FORGER), "bulletin_invalid"),
        ("unknown kid", _signed(world.NEXT_BULLETIN_KEY), "bulletin_invalid"),
        ("signed by the token key", _signed(world.TOKEN_KEY), "bulletin_invalid"),
        (
            "by the key its manifest retires",
            _signed(manifest=world.NEXT_MANIFEST_BYTES),
            "bulletin_invalid",
        ),
        ("strangers' manifest", _signed(manifest=foreign_manifest), "manifest_invalid"),
        ("secrets of another number", _signed(secrets=_secrets(5)), "bulletin_invalid"),
        ("number 0", _raw(c3=0), "bulletin_invalid"),
        ("revoked not ascending", _raw(c5=hashes[::-1]), "bulletin_invalid"),
        ("revoked twice", _raw(c5=[hashes[0]] * 2), "bulletin_invalid"),
        ("too many revoked", _raw(c5=[n.to_bytes(8, "big") for n in range(257)]), "bulletin_invalid"),
        ("grp beyond 16 bits", _raw(c6={65536: 0}), "bulletin_invalid"),
        ("too many grps", _raw(c6=dict.fromkeys(range(129), 0)), "bulletin_invalid"),
        ("unknown key in the map", _raw(c12=0), "bulletin_invalid"),
        ("door kind as an array", _raw(c8=_settings({1: []})), "bulletin_invalid"),
        ("last energy of 2", _raw(c8=_settings({6: 2})), "bulletin_invalid"),
        ("last energy as a boolean", _raw(c8=_settings({6: True})), "bulletin_invalid"),
        ("settings without the last energy", _raw(c8=_without_last_energy()), "bulletin_invalid"),
        ("consent as a boolean", _raw(c8=_settings({4: True})), "bulletin_invalid"),
        ("clock correction too large", _raw(c8=_settings({5: 1001})), "bulletin_invalid"),
        ("manifest of null", _raw(c9=None), "bulletin_invalid"),
        ("empty manifest", _raw(c9=b""), "bulletin_invalid"),
        ("cut short", _signed()[:-1], "bulletin_invalid"),
    ]
    return {
        "about": "Section 16. held is what the lock has; the manifests are those of manifest.json.",
        "held": {
            "binding": world.BINDING,
            "lock_id": world.LOCK.lock_id,
            "seq": world.BULLETIN.seq,
            "manifest": world.MANIFEST_BYTES,
        },
        "lock_seal_private": world.LOCK_SEAL,
        "full": {"bytes": _full(), "fields": _fields(_NEXT), "adv_keys": [world.NEXT_ADV_KEY]},
        "cases": [dict(zip(("name", "bytes", "reason"), case, strict=True)) for case in cases],
    }


def _settings(changes: dict[int, Any]) -> dict[int, Any]:
    return LockSettings(_NEXT.settings.door_kind).as_map() | changes


def _without_last_energy() -> dict[int, Any]:
    return {key: value for key, value in _settings({}).items() if key != 6}


def _fields(one: Bulletin) -> dict[str, Any]:
    return {
        "binding": one.binding,
        "lock_id": one.lock_id,
        "seq": one.seq,
        "time": one.time,
        "revoked": sorted(one.revoked),
        "grp_not_before": one.grp_not_before,
        "not_before": one.not_before,
        "settings": {
            "door_kind": one.settings.door_kind,
            "relock_after": one.settings.relock_after,
            "hold_milliseconds": one.settings.hold_milliseconds,
            "count_hand_openings": one.settings.count_hand_openings,
            "clock_ppm": one.settings.clock_ppm,
            "open_with_last_energy": one.settings.open_with_last_energy,
        },
    }


def fresh_time_file() -> dict[str, Any]:
    digest = handshake.m0_hash(opening.lock_side().m0)

    def stated(key: SigningKey = world.BULLETIN_KEY, **changes: Any) -> bytes:
        return freshtime.sign(replace(FreshTime(world.BINDING, digest, NOW), **changes), key)

    cases = [
        ("forward", stated(time=NOW + 5000), "granted"),
        ("an hour back", stated(time=NOW - 3600), "granted"),
        ("further back", stated(time=NOW - 3601), "time_jump_refused"),
        ("a year forward", stated(time=NOW + 31_536_000), "granted"),
        ("another session's", stated(m0_hash=seed("another m0")), "time_not_for_session"),
        ("another binding's", stated(binding=world.OTHER_BINDING), "time_not_for_session"),
        ("forged", stated(_FORGER), "time_invalid"),
        ("signed by the token key", stated(world.TOKEN_KEY), "time_invalid"),
        ("cut short", stated()[:-1], "time_invalid"),
    ]
    return {
        "about": "Section 17.2, in the session of handshake.json, at a lock whose clock says now.",
        "binding": world.BINDING,
        "m0_hash": digest,
        "now": NOW,
        "cases": [dict(zip(("name", "bytes", "reason"), case, strict=True)) for case in cases],
    }


RECEIPT = Receipt(world.LOCK.lock_id, logs.EPOCH, 3, logs.HASHES[3], NOW)
RECEIPT_BYTES = receipt.sign(RECEIPT, world.RECEIPT_KEY)


def receipt_file() -> dict[str, Any]:
    def made(key: SigningKey = world.RECEIPT_KEY, **changes: Any) -> bytes:
        return receipt.sign(replace(RECEIPT, **changes), key)

    head = len(logs.ENTRIES)
    cases = [
        ("three entries", RECEIPT_BYTES, "frees"),
        ("all entries", made(seq=head, hash=logs.HASHES[head]), "frees"),
        ("what is receipted already", made(seq=1, hash=logs.HASHES[1]), "ignored"),
        ("another lock's", made(lock_id=world.OTHER_LOCK_ID), "ignored"),
        ("an older epoch's", made(epoch=logs.EPOCH - 1), "ignored"),
        ("forged", made(_FORGER), "ignored"),
        ("signed by the bulletin key", made(world.BULLETIN_KEY), "ignored"),
        ("cut short", RECEIPT_BYTES[:-1], "ignored"),
        ("another history", made(hash=seed("another history")), "alarm"),
        ("beyond the newest entry", made(seq=head + 1), "alarm"),
        ("a later epoch's", made(epoch=logs.EPOCH + 1), "alarm"),
    ]
    return {
        "about": "Section 18.5, at the lock whose log is that of log.json, with a receipt for entry 1.",
        "lock_id": world.LOCK.lock_id,
        "epoch": logs.EPOCH,
        "acked": 1,
        "fields": {
            "lock_id": RECEIPT.lock_id,
            "epoch": RECEIPT.epoch,
            "seq": RECEIPT.seq,
            "hash": RECEIPT.hash,
            "time": RECEIPT.time,
        },
        "cases": [dict(zip(("name", "bytes", "verdict"), case, strict=True)) for case in cases],
    }

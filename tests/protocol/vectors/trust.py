"""Vectors for what trust is led back to: manifest, lock identity, commissioning, lock record."""

from dataclasses import replace
from typing import Any

from protocol import bulletin, cbor, commission, cose, identity, lockrecord, manifest
from protocol.cose import context
from protocol.keys import SigningKey
from protocol.manifest import Manifest
from tests.protocol.vectors import world
from tests.protocol.vectors.world import ROOTS, seed


def _body(version: object = 1, **changes: object) -> dict[int, Any]:
    """The payload map of the first manifest, to be spoilt in ways the product's code refuses to write."""
    made: dict[int, Any] = cbor.decode(cose.parse(world.MANIFEST_BYTES, max_size=2048).payload, max_size=2048)
    return made | {1: version} | {int(key[1:]): value for key, value in changes.items()}


def _spoilt(body: dict[int, Any], signers: tuple[SigningKey, ...] = ROOTS[:2]) -> bytes:
    return cose.sign(cbor.encode(body), signers, context("manifest"))


def _signed_twice() -> bytes:
    parts = cbor.decode(world.MANIFEST_BYTES, max_size=2048)
    return cbor.encode([*parts[:3], [parts[3][0], parts[3][0]]])


def _flipped() -> bytes:
    return world.MANIFEST_BYTES[:-1] + bytes([world.MANIFEST_BYTES[-1] ^ 1])


def manifest_file() -> dict[str, Any]:
    roles = _body()[6]
    sealing = roles[3]
    foreign = replace(world.NEXT_MANIFEST, municipality=seed("another municipality", 8))
    alone = replace(world.NEXT_MANIFEST, roots=world.root_set(world.NEW_ROOTS))
    same_roots = replace(world.MANIFEST, version=5)
    held = world.MANIFEST_BYTES
    return {
        "about": "Section 4. Verified under the trusted roots, then accepted in the place of the held one.",
        "trusted": {"keys": world.TRUSTED.keys, "threshold": world.TRUSTED.threshold},
        "manifest": world.MANIFEST_BYTES,
        "fields": _fields(world.MANIFEST),
        "accepted": [
            {"name": "next, with new roots", "held": held, "bytes": world.NEXT_MANIFEST_BYTES, "version": 2},
            {
                "name": "versions may be skipped",
                "held": held,
                "bytes": manifest.sign(same_roots, ROOTS[1:]),
                "version": 5,
            },
            {
                "name": "a stranger's signature beside enough good ones is passed over",
                "held": held,
                "bytes": manifest.sign(same_roots, (*ROOTS[1:], world.STRANGER_ROOT)),
                "version": 5,
            },
        ],
        "not_newer": [
            {"name": "the same", "held": held, "bytes": held},
            {"name": "older", "held": manifest.sign(same_roots, ROOTS[1:]), "bytes": held},
        ],
        "refused": [
            {"name": "one root of two", "held": held, "bytes": manifest.sign(same_roots, ROOTS[:1])},
            {"name": "one root twice", "held": held, "bytes": _signed_twice()},
            {"name": "signed by the new roots only", "held": held, "bytes": _new_only(alone)},
            {
                "name": "signed by the old roots only",
                "held": held,
                "bytes": manifest.sign(alone, ROOTS[1:]),
            },
            {"name": "another municipality's", "held": held, "bytes": _by_all(foreign)},
            {"name": "a signature does not hold", "held": held, "bytes": _flipped()},
            {"name": "role keys not sorted", "held": held, "bytes": _spoilt(_body(2, _6=roles[::-1]))},
            {"name": "no sealing key", "held": held, "bytes": _spoilt(_body(2, _6=roles[:3]))},
            {
                "name": "two sealing keys",
                "held": held,
                "bytes": _spoilt(_body(2, _6=[*roles[:4], [4, b"\x40\x02", seed("x")], roles[4]])),
            },
            {
                "name": "one key with two roles",
                "held": held,
                "bytes": _spoilt(_body(2, _6=[*roles, [5, b"\x50\x02", sealing[2]]])),
            },
            {
                "name": "unknown role",
                "held": held,
                "bytes": _spoilt(_body(2, _6=[*roles, [6, b"\0\0", seed("y")]])),
            },
            {"name": "version 0", "held": held, "bytes": _spoilt(_body(0))},
            {"name": "version as a boolean", "held": held, "bytes": _spoilt(_body(True))},
            {"name": "threshold above the roots", "held": held, "bytes": _spoilt(_body(2, _5=4))},
            {"name": "unknown key in the map", "held": held, "bytes": _spoilt(_body(2) | {7: 0})},
        ],
    }


def _new_only(one: Manifest) -> bytes:
    return manifest.sign(one, world.NEW_ROOTS[1:])


def _by_all(one: Manifest) -> bytes:
    return manifest.sign(one, (ROOTS[0], ROOTS[1], world.NEW_ROOTS[1]))


def _fields(one: Manifest) -> dict[str, Any]:
    return {
        "version": one.version,
        "municipality": one.municipality,
        "issued_at": one.issued_at,
        "roots": one.roots.keys,
        "threshold": one.roots.threshold,
        "role_keys": [[key.role, key.kid, key.public] for key in one.role_keys],
    }


def identity_file() -> dict[str, Any]:
    other = SigningKey.from_seed(world.LOCK.lock_id, seed("another log key"))
    wrong_id = SigningKey.from_seed(world.OTHER_LOCK_ID, world.LOCK_LOG_SEED)
    return {
        "about": "Section 5.",
        "bytes": world.IDENTITY_BYTES,
        "fields": {
            "lock_id": world.LOCK.lock_id,
            "protocol_version": 1,
            "static_public": world.LOCK.static_public,
            "log_public": world.LOCK.log_public,
            "seal_public": world.LOCK.seal_public,
            "suites": 3,
        },
        "refused": [
            {"name": "signed by another key", "bytes": identity.sign(world.LOCK, other)},
            {"name": "under another lock id", "bytes": identity.sign(world.LOCK, wrong_id)},
            {"name": "cut short", "bytes": world.IDENTITY_BYTES[:-1]},
        ],
    }


def first_bulletin(**changes: Any) -> bytes:
    """Bulletin 1 of a binding, with its adv_key sealed to the lock."""
    values: dict[str, Any] = {"binding": world.BINDING, "seq": 1, "time": world.NOW, "revoked": frozenset()}
    values |= {"grp_not_before": {}} | changes
    info = world.secrets_info(values["binding"], values["seq"])
    receiver = values.pop("sealed_to", world.LOCK.seal_public)
    sealed = world.seal(cbor.encode([world.ADV_KEY]), receiver, info, "adv_key")
    return bulletin.sign(replace(world.BULLETIN, secrets=sealed, **values), world.BULLETIN_KEY)


def commission_file() -> dict[str, Any]:
    def package(**changes: Any) -> bytes:
        return commission.encode(world.TRUSTED, world.MANIFEST_BYTES, first_bulletin(**changes))

    moved = {"manifest": world.MANIFEST_BYTES, "bulletin": first_bulletin(binding=world.OTHER_BINDING)}
    strange_roots = world.root_set((world.STRANGER_ROOT,), 1)
    strange = replace(world.MANIFEST, roots=strange_roots)
    strange_bytes = manifest.sign(strange, (world.STRANGER_ROOT,))
    newer = manifest.sign(replace(world.MANIFEST, version=5), ROOTS[1:])
    cases = [
        ("blank lock", package(), None, "granted"),
        ("moved from another door", package(), moved, "granted"),
        ("for another lock", package(lock_id=world.OTHER_LOCK_ID), None, "commission_wrong_lock"),
        (
            "secrets for another lock",
            package(sealed_to=world.SEALING_KEY.public),
            None,
            "commission_wrong_lock",
        ),
        ("the binding it has", package(), moved | {"bulletin": first_bulletin()}, "commission_old"),
        (
            "older than its newest bulletin",
            package(),
            moved | {"bulletin": first_bulletin(binding=world.OTHER_BINDING, time=world.NOW + 1)},
            "commission_old",
        ),
        ("older manifest", package(), moved | {"manifest": newer}, "commission_old"),
        (
            "other roots",
            commission.encode(strange_roots, strange_bytes, first_bulletin()),
            moved,
            "commission_root_mismatch",
        ),
        (
            "manifest not signed by the roots it brings",
            commission.encode(strange_roots, world.MANIFEST_BYTES, first_bulletin()),
            None,
            "commission_invalid",
        ),
        (
            "no adv_keys",
            commission.encode(world.TRUSTED, world.MANIFEST_BYTES, world.BULLETIN_BYTES),
            None,
            "commission_invalid",
        ),
        (
            "fewer roots than the manifest names",
            commission.encode(world.root_set(ROOTS[:2], 1), world.MANIFEST_BYTES, first_bulletin()),
            None,
            "commission_invalid",
        ),
        ("cut short", package()[:-1], None, "commission_invalid"),
    ]
    return {
        "about": "Section 5. held is what the lock has, null for a blank one.",
        "lock_id": world.LOCK.lock_id,
        "adv_keys": [world.ADV_KEY],
        "cases": [dict(zip(("name", "bytes", "held", "reason"), case, strict=True)) for case in cases],
    }


def lock_record_file() -> dict[str, Any]:
    stranger = SigningKey.from_seed(b"\x20\x09", seed("unknown bulletin key"))
    forger = SigningKey.from_seed(world.BULLETIN_KEY.kid, seed("forger"))
    record, key = world.RECORD, world.BULLETIN_KEY
    none = cbor.encode(cbor.decode(_payload(), max_size=384) | {5: []})
    twice = cbor.encode(cbor.decode(_payload(), max_size=384) | {5: [world.ADV_KEY] * 2})
    return {
        "about": "Section 6, under the manifest of manifest.json.",
        "bytes": world.RECORD_BYTES,
        "fields": {
            "protocol_version": 1,
            "binding": record.binding,
            "lock_id": record.lock_id,
            "static_public": record.static_public,
            "adv_keys": record.adv_keys,
            "suites": 3,
            "door_kind": record.door_kind,
            "issued_at": record.issued_at,
        },
        "refused": [
            {"name": "unknown key", "bytes": lockrecord.sign(record, stranger)},
            {"name": "forged", "bytes": lockrecord.sign(record, forger)},
            {"name": "signed by the token key", "bytes": lockrecord.sign(record, world.TOKEN_KEY)},
            {"name": "no adv_key", "bytes": cose.sign1(none, key, context("lock-record"))},
            {"name": "signed as a bulletin", "bytes": cose.sign1(_payload(), key, context("bulletin"))},
            {"name": "one adv_key twice", "bytes": cose.sign1(twice, key, context("lock-record"))},
            {"name": "cut short", "bytes": world.RECORD_BYTES[:-1]},
        ],
    }


def _payload() -> bytes:
    return cose.parse1(world.RECORD_BYTES, max_size=384).payload

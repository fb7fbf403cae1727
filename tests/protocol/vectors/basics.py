"""Vectors for what everything stands on: CBOR, keys, frames, adverts."""

from typing import Any

from protocol import advert, cbor, cose, framing, gatt
from protocol.framing import Kind
from tests.protocol.vectors import world
from tests.protocol.vectors.world import seed

_ACCEPTED: dict[str, Any] = {
    "zero": 0,
    "twenty-three": 23,
    "twenty-four": 24,
    "64 bits": 2**64 - 1,
    "minus one": -1,
    "the grp label": -65537,
    "minus 64 bits": -(2**64),
    "empty bytes": b"",
    "256 bytes": bytes(256),
    "true, false, null": [True, False, None],
    "map in bytewise order, not length-first": {3: 0, 100_000: 1, -1: 2, b"": 3},
    "eight deep": [[[[[[[[0]]]]]]]],
}
_REFUSED = {
    "nothing": "",
    "bytes after the item": "0000",
    "integer longer than needed": "1817",
    "length longer than needed": "580100",
    "indefinite bytes": "5f4100ff",
    "indefinite array": "9f00ff",
    "indefinite map": "bf0000ff",
    "break alone": "ff",
    "duplicate key": "a201000100",
    "keys out of order": "a203000100",
    "keys in the length-first order of RFC 7049": "a4030020024000" + "1a000186a001",
    "tag on an integer": "c100",
    "shared reference": "d81c81d81d00",
    "bignum": "c24101",
    "half float": "f93c00",
    "single float": "fa3f800000",
    "double float": "fb3ff0000000000000",
    "undefined": "f7",
    "simple value": "f0",
    "simple value in two bytes": "f8ff",
    "reserved additional information": "1c",
    "array as a key": "a18000",
    "boolean as a key": "a1f500",
    "null as a key": "a1f600",
    "nine deep": "81" * 9 + "00",
    "nine deep, the innermost array empty": "81" * 8 + "80",
    "nine deep, the innermost map empty": "81" * 8 + "a0",
    "very deep": "81" * 200 + "00",
    "array cut short": "8200",
    "array of four thousand million": "9affffffff",
    "bytes cut short": "4200",
    "map without its value": "a100",
    "text that is not UTF-8": "61ff",
}


def cbor_file() -> dict[str, Any]:
    return {
        "about": "Section 2. An accepted item is the one encoding of its value; a refused one is malformed.",
        "accepted": [{"name": name, "bytes": cbor.encode(value)} for name, value in _ACCEPTED.items()],
        "refused": [{"name": name, "bytes": value} for name, value in _REFUSED.items()],
    }


def keys_file() -> dict[str, Any]:
    signing = {
        "root 1": world.ROOTS[0],
        "root 2": world.ROOTS[1],
        "root 3": world.ROOTS[2],
        "token": world.TOKEN_KEY,
        "bulletin": world.BULLETIN_KEY,
        "receipt": world.RECEIPT_KEY,
        "lock log": world.LOCK_LOG_KEY,
    }
    seeds = {
        "root 1": seed("root 1"),
        "root 2": seed("root 2"),
        "root 3": seed("root 3"),
        "token": seed("token key"),
        "bulletin": seed("bulletin key"),
        "receipt": seed("receipt key"),
        "lock log": world.LOCK_LOG_SEED,
    }
    return {
        "about": "Section 3. The fixed keys of all vectors. Never use them anywhere else.",
        "ed25519": [
            {"name": name, "seed": seeds[name], "public": key.public, "kid": key.kid}
            for name, key in signing.items()
        ],
        "x25519": [
            {"name": "lock static", "private": world.LOCK_STATIC, "public": world.LOCK.static_public},
            {"name": "lock seal", "private": world.LOCK_SEAL, "public": world.LOCK.seal_public},
            {"name": "phone", "private": world.PHONE, "public": world.PHONE_KEY.public},
            {
                "name": "sealing",
                "private": world.SEALING_PRIVATE,
                "public": world.SEALING_KEY.public,
                "kid": world.SEALING_KEY.kid,
            },
        ],
        "p256": [
            {
                "name": "phone of suite 2",
                "private": world.P256_PRIVATE,
                "public": world.P256_PHONE.holder.public,
                "fingerprint": world.P256_PHONE.holder.fingerprint,
            }
        ],
        "adv_keys": [world.ADV_KEY, world.NEXT_ADV_KEY],
        "lock_id": world.LOCK.lock_id,
        "phone_fingerprint": world.PHONE_KEY.fingerprint,
        "binding": world.BINDING,
        "municipality": world.MUNICIPALITY,
        "root_fingerprint": world.TRUSTED.fingerprint,
        "external_aad": {
            "token": cose.context("token", world.PHONE_KEY.encoded),
            "bulletin": cose.context("bulletin"),
            "manifest": cose.context("manifest"),
        },
    }


def _framed(name: str, kind: Kind, message: bytes, mtu: int) -> dict[str, Any]:
    frames = framing.fragment(kind, message, mtu - gatt.ATT_HEADER)
    return {"name": name, "mtu": mtu, "kind": kind, "message": message, "frames": frames}


def frames_file() -> dict[str, Any]:
    long = b"".join(seed(f"long message {n}") for n in range(32))
    good = [_framed(f"1024 bytes at MTU {mtu}", Kind.SESSION, long, mtu) for mtu in (23, 185, 247, 517)]
    good += [_framed(f"48 bytes at MTU {mtu}", Kind.M0, long[:48], mtu) for mtu in (23, 185)]
    good.append(_framed("alert: handshake_failed", Kind.ALERT, b"\x01", 23))
    one, two, three = framing.fragment(Kind.M1, long[:50], 20)
    other = framing.fragment(Kind.SESSION, long[:50], 20)
    return {
        "about": "Section 9. A refused sequence is refused at its last frame; the limit is 512 bytes there.",
        "messages": good,
        "restarted": {"frames": [one, one, two, three], "kind": Kind.M1, "message": long[:50]},
        "refused": [
            {"name": "empty frame", "frames": [b""]},
            {"name": "header without data", "frames": [one[:1]]},
            {"name": "begins in the middle", "frames": [two]},
            {"name": "a frame left out", "frames": [one, three]},
            {"name": "a frame twice", "frames": [one, two, two]},
            {"name": "another kind", "frames": [one, other[1]]},
            {"name": "first frame with number 1", "frames": [bytes([one[0] | 1]) + one[1:]]},
            {"name": "after the last", "frames": [bytes([0xD0]) + b"whole", two]},
            {"name": "larger than an attribute", "frames": [bytes([0xD0]) + bytes(512)]},
            {"name": "larger than the limit", "frames": framing.fragment(Kind.M1, bytes(513), 244)},
        ],
    }


def advert_file() -> dict[str, Any]:
    salts = [seed(f"salt {n}", 8) for n in (1, 2)]
    made = [
        advert.make(world.ADV_KEY, salts[0]),
        advert.make(world.NEXT_ADV_KEY, salts[1]),
        advert.make(seed("a stranger's adv_key"), salts[0]),
    ]
    uuid = bytes.fromhex(gatt.SERVICE_UUID.replace("-", ""))[::-1]
    return {
        "about": "Section 7. data: manufacturer data after the company id; key: which adv_key it is of.",
        "adv_ind": bytes.fromhex("020106") + bytes([17, 7]) + uuid,
        "adverts": [
            {"key": key, "salt": one.salt, "rid": one.rid, "data": one.data, "scan_rsp": _scan_rsp(one.data)}
            for key, one in zip((0, 1, None), made, strict=True)
        ],
        "refused": [
            {"name": "other version", "data": b"\x02" + made[0].data[1:]},
            {"name": "short", "data": made[0].data[:-1]},
            {"name": "long", "data": made[0].data + b"\0"},
            {"name": "nothing", "data": b""},
        ],
    }


def _scan_rsp(data: bytes) -> bytes:
    return bytes([3 + len(data), 0xFF]) + gatt.COMPANY_ID.to_bytes(2, "little") + data

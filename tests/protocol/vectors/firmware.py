"""Vectors for firmware: the signed header of a release, and what a lock that runs another makes of it."""

from dataclasses import replace
from typing import Any

from protocol import cbor, cose, firmware
from protocol.firmware import Header
from protocol.keys import SigningKey
from tests.protocol.vectors import world
from tests.protocol.vectors.world import NOW, seed

MODEL = b"linux-python-1"
IMAGE = b"".join(seed(f"image, part {number}") for number in range(300))
HEADER = firmware.describe(IMAGE, model=MODEL, version=7, security=2, signed_at=NOW)
HEADER_BYTES = firmware.sign(HEADER, world.FIRMWARE_KEY)
_FORGER = SigningKey.from_seed(world.FIRMWARE_KEY.kid, seed("forger"))
_RUNNING: dict[str, Any] = {
    "model": MODEL,
    "version": 5,
    "security": 2,
    "fell_back": 6,
    "digest": seed("running image"),
}


def _signed(key: SigningKey = world.FIRMWARE_KEY, **changes: Any) -> bytes:
    return firmware.sign(replace(HEADER, **changes), key)


def _raw(changes: dict[int, Any], context: str = "firmware") -> bytes:
    """A header over any body, properly signed."""
    body = cbor.decode(cose.parse1(HEADER_BYTES, max_size=224).payload, max_size=224)
    return cose.sign1(cbor.encode(body | changes), world.FIRMWARE_KEY, cose.context(context))


def firmware_file() -> dict[str, Any]:
    cases = [
        ("newer", HEADER_BYTES, "granted"),
        ("versions may be skipped", _signed(version=2**32 - 1), "granted"),
        ("a higher security version", _signed(security=3), "granted"),
        ("another model's", _signed(model=b"nrf54l15"), "firmware_wrong_model"),
        ("what the lock runs", _signed(digest=_RUNNING["digest"]), "firmware_current"),
        ("the version the lock runs", _signed(version=5), "firmware_old"),
        ("an older version", _signed(version=4), "firmware_old"),
        ("a newer version with an old hole", _signed(security=1), "firmware_old"),
        ("a version that fell back", _signed(version=6), "firmware_fell_back"),
        ("forged", _signed(_FORGER), "firmware_invalid"),
        (
            "unknown kid",
            _signed(SigningKey.from_seed(b"\x50\x09", seed("firmware key"))),
            "firmware_invalid",
        ),
        ("signed by the bulletin key", _signed(world.BULLETIN_KEY), "firmware_invalid"),
        ("signed as a receipt", _raw({}, "receipt"), "firmware_invalid"),
        ("version 0", _raw({2: 0}), "firmware_invalid"),
        ("version as a boolean", _raw({2: True}), "firmware_invalid"),
        ("empty model", _raw({1: b""}), "firmware_invalid"),
        ("model of 17 bytes", _raw({1: bytes(17)}), "firmware_invalid"),
        ("security version below zero", _raw({3: -1}), "firmware_invalid"),
        ("no image", _raw({4: 0}), "firmware_invalid"),
        ("image too large", _raw({4: 4194305}), "firmware_invalid"),
        ("digest of 31 bytes", _raw({5: bytes(31)}), "firmware_invalid"),
        ("signed at no time", _raw({6: None}), "firmware_invalid"),
        ("unknown key in the map", _raw({7: 0}), "firmware_invalid"),
        ("cut short", HEADER_BYTES[:-1], "firmware_invalid"),
    ]
    return {
        "about": "Section 30, under the manifest of manifest.json, at a lock that runs what running says.",
        "running": _RUNNING,
        "bytes": HEADER_BYTES,
        "fields": {
            "model": HEADER.model,
            "version": HEADER.version,
            "security": HEADER.security,
            "size": HEADER.size,
            "digest": HEADER.digest,
            "signed_at": HEADER.signed_at,
        },
        "image": IMAGE,
        "cases": [dict(zip(("name", "bytes", "reason"), case, strict=True)) for case in cases],
        "file": firmware.encode_file(_small(), b"small image"),
        "refused_files": [
            {"name": name, "bytes": data}
            for name, data in (
                ("the header describes another image", firmware.encode_file(_small(), b"other image")),
                (
                    "another version of the form",
                    cbor.encode(["nyckelfri-firmware", 2, _small(), b"small image"]),
                ),
                ("another name", cbor.encode(["nyckelfri-statement", 1, _small(), b"small image"])),
                ("cut short", firmware.encode_file(_small(), b"small image")[:-1]),
            )
        ],
    }


def _small() -> bytes:
    header: Header = firmware.describe(b"small image", model=MODEL, version=1, security=0, signed_at=NOW)
    return firmware.sign(header, world.FIRMWARE_KEY)

"""Vectors for labels, setup and the end of a binding."""

from dataclasses import replace
from typing import Any

from protocol import cbor, cose, label, messages, retire
from protocol.handshake import PhoneHandshake
from protocol.installing import SetupRequest
from protocol.keys import SigningKey
from protocol.messages import Decision
from protocol.phonekeys import X25519Key
from protocol.reasons import Reason
from protocol.retire import RetireOrder
from tests.protocol.vectors import opening, world
from tests.protocol.vectors.world import NOW, seed

LABEL = label.of_lock(world.LOCK.lock_id, world.LOCK_SEAL)
REQUEST = SetupRequest(world.REQUEST_ID).encode()
_ORDER = RetireOrder(world.LOCK.lock_id, world.BINDING, NOW)
_FORGER = SigningKey.from_seed(world.BULLETIN_KEY.kid, seed("forger"))


def setup_file() -> dict[str, Any]:
    lock = opening.lock_side(adv_key=LABEL.setup_key, binding=LABEL.lock_id)
    phone = PhoneHandshake(
        key=X25519Key(world.PHONE),
        lock_static=world.LOCK.static_public,
        adv_key=LABEL.setup_key,
        binding=LABEL.lock_id,
        ephemeral=opening.PHONE_EPHEMERAL,
    )
    m0 = lock.m0
    m1, _ = phone.answer(m0, REQUEST)
    _, _, channel = lock.read_m1(m1)
    m2 = messages.encode(Decision(Reason.GRANTED, 1, 1, 0))
    text = LABEL.text
    return {
        "about": "Section 5.1. The handshake's other keys are those of handshake.json.",
        "label": {"text": text, "lock_id": LABEL.lock_id, "code": LABEL.code, "setup_key": LABEL.setup_key},
        "lock_seal_private": world.LOCK_SEAL,
        "read_alike": [
            text.lower(),
            text.replace("-", ""),
            f" {text.replace('-', ' ')}\n",
            text.replace("0", "O").replace("1", "I"),
            text.replace("0", "o").replace("1", "l"),
        ],
        "refused": [
            {"name": name, "text": wrong}
            for name, wrong in [
                ("empty", ""),
                ("a letter short", text[:-1]),
                ("a letter more", text + "0"),
                ("two letters exchanged", text[:2] + text[3] + text[2] + text[4:]),
                ("another last letter", text[:-1] + ("0" if text[-1] != "0" else "1")),
                ("a letter that is none", "U" + text[1:]),
            ]
        ],
        "hello": m0 + world.IDENTITY_BYTES,
        "m0": m0,
        "request": REQUEST,
        "m1": m1,
        "m2": {"plaintext": m2, "message": channel.encrypt(m2)},
        "malformed": [
            {"name": name, "request": cbor.encode(value)}
            for name, value in [
                ("of version 2", [2, world.REQUEST_ID]),
                ("version true", [True, world.REQUEST_ID]),
                ("request id of 7 bytes", [1, bytes(7)]),
                ("an ordinary request", [1, world.REQUEST_ID, world.TOKEN]),
                ("not an array", 1),
            ]
        ],
    }


def retire_file() -> dict[str, Any]:
    def made(key: SigningKey = world.BULLETIN_KEY, **changes: Any) -> bytes:
        return retire.sign(replace(_ORDER, **changes), key)

    as_bulletin = cose.sign1(
        cbor.encode([_ORDER.lock_id, _ORDER.binding, _ORDER.time]),
        world.BULLETIN_KEY,
        cose.context("bulletin"),
    )
    four = cbor.encode([_ORDER.lock_id, _ORDER.binding, _ORDER.time, 0])
    cases = [
        ("for this lock and its binding", made(), "granted"),
        ("of another time", made(time=NOW - 86_400), "granted"),
        ("for another lock", made(lock_id=world.OTHER_LOCK_ID), "retire_wrong_lock"),
        ("for another binding", made(binding=world.OTHER_BINDING), "retire_wrong_lock"),
        ("forged", made(_FORGER), "retire_invalid"),
        ("forged, for another lock", made(_FORGER, lock_id=world.OTHER_LOCK_ID), "retire_invalid"),
        ("signed by the token key", made(world.TOKEN_KEY), "retire_invalid"),
        ("signed by a key of the next manifest", made(world.NEXT_BULLETIN_KEY), "retire_invalid"),
        ("signed as something else", as_bulletin, "retire_invalid"),
        ("of four parts", cose.sign1(four, world.BULLETIN_KEY, cose.context("retire")), "retire_invalid"),
        ("cut short", made()[:-1], "retire_invalid"),
    ]
    return {
        "about": "Section 5.2, at a lock whose log is receipted, under the manifest of manifest.json.",
        "lock_id": world.LOCK.lock_id,
        "binding": world.BINDING,
        "cases": [dict(zip(("name", "bytes", "reason"), case, strict=True)) for case in cases],
    }

"""Vectors for the handshake of suite 2: one opening by a P-256 key, and every way a proof can fail."""

import hashlib
from typing import Any

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from noise.connection import Keypair, NoiseConnection

from protocol import cose, possession
from protocol.handshake import LockHandshake, PhoneHandshake, prologue
from protocol.messages import Command, Request
from protocol.phonekeys import P256Key
from protocol.possession import ORDER
from protocol.suites import SUITE_1, SUITE_2
from tests.protocol.vectors import opening, world
from tests.protocol.vectors.opening import (
    LOCK_EPHEMERAL,
    PHONE_EPHEMERAL,
    as_frames,
    derive,
    spoken,
    with_mac1,
)
from tests.protocol.vectors.world import seed

KEY = world.P256_PHONE
HOLDER = KEY.holder
OTHER = P256Key(seed("another phone's P-256 key"))
REQUEST = Request(Command.OPEN, world.REQUEST_ID, world.P256_TOKEN).encode()
FIELD = 2**256 - 2**224 + 2**192 + 2**96 - 1
_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B


def lock_side(**changes: Any) -> LockHandshake:
    return opening.lock_side(**({"suite": SUITE_2} | changes))


def phone_side(**changes: Any) -> PhoneHandshake:
    return opening.phone_side(**({"key": KEY} | changes))


def transcript(m0: bytes) -> bytes:
    """h of section 24.3, from the definition of Noise."""
    h = SUITE_2.noise  # a name of 32 bytes stands for its own hash
    parts = (prologue(SUITE_2, world.BINDING), world.LOCK.static_public, m0[:32], m0[32:])
    for part in (*parts, P_EPHEMERAL):
        h = hashlib.sha256(h + part).digest()
    return h


P_EPHEMERAL = phone_side().answer(lock_side().m0, REQUEST)[0][8:40]


def proof(m0: bytes, *, key: P256Key = KEY, public: bytes | None = None, request: bytes = REQUEST) -> bytes:
    """A good proof for this m0 and request; `public`: the key that is signed over, where it is another."""
    aad = cose.context("possession", transcript(m0), b"\x02" + (public or key.holder.public), request)
    r, s = decode_dss_signature(key.sign(aad))
    return r.to_bytes(32, "big") + min(s, ORDER - s).to_bytes(32, "big")


def m1_with(m0: bytes, payload: bytes) -> bytes:
    """A correct m1 around any payload."""
    noise = NoiseConnection.from_name(SUITE_2.noise)
    noise.set_prologue(prologue(SUITE_2, world.BINDING))
    noise.set_psks(derive(world.ADV_KEY, "psk"))
    noise.set_as_responder()
    noise.set_keypair_from_public_bytes(Keypair.REMOTE_STATIC, world.LOCK.static_public)
    noise.start_handshake()
    fixed = noise.noise_protocol.dh_fn.klass.from_private_bytes(PHONE_EPHEMERAL)
    noise.noise_protocol.handshake_state.e = fixed
    noise.read_message(m0)
    return with_mac1(m0, bytes(noise.write_message(payload)))


def handshake_file() -> dict[str, Any]:
    lock = lock_side()
    m0 = lock.m0
    m1, phone_channel = phone_side().answer(m0, REQUEST)
    _, _, lock_channel = lock.read_m1(m1)
    session = spoken(lock_channel, phone_channel)
    frames = as_frames(m0, m1, session[0]["message"])
    return {
        "about": "Section 24. Everything of one opening in suite 2; the proof's nonce is that of RFC 6979.",
        "lock_static_private": world.LOCK_STATIC,
        "lock_ephemeral_private": LOCK_EPHEMERAL,
        "phone_private": world.P256_PRIVATE,
        "phone_public": HOLDER.public,
        "phone_fingerprint": HOLDER.fingerprint,
        "phone_ephemeral_private": PHONE_EPHEMERAL,
        "adv_key": world.ADV_KEY,
        "binding": world.BINDING,
        "prologue": b"nyckelfri\x01\x02" + world.BINDING,
        "psk": derive(world.ADV_KEY, "psk"),
        "k_mac": derive(world.ADV_KEY, "mac"),
        "m0": m0,
        "m0_hash": hashlib.sha256(m0).digest(),
        "token": world.P256_TOKEN,
        "request": REQUEST,
        "handshake_hash": transcript(m0),
        "signed": possession.signed_message(transcript(m0), HOLDER, REQUEST),
        "proof": proof(m0),
        "m1": m1,
        "session": session,
        "frames_at_mtu_247": frames,
        "bytes_to_decision": sum(len(frame) for frame in frames),
        "refused_m1": _refused_m1(m0, m1) + _refused_proofs(m0),
        "refused_m0": _refused_m0(m0),
        "refused_keys": [{"name": name, "public": key} for name, key in _refused_keys()],
    }


def _refused_m1(m0: bytes, m1: bytes) -> list[dict[str, Any]]:
    rest = m1[8:]
    first_suite = opening.lock_side().m0
    cases = [
        ("nothing", b"", "length"),
        ("request of no bytes", m1_with(m0, proof(m0, request=b"") + HOLDER.public), "length"),
        ("longer than 512 bytes", with_mac1(m0, rest + bytes(512)), "length"),
        ("mac1 changed", bytes([m1[0] ^ 1]) + m1[1:], "mac1"),
        ("answer to an earlier m0", _answer(lock_side(ephemeral=seed("earlier lock ephemeral")).m0), "mac1"),
        ("ephemeral changed", with_mac1(m0, bytes([rest[0] ^ 1]) + rest[1:]), "aead"),
        ("ephemeral of low order", with_mac1(m0, bytes(32) + rest[32:]), "aead"),
        ("proof changed", with_mac1(m0, rest[:40] + bytes([rest[40] ^ 1]) + rest[41:]), "aead"),
        ("for another binding", with_mac1(m0, _elsewhere()[8:]), "aead"),
        (
            "of suite 1, for this m0",
            with_mac1(m0, opening.phone_side().answer(first_suite, REQUEST)[0][8:]),
            "aead",
        ),
    ]
    return [{"name": name, "m1": data, "step": step} for name, data, step in cases]


def _answer(m0: bytes) -> bytes:
    return phone_side().answer(m0, REQUEST)[0]


def _elsewhere() -> bytes:
    there: dict[str, Any] = {"binding": world.OTHER_BINDING}
    return phone_side(**there).answer(lock_side(**there).m0, REQUEST)[0]


def _refused_proofs(m0: bytes) -> list[dict[str, Any]]:
    good, public = proof(m0), HOLDER.public
    r, s = int.from_bytes(good[:32], "big"), int.from_bytes(good[32:], "big")
    earlier = lock_side(ephemeral=seed("earlier lock ephemeral")).m0
    longer = Request(Command.LOCK, world.REQUEST_ID, world.P256_TOKEN).encode()
    der = encode_dss_signature(r, s)
    payloads: list[tuple[str, bytes]] = [
        ("the larger s", good[:32] + _number(ORDER - s) + public + REQUEST),
        ("s above the order", good[:32] + _number(s + ORDER) + public + REQUEST),
        ("s of 0", good[:32] + bytes(32) + public + REQUEST),
        ("s of the order", good[:32] + _number(ORDER) + public + REQUEST),
        ("r of 0", bytes(32) + good[32:] + public + REQUEST),
        ("r of the order", _number(ORDER) + good[32:] + public + REQUEST),
        ("r of the order and s of 0", _number(ORDER) + bytes(32) + public + REQUEST),
        ("r and s swapped", good[32:] + good[:32] + public + REQUEST),
        ("as DER", der + public + REQUEST),
        ("all zero", bytes(64) + public + REQUEST),
        ("another phone's proof", proof(m0, key=OTHER) + public + REQUEST),
        ("another phone's, over this key", proof(m0, key=OTHER, public=public) + public + REQUEST),
        ("this phone's proof with another's key", good + OTHER.holder.public + REQUEST),
        ("for an earlier m0", proof(earlier) + public + REQUEST),
        ("for another request", proof(m0, request=longer) + public + REQUEST),
        ("for a request cut short", proof(m0, request=REQUEST[:-1]) + public + REQUEST),
        ("over the handshake hash alone", _bare(m0) + public + REQUEST),
        ("a request of suite 1", REQUEST),
    ]
    payloads += [(f"key: {name}", good + key + REQUEST) for name, key in _refused_keys()]
    return [{"name": name, "m1": m1_with(m0, payload), "step": "proof"} for name, payload in payloads]


def _number(value: int) -> bytes:
    return (value % 2**256).to_bytes(32, "big")


def _bare(m0: bytes) -> bytes:
    """A signature made for something else than this protocol's possession."""
    r, s = decode_dss_signature(KEY.sign(transcript(m0)))
    return r.to_bytes(32, "big") + min(s, ORDER - s).to_bytes(32, "big")


def _not_on_the_curve() -> bytes:
    """The least x for which x³ − 3x + b is no square."""
    squares = (FIELD - 1) // 2
    x = next(x for x in range(100) if pow(x**3 - 3 * x + _B, squares, FIELD) != 1)
    return x.to_bytes(32, "big")


def _refused_keys() -> list[tuple[str, bytes]]:
    x = HOLDER.public[1:]
    return [
        ("y of the other sign", bytes([HOLDER.public[0] ^ 1]) + x),
        ("prefix of an uncompressed point", b"\x04" + x),
        ("prefix of a hybrid point", b"\x06" + x),
        ("prefix 0", b"\x00" + x),
        ("x not on the curve", b"\x02" + _not_on_the_curve()),
        ("x of the field's prime", b"\x02" + FIELD.to_bytes(32, "big")),
        ("x above the field's prime", b"\x02" + (FIELD + 5).to_bytes(32, "big")),
        ("all ones", b"\x02" + b"\xff" * 32),
    ]


def _refused_m0(m0: bytes) -> list[dict[str, Any]]:
    cases = [
        ("cut short", m0[:-1]),
        ("tag changed", m0[:-1] + bytes([m0[-1] ^ 1])),
        ("ephemeral of low order", bytes(32) + m0[32:]),
        ("of suite 1", opening.lock_side(suite=SUITE_1).m0),
        ("another lock's", lock_side(static_private=seed("another lock's static key")).m0),
        ("made with the next adv_key", lock_side(adv_key=world.NEXT_ADV_KEY).m0),
    ]
    return [{"name": name, "m0": data} for name, data in cases]

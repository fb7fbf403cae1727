"""Vectors for the handshake and one whole opening."""

import hashlib
import hmac
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from protocol import framing, messages
from protocol.framing import Kind
from protocol.handshake import Channel, LockDoor, LockHandshake, PhoneHandshake
from protocol.messages import (
    Carry,
    Command,
    Decision,
    Done,
    Outcome,
    OutcomeCode,
    Request,
)
from protocol.phonekeys import X25519Key
from protocol.reasons import Reason
from tests.protocol.vectors import world
from tests.protocol.vectors.world import seed

REQUEST = Request(Command.OPEN, world.REQUEST_ID, world.TOKEN)
LOCK_EPHEMERAL, PHONE_EPHEMERAL = seed("lock ephemeral"), seed("phone ephemeral")


def derive(adv_key: bytes, label: str) -> bytes:
    return HKDF(SHA256(), 32, None, f"nyckelfri-{label}-1".encode()).derive(adv_key)


def lock_side(**changes: Any) -> LockHandshake:
    values: dict[str, Any] = {
        "static_private": world.LOCK_STATIC,
        "adv_key": world.ADV_KEY,
        "binding": world.BINDING,
        "ephemeral": LOCK_EPHEMERAL,
    }
    values |= changes
    return LockHandshake(ephemeral=values.pop("ephemeral"), door=LockDoor(**values))


def phone_side(**changes: Any) -> PhoneHandshake:
    values: dict[str, Any] = {
        "key": X25519Key(world.PHONE),
        "lock_static": world.LOCK.static_public,
        "adv_key": world.ADV_KEY,
        "binding": world.BINDING,
        "ephemeral": PHONE_EPHEMERAL,
    }
    return PhoneHandshake(**(values | changes))


def with_mac1(m0: bytes, rest: bytes) -> bytes:
    return hmac.digest(derive(world.ADV_KEY, "mac"), m0 + rest, "sha256")[:8] + rest


SESSION: list[tuple[str, messages.LockMessage | messages.PhoneMessage]] = [
    ("lock", Decision(Reason.GRANTED, 1, 70_002, 70_001)),
    ("phone", Carry(4096)),
    ("lock", Outcome(OutcomeCode.MOVED, 70_003, 87)),
    ("lock", Done(12)),
]


def spoken(lock: Channel, phone: Channel) -> list[dict[str, Any]]:
    """What both say after the handshake, in plain and as it goes over the air."""
    session = []
    for sender, message in SESSION:
        plaintext = messages.encode(message)
        channel = lock if sender == "lock" else phone
        session.append({"from": sender, "plaintext": plaintext, "message": channel.encrypt(plaintext)})
    return session


def as_frames(m0: bytes, m1: bytes, first: bytes) -> list[bytes]:
    """The handshake and the first session message at an MTU of 247."""
    parts = ((Kind.M0, m0), (Kind.M1, m1), (Kind.SESSION, first))
    return [frame for kind, message in parts for frame in framing.fragment(kind, message, 244)]


def handshake_file() -> dict[str, Any]:
    lock, request = lock_side(), REQUEST.encode()
    m0 = lock.m0
    m1, phone_channel = phone_side().answer(m0, request)
    _, _, lock_channel = lock.read_m1(m1)
    session = spoken(lock_channel, phone_channel)
    frames = as_frames(m0, m1, session[0]["message"])
    return {
        "about": "Section 10. Everything of one opening; session messages in the order they are sent.",
        "lock_static_private": world.LOCK_STATIC,
        "lock_ephemeral_private": LOCK_EPHEMERAL,
        "phone_static_private": world.PHONE,
        "phone_ephemeral_private": PHONE_EPHEMERAL,
        "adv_key": world.ADV_KEY,
        "binding": world.BINDING,
        "prologue": b"nyckelfri\x01\x01" + world.BINDING,
        "psk": derive(world.ADV_KEY, "psk"),
        "k_mac": derive(world.ADV_KEY, "mac"),
        "m0": m0,
        "m0_hash": hashlib.sha256(m0).digest(),
        "request": request,
        "m1": m1,
        "session": session,
        "frames_at_mtu_247": frames,
        "bytes_to_decision": sum(len(frame) for frame in frames),
        "refused_m1": _refused_m1(m0, m1, request),
        "refused_m0": _refused_m0(m0),
    }


def _refused_m1(m0: bytes, m1: bytes, request: bytes) -> list[dict[str, Any]]:
    rest = m1[8:]
    other_m0 = lock_side(ephemeral=seed("earlier lock ephemeral")).m0

    def other(m0: bytes = m0, **changes: bytes) -> bytes:
        """An m1 by a phone that is wrong in one thing; its own m0 where this lock's would not open."""
        return phone_side(**changes).answer(m0, request)[0]

    strange = lock_side(binding=world.OTHER_BINDING).m0
    cases = [
        ("nothing", b"", "length"),
        ("request of no bytes", with_mac1(m0, rest[:96]), "length"),
        ("longer than 512 bytes", with_mac1(m0, rest + bytes(512)), "length"),
        ("mac1 changed", bytes([m1[0] ^ 1]) + m1[1:], "mac1"),
        ("message changed", m1[:-1] + bytes([m1[-1] ^ 1]), "mac1"),
        ("answer to an earlier m0", other(other_m0), "mac1"),
        ("made with the next adv_key", _foreign_adv_key(request), "mac1"),
        ("ephemeral changed", with_mac1(m0, bytes([rest[0] ^ 1]) + rest[1:]), "aead"),
        ("ephemeral of low order", with_mac1(m0, bytes(32) + rest[32:]), "aead"),
        ("static key changed", with_mac1(m0, rest[:40] + bytes([rest[40] ^ 1]) + rest[41:]), "aead"),
        ("request changed", with_mac1(m0, rest[:-1] + bytes([rest[-1] ^ 1])), "aead"),
        ("for another binding", with_mac1(m0, other(strange, binding=world.OTHER_BINDING)[8:]), "aead"),
    ]
    return [{"name": name, "m1": data, "step": step} for name, data, step in cases]


def _foreign_adv_key(request: bytes) -> bytes:
    m0 = lock_side(adv_key=world.NEXT_ADV_KEY).m0
    return phone_side(adv_key=world.NEXT_ADV_KEY).answer(m0, request)[0]


def _refused_m0(m0: bytes) -> list[dict[str, Any]]:
    another_lock = lock_side(static_private=seed("another lock's static key")).m0
    cases = [
        ("cut short", m0[:-1]),
        ("longer", m0 + b"\0"),
        ("tag changed", m0[:-1] + bytes([m0[-1] ^ 1])),
        ("ephemeral of low order", bytes(32) + m0[32:]),
        ("another lock's", another_lock),
        ("another binding's", lock_side(binding=world.OTHER_BINDING).m0),
        ("made with the next adv_key", lock_side(adv_key=world.NEXT_ADV_KEY).m0),
    ]
    return [{"name": name, "m0": data} for name, data in cases]

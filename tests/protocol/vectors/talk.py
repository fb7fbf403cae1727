"""Vectors for what is said inside a session: request, alert, and every session message before encryption."""

from typing import Any

from protocol import cbor, gatt, messages
from protocol.firmware import FirmwareChunk, FirmwareOffer, FirmwareResult
from protocol.installing import CommissionOffer, CommissionResult, Identity, IdentityRequest, RetireOffer
from protocol.messages import (
    BulletinOffer,
    BulletinResult,
    Carry,
    Decision,
    DecisionFlag,
    Done,
    FreshTime,
    LogBatch,
    Outcome,
    OutcomeCode,
    TimeResult,
)
from protocol.reasons import Reason
from tests.protocol.vectors import world
from tests.protocol.vectors.opening import REQUEST
from tests.protocol.vectors.world import seed

FROM_LOCK = [
    ("granted", Decision(Reason.GRANTED, 1, 70_002, 70_001)),
    ("refused", Decision(Reason.NEED_UPDATE, 1, 5, 1)),
    (
        "granted before",
        Decision(Reason.GRANTED, 2, 5, 1, DecisionFlag(3)),
    ),
    ("moved", Outcome(OutcomeCode.MOVED, 70_003, 87)),
    ("ajar", Outcome(OutcomeCode.AJAR, 70_003, 3)),
    ("jam, on mains", Outcome(OutcomeCode.JAM, 6)),
    ("log batch", LogBatch(seed("a sealed batch"))),
    ("bulletin taken", BulletinResult(Reason.GRANTED, 70_002)),
    ("bulletin old", BulletinResult(Reason.BULLETIN_OLD, 70_001)),
    ("time refused", TimeResult(Reason.TIME_NOT_FOR_SESSION)),
    ("done", Done(0)),
    ("commissioned", CommissionResult(Reason.GRANTED, world.BINDING)),
    ("package refused", CommissionResult(Reason.COMMISSION_INVALID, None)),
    ("identity", Identity(world.IDENTITY_BYTES, world.BINDING)),
    ("identity of a lock without a door", Identity(world.IDENTITY_BYTES, None)),
    ("firmware taken so far", FirmwareResult(Reason.GRANTED, 8192)),
    ("firmware out of place", FirmwareResult(Reason.FIRMWARE_OUT_OF_PLACE, 70_000)),
]
FROM_PHONE = [
    ("bulletin", BulletinOffer(world.BULLETIN_BYTES)),
    ("fresh time", FreshTime(seed("a statement"))),
    ("carry", Carry(4096)),
    ("commission offer", CommissionOffer(seed("a package"))),
    ("identity request", IdentityRequest()),
    ("retire offer", RetireOffer(seed("an order"))),
    ("firmware", FirmwareOffer(seed("a signed header"))),
    ("firmware chunk", FirmwareChunk(8192, seed("part of an image"))),
]
_REFUSED_FROM_LOCK = [
    ("unknown number", [255]),
    ("a phone's message", [18, 4096]),
    ("empty", []),
    ("not an array", {0: 2}),
    ("decision too short", [2, 0, 1, 1, 1]),
    ("decision too long", [2, 0, 1, 1, 1, 0, 0]),
    ("unknown flag", [2, 0, 1, 1, 1, 4]),
    ("reason as a boolean", [6, False]),
    ("unknown outcome", [3, 8, 1, None]),
    ("battery of 101 percent", [3, 0, 1, 101]),
    ("empty log batch", [4, b""]),
    ("log batch too large", [4, bytes(gatt.MAX_SEALED_LOG + 1)]),
    ("remaining negative", [7, -1]),
    ("number as an array", [[2]]),
    ("commission result without a binding", [9, 0]),
    ("commission result for a binding of 7 bytes", [9, 0, bytes(7)]),
    ("commission result with a boolean", [9, False, None]),
    ("identity of nothing", [10, b"", None]),
    ("identity too large", [10, bytes(321), None]),
    ("identity with two bindings", [10, b"x", None, None]),
    ("firmware result beyond any image", [8, 0, 4194305]),
    ("firmware result without its place", [8, 0]),
]


def session_file() -> dict[str, Any]:
    def made(pairs: list[tuple[str, Any]]) -> list[dict[str, Any]]:
        return [
            {"name": name, "bytes": messages.encode(message), "items": _items(message)}
            for name, message in pairs
        ]

    return {
        "about": "Section 12, before encryption; request and alert (sections 9 and 11) beside them.",
        "request": {"bytes": REQUEST.encode(), "items": [1, world.REQUEST_ID, world.TOKEN]},
        "alert": {"bytes": messages.encode_alert(Reason.HANDSHAKE_FAILED), "reason": 1},
        "from_lock": made(FROM_LOCK),
        "from_phone": made(FROM_PHONE),
        "refused_from_lock": [
            {"name": name, "bytes": cbor.encode(value)} for name, value in _REFUSED_FROM_LOCK
        ],
        "refused_from_phone": [
            {"name": "a lock's message", "bytes": messages.encode(Done(0))},
            {"name": "two bulletins", "bytes": cbor.encode([16, b"a", b"b"])},
            {"name": "carry of less than nothing", "bytes": cbor.encode([18, -1])},
            {"name": "commission offer of nothing", "bytes": cbor.encode([21, b""])},
            {"name": "package too large", "bytes": cbor.encode([21, bytes(12_001)])},
            {"name": "identity request with more", "bytes": cbor.encode([22, 0])},
            {"name": "retire offer without an order", "bytes": cbor.encode([23])},
            {"name": "retire order too large", "bytes": cbor.encode([23, bytes(193)])},
            {"name": "firmware offer of nothing", "bytes": cbor.encode([19, b""])},
            {"name": "firmware header too large", "bytes": cbor.encode([19, bytes(225)])},
            {"name": "firmware chunk of nothing", "bytes": cbor.encode([20, 0, b""])},
            {"name": "firmware chunk too large", "bytes": cbor.encode([20, 0, bytes(4097)])},
            {"name": "firmware chunk beyond any image", "bytes": cbor.encode([20, 4194305, b"x"])},
            {"name": "firmware chunk at a boolean", "bytes": cbor.encode([20, False, b"x"])},
        ],
    }


def _items(message: Any) -> list[Any]:
    items: list[Any] = cbor.decode(messages.encode(message), max_size=gatt.MAX_SESSION_MESSAGE)
    return items

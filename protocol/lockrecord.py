"""The lock record: what a phone must know of a door to recognise its advert and shake hands with its lock.

Signed by the server's bulletin key. It holds the adv_key and is therefore kept in the phone's vault; a phone
gets it only for bindings it holds a token for.
"""

from dataclasses import dataclass, field
from typing import Any

from protocol import cbor, cose, fields, gatt
from protocol.errors import ProtocolError, SignatureError
from protocol.handshake import ADV_KEY_LENGTH
from protocol.identity import LOCK_ID_LENGTH
from protocol.keys import SigningKey
from protocol.manifest import Manifest, Role
from protocol.settings import DoorKind, door_kind
from protocol.token import BINDING_LENGTH

MAX_SIZE = 384

_CONTEXT = cose.context("lock-record")
_VERSION, _BINDING, _LOCK, _STATIC, _ADV_KEYS, _SUITES, _KIND, _ISSUED_AT = 1, 2, 3, 4, 5, 6, 7, 8
_REQUIRED = {_VERSION, _BINDING, _LOCK, _STATIC, _ADV_KEYS, _SUITES, _KIND, _ISSUED_AT}


@dataclass(frozen=True)
class LockRecord:
    """One lock on one door as phones see it."""

    binding: bytes
    lock_id: bytes
    static_public: bytes
    adv_keys: tuple[bytes, ...] = field(repr=False)
    """The current adv_key and, while a rotation is on its way, the next one."""
    door_kind: DoorKind
    issued_at: int
    protocol_version: int = gatt.PROTOCOL_VERSION
    suites: int = 1


def sign(record: LockRecord, key: SigningKey) -> bytes:
    """Return the record signed by the server's bulletin key."""
    payload = cbor.encode(
        {
            _VERSION: record.protocol_version,
            _BINDING: record.binding,
            _LOCK: record.lock_id,
            _STATIC: record.static_public,
            _ADV_KEYS: record.adv_keys,
            _SUITES: record.suites,
            _KIND: record.door_kind,
            _ISSUED_AT: record.issued_at,
        }
    )
    _parse(payload)  # whatever a phone would refuse must fail here
    return cose.sign1(payload, key, _CONTEXT)


def verify(data: bytes, manifest: Manifest) -> LockRecord:
    """Parse and verify a lock record under the manifest's bulletin keys."""
    message = cose.parse1(data, max_size=MAX_SIZE)
    key = manifest.verify_key(Role.BULLETIN, message.kid)
    if key is None:
        raise SignatureError("lock record is signed by an unknown key")
    message.verify(key, _CONTEXT)
    return _parse(message.payload)


def _parse(payload: bytes) -> LockRecord:
    body = fields.table(cbor.decode(payload, max_size=MAX_SIZE), _REQUIRED, (), "lock record")
    return LockRecord(
        binding=fields.octets(body[_BINDING], BINDING_LENGTH, "binding"),
        lock_id=fields.octets(body[_LOCK], LOCK_ID_LENGTH, "lock"),
        static_public=fields.octets(body[_STATIC], 32, "static key"),
        adv_keys=adv_keys(body[_ADV_KEYS]),
        door_kind=door_kind(body[_KIND]),
        issued_at=fields.time(body[_ISSUED_AT], "issued at"),
        protocol_version=fields.uint(body[_VERSION], 255, "protocol version"),
        suites=fields.uint(body[_SUITES], 255, "suites"),
    )


def adv_keys(value: Any) -> tuple[bytes, ...]:
    """Parse one or two adv_keys, current first."""
    keys = tuple(fields.octets(key, ADV_KEY_LENGTH, "adv_key") for key in fields.items(value, 2, "adv_keys"))
    if not keys or len(set(keys)) != len(keys):
        raise ProtocolError("a door has one or two different adv_keys")
    return keys

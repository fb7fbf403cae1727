"""The public identity a lock states about itself before anybody has bound it to a door.

The lock id is the hash of the lock's public keys, so it cannot be claimed for other keys; the document is
signed by the lock's own log key, which proves that the keys were made together and copied whole.
"""

import hashlib
from dataclasses import dataclass

from protocol import cbor, cose, fields, gatt
from protocol.errors import ProtocolError
from protocol.keys import SigningKey, VerifyKey

MAX_SIZE = 320
LOCK_ID_LENGTH = 8

_CONTEXT = cose.context("lock-identity")
_VERSION, _STATIC, _LOG, _SEAL, _SUITES = 1, 2, 3, 4, 5
_MAX_SUITES = 0xFF


@dataclass(frozen=True)
class LockIdentity:
    """A lock's public keys (32 bytes each) and abilities."""

    static_public: bytes
    """X25519, the Noise static key."""
    log_public: bytes
    """Ed25519, signs log batches."""
    seal_public: bytes
    """X25519, secrets inside bulletins are sealed to it (HPKE)."""
    protocol_version: int = gatt.PROTOCOL_VERSION
    suites: int = 1
    """Bit mask of handshake suites, bit 0 = suite 1."""

    @property
    def lock_id(self) -> bytes:
        """8 bytes naming the device for life."""
        keys = self.static_public + self.log_public + self.seal_public
        return hashlib.sha256(b"nyckelfri-lock-1" + keys).digest()[:LOCK_ID_LENGTH]

    @property
    def log_key(self) -> VerifyKey:
        """The key that verifies this lock's batches."""
        return VerifyKey(self.lock_id, self.log_public)


def sign(identity: LockIdentity, log_key: SigningKey) -> bytes:
    """Return the identity document signed by the lock's log key."""
    payload = cbor.encode(
        {
            _VERSION: identity.protocol_version,
            _STATIC: identity.static_public,
            _LOG: identity.log_public,
            _SEAL: identity.seal_public,
            _SUITES: identity.suites,
        }
    )
    _parse(payload)  # whatever a server would refuse must fail here
    return cose.sign1(payload, log_key, _CONTEXT)


def verify(data: bytes) -> LockIdentity:
    """Parse and verify an identity document; raises ProtocolError if anything in it does not fit together."""
    message = cose.parse1(data, max_size=MAX_SIZE)
    identity = _parse(message.payload)
    if message.kid != identity.lock_id:
        raise ProtocolError("lock id does not belong to these keys")
    message.verify(identity.log_key, _CONTEXT)
    return identity


def _parse(payload: bytes) -> LockIdentity:
    keys = {_VERSION, _STATIC, _LOG, _SEAL, _SUITES}
    body = fields.table(cbor.decode(payload, max_size=MAX_SIZE), keys, (), "lock identity")
    return LockIdentity(
        static_public=fields.octets(body[_STATIC], 32, "static key"),
        log_public=fields.octets(body[_LOG], 32, "log key"),
        seal_public=fields.octets(body[_SEAL], 32, "seal key"),
        protocol_version=fields.uint(body[_VERSION], 255, "protocol version"),
        suites=fields.uint(body[_SUITES], _MAX_SUITES, "suites"),
    )

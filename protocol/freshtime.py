"""Fresh time: server time signed over one session's m0; nothing else makes a lock's clock certain."""

from dataclasses import dataclass

from protocol import cbor, cose, fields
from protocol.errors import SignatureError
from protocol.keys import SigningKey
from protocol.manifest import Manifest, Role
from protocol.token import BINDING_LENGTH

MAX_SIZE = 192

_CONTEXT = cose.context("fresh-time")


@dataclass(frozen=True)
class FreshTime:
    """Server time (seconds since 1970 UTC) for the session that began with the m0 of this hash."""

    binding: bytes
    m0_hash: bytes
    time: int


def sign(statement: FreshTime, key: SigningKey) -> bytes:
    """Return the statement signed by the server's bulletin key."""
    payload = cbor.encode([statement.binding, statement.m0_hash, statement.time])
    _parse(payload)  # whatever a lock would refuse must fail here
    return cose.sign1(payload, key, _CONTEXT)


def verify(data: bytes, manifest: Manifest) -> FreshTime:
    """Parse and verify a statement under the manifest's bulletin keys."""
    message = cose.parse1(data, max_size=MAX_SIZE)
    key = manifest.verify_key(Role.BULLETIN, message.kid)
    if key is None:
        raise SignatureError("fresh time is signed by an unknown key")
    message.verify(key, _CONTEXT)
    return _parse(message.payload)


def _parse(payload: bytes) -> FreshTime:
    binding, digest, time = fields.array(cbor.decode(payload, max_size=MAX_SIZE), 3, "fresh time")
    return FreshTime(
        binding=fields.octets(binding, BINDING_LENGTH, "binding"),
        m0_hash=fields.octets(digest, 32, "m0 hash"),
        time=fields.time(time, "server time"),
    )

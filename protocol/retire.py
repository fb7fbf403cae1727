"""The order that ends a binding: signed by the server for one lock at one door, and good for nothing else."""

from dataclasses import dataclass

from protocol import cbor, cose, fields
from protocol.errors import SignatureError
from protocol.identity import LOCK_ID_LENGTH
from protocol.keys import SigningKey
from protocol.manifest import Manifest, Role
from protocol.token import BINDING_LENGTH

MAX_SIZE = 192

_CONTEXT = cose.context("retire")


@dataclass(frozen=True)
class RetireOrder:
    """This lock is to forget this binding; ``time`` is when the server said so (seconds since 1970 UTC)."""

    lock_id: bytes
    binding: bytes
    time: int


def sign(order: RetireOrder, key: SigningKey) -> bytes:
    """Return the order signed by the server's bulletin key."""
    payload = cbor.encode([order.lock_id, order.binding, order.time])
    _parse(payload)  # whatever a lock would refuse must fail here
    return cose.sign1(payload, key, _CONTEXT)


def verify(data: bytes, manifest: Manifest) -> RetireOrder:
    """Parse and verify an order under the manifest's bulletin keys."""
    message = cose.parse1(data, max_size=MAX_SIZE)
    key = manifest.verify_key(Role.BULLETIN, message.kid)
    if key is None:
        raise SignatureError("the order is signed by an unknown key")
    message.verify(key, _CONTEXT)
    return _parse(message.payload)


def _parse(payload: bytes) -> RetireOrder:
    lock_id, binding, time = fields.array(cbor.decode(payload, max_size=MAX_SIZE), 3, "retire order")
    return RetireOrder(
        lock_id=fields.octets(lock_id, LOCK_ID_LENGTH, "lock id"),
        binding=fields.octets(binding, BINDING_LENGTH, "binding"),
        time=fields.time(time, "time of the order"),
    )

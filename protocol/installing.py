"""What an installer's phone says to a lock and hears: setup, packages, identity, the end of a binding.

Session messages 21 to 23 and 9 to 10; see ``protocol.messages`` for the others.
"""

from dataclasses import dataclass
from typing import Any

from protocol import cbor, commission, fields, identity, retire
from protocol.errors import ProtocolError
from protocol.token import BINDING_LENGTH

_SETUP_VERSION = 1
_MAX_SETUP = 16
_REQUEST_ID_LENGTH = 8
_MAX_CODE = 255


@dataclass(frozen=True)
class SetupRequest:
    """The content of m1 to a lock in setup, in the place of a request: nothing is asked for yet."""

    request_id: bytes

    def encode(self) -> bytes:
        """CBOR [version, request id]."""
        return cbor.encode([_SETUP_VERSION, self.request_id])

    @classmethod
    def parse(cls, data: bytes) -> "SetupRequest":
        """Parse strictly."""
        version, request_id = fields.array(cbor.decode(data, max_size=_MAX_SETUP), 2, "setup request")
        if isinstance(version, bool) or version != _SETUP_VERSION:
            raise ProtocolError("setup request of another version")
        return cls(fields.octets(request_id, _REQUEST_ID_LENGTH, "request id"))


@dataclass(frozen=True)
class CommissionOffer:
    """A commissioning package from the server: a door for this lock, its first or another one."""

    package: bytes


@dataclass(frozen=True)
class IdentityRequest:
    """Who the lock is, and which binding it has."""


@dataclass(frozen=True)
class RetireOffer:
    """The server's order to forget the binding."""

    order: bytes


@dataclass(frozen=True)
class CommissionResult:
    """What became of a package or an order: GRANTED or a reason from 64 on, and the binding there is now."""

    reason: int
    binding: bytes | None


@dataclass(frozen=True)
class Identity:
    """The lock's signed identity, and the binding it has; None when it has none."""

    document: bytes
    binding: bytes | None


def parse_offer(body: list[Any]) -> CommissionOffer:
    """Parse what follows the number 21."""
    (package,) = fields.array(body, 1, "commission offer")
    return CommissionOffer(fields.blob(package, commission.MAX_SIZE, "package"))


def parse_identity_request(body: list[Any]) -> IdentityRequest:
    """Parse what follows the number 22: nothing."""
    fields.array(body, 0, "identity request")
    return IdentityRequest()


def parse_retire(body: list[Any]) -> RetireOffer:
    """Parse what follows the number 23."""
    (order,) = fields.array(body, 1, "retire offer")
    return RetireOffer(fields.blob(order, retire.MAX_SIZE, "retire order"))


def parse_result(body: list[Any]) -> CommissionResult:
    """Parse what follows the number 9."""
    code, binding = fields.array(body, 2, "commission result")
    return CommissionResult(fields.uint(code, _MAX_CODE, "reason"), _binding(binding))


def parse_identity(body: list[Any]) -> Identity:
    """Parse what follows the number 10."""
    document, binding = fields.array(body, 2, "identity")
    return Identity(fields.blob(document, identity.MAX_SIZE, "identity"), _binding(binding))


def _binding(value: Any) -> bytes | None:
    return None if value is None else fields.octets(value, BINDING_LENGTH, "binding")

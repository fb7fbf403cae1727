"""The session messages that have a place in service sessions only: an installer's and those of firmware."""

from collections.abc import Callable
from typing import Any

from protocol import firmware, installing
from protocol.firmware import FirmwareChunk, FirmwareOffer, FirmwareResult
from protocol.installing import CommissionOffer, CommissionResult, Identity, IdentityRequest, RetireOffer

ServiceMessage = FirmwareOffer | FirmwareChunk | CommissionOffer | IdentityRequest | RetireOffer
ServiceAnswer = FirmwareResult | CommissionResult | Identity

_FIRMWARE_RESULT, _COMMISSION_RESULT, _IDENTITY = 8, 9, 10
_FIRMWARE_OFFER, _FIRMWARE_CHUNK = 19, 20
_COMMISSION, _IDENTITY_REQUEST, _RETIRE = 21, 22, 23

FROM_LOCK: dict[int, Callable[[list[Any]], ServiceAnswer]] = {
    _FIRMWARE_RESULT: firmware.parse_result,
    _COMMISSION_RESULT: installing.parse_result,
    _IDENTITY: installing.parse_identity,
}
FROM_PHONE: dict[int, Callable[[list[Any]], ServiceMessage]] = {
    _FIRMWARE_OFFER: firmware.parse_offer,
    _FIRMWARE_CHUNK: firmware.parse_chunk,
    _COMMISSION: installing.parse_offer,
    _IDENTITY_REQUEST: installing.parse_identity_request,
    _RETIRE: installing.parse_retire,
}
"""By message number, what parses the rest of the array."""


def as_array(message: ServiceMessage | ServiceAnswer) -> list[Any]:  # noqa: PLR0911 - one line a message
    """Return the message as it is encoded."""
    match message:
        case FirmwareResult():
            return [_FIRMWARE_RESULT, message.reason, message.next]
        case FirmwareOffer():
            return [_FIRMWARE_OFFER, message.header]
        case FirmwareChunk():
            return [_FIRMWARE_CHUNK, message.offset, message.data]
        case CommissionResult():
            return [_COMMISSION_RESULT, message.reason, message.binding]
        case Identity():
            return [_IDENTITY, message.document, message.binding]
        case CommissionOffer():
            return [_COMMISSION, message.package]
        case IdentityRequest():
            return [_IDENTITY_REQUEST]
        case RetireOffer():
            return [_RETIRE, message.order]

"""From what lock and radio said to the state and reason a person is shown; never more than is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from mobile.engine.errors import HardwareKeyError, HardwareKeyGoneError
from mobile.engine.state import Bluetooth, OpeningState, Operation
from protocol.messages import OutcomeCode
from protocol.reasons import reason


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a tap ended."""

    state: OpeningState
    reason: str = ""


class Known(Protocol):
    """What an attempt found out before it gave up."""

    granted: bool
    asked: bool
    connected: bool
    doubtful: bool
    refusal: Verdict | None


NO_RIGHT = Verdict(OpeningState.REFUSED, "no_right")
NOT_FOUND = Verdict(OpeningState.NOT_FOUND, "not_found")
NO_ANSWER = Verdict(OpeningState.NO_ANSWER, "no_answer")

_OUTCOMES = {
    (Operation.OPEN, OutcomeCode.MOVED): Verdict(OpeningState.OPEN),
    (Operation.OPEN, OutcomeCode.ALREADY): Verdict(OpeningState.ALREADY_OPEN),
    (Operation.LOCK, OutcomeCode.MOVED): Verdict(OpeningState.LOCKED),
    (Operation.LOCK, OutcomeCode.ALREADY): Verdict(OpeningState.ALREADY_LOCKED),
}
_TROUBLE = {
    OutcomeCode.JAM: Verdict(OpeningState.JAMMED, "jammed"),
    OutcomeCode.TIMEOUT: Verdict(OpeningState.MOTOR_TIMEOUT, "motor_timeout"),
    OutcomeCode.BY_HAND: Verdict(OpeningState.BY_HAND, "by_hand"),
    OutcomeCode.AJAR: Verdict(OpeningState.AJAR, "ajar"),
    OutcomeCode.UNKNOWN: Verdict(OpeningState.OUTCOME_UNKNOWN, "outcome_unknown"),
    OutcomeCode.NOTHING_TO_MOVE: Verdict(OpeningState.OUTCOME_UNKNOWN, "outcome_unknown"),
}
_BLUETOOTH_REASONS = {
    Bluetooth.NO_ADAPTER: "bluetooth_no_adapter",
    Bluetooth.NO_PERMISSION: "bluetooth_no_permission",
    Bluetooth.LOCATION_OFF: "bluetooth_location_off",
    Bluetooth.FAILED: "bluetooth_failed",
}


def of_outcome(operation: Operation, code: OutcomeCode) -> Verdict:
    """The lock's own word on the bolt: "open" only for MOVED and ALREADY."""
    return _OUTCOMES.get((operation, code)) or _TROUBLE[code]


def of_refusal(code: int) -> Verdict:
    """The lock's authenticated no; a code of a later protocol version is told as `unexpected`."""
    known = reason(code)
    return Verdict(OpeningState.REFUSED, known.slug if known is not None else "unexpected")


def bluetooth_verdict(bluetooth: Bluetooth) -> Verdict:
    """Bluetooth cannot be used."""
    return Verdict(OpeningState.BLUETOOTH_OFF, _BLUETOOTH_REASONS.get(bluetooth, "bluetooth_off"))


def no_key(error: HardwareKeyError) -> Verdict:
    """The phone's hardware did not sign: nothing was asked of the lock, and no other key is tried."""
    gone = isinstance(error, HardwareKeyGoneError)
    return Verdict(OpeningState.FAILED, "door_key_gone" if gone else "door_key_silent")


def gave_up(known: Known) -> Verdict:
    """Patience is out. The strongest thing that is certain is told, and nothing stronger."""
    if known.granted:
        return Verdict(OpeningState.OUTCOME_UNKNOWN, "link_lost")
    if known.refusal is not None:
        return known.refusal
    if known.doubtful:
        return Verdict(OpeningState.FAILED, "handshake_failed")
    if known.asked:
        return NO_ANSWER
    if known.connected:
        return Verdict(OpeningState.NO_ANSWER, "link_lost")
    return NOT_FOUND

"""What one opening cost on the air, counted from the radio's own recording and not from what the phone says.

Bytes of attribute values from the subscription on, framing bytes included; what ATT, L2CAP and the link layer
add is left out. Everything counts up to the last frame of the lock's first session message: its decision.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from protocol.framing import Kind
from simulation.radio import Packet, Side
from simulation.radio.packets import ATT_WRITE_REQUEST

_LAST_FRAME = 0x40


@dataclass(frozen=True)
class Airtime:
    """Round trips and bytes of one opening up to the lock's decision; zeros when there was no decision."""

    round_trips: int = 0
    application_bytes: int = 0


def measure(packets: Iterable[Packet]) -> Airtime:
    """Count one opening on one link."""
    trips = size = 0
    phone_spoke = False
    for packet in packets:
        value = packet.value
        if not value:
            continue
        if packet.sender is Side.CENTRAL:
            phone_spoke = True
            if packet.opcode != ATT_WRITE_REQUEST:  # that one is the subscription, two bytes of ATT's own
                size += len(value)
            continue
        trips += phone_spoke
        phone_spoke = False
        size += len(value)
        if _ends_decision(value):
            return Airtime(trips, size)
    return Airtime()


def _ends_decision(frame: bytes) -> bool:
    return frame[0] >> 4 & 3 == Kind.SESSION and frame[0] & _LAST_FRAME != 0

"""Ready-made fault rules for ``Ether.add_rule``.

A rule sees each L2CAP PDU just before it is delivered. ``matches`` builds predicates; the classes say what
happens to the packets a predicate picks. Losses that follow a probability (retransmissions, lost adverts) and
distance are ``Conditions`` of the ether, not rules.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from simulation.radio.packets import (
    ATT_INDICATION,
    ATT_NOTIFICATION,
    ATT_WRITE_COMMAND,
    ATT_WRITE_REQUEST,
    L2CAP_HEADER,
    Fate,
    Packet,
    Side,
    Verdict,
)

Predicate = Callable[[Packet], bool]

WRITES = frozenset({ATT_WRITE_REQUEST, ATT_WRITE_COMMAND})
NOTIFICATIONS = frozenset({ATT_NOTIFICATION, ATT_INDICATION})

#: An ATT value stands behind the L2CAP header, the opcode and the handle.
_VALUE_OFFSET = L2CAP_HEADER + 3


def matches(
    *,
    sender: Side | None = None,
    opcodes: frozenset[int] | None = None,
    handle: int | None = None,
    name: str | None = None,
    least: int = 0,
) -> Predicate:
    """Packets of one sender, with one of these ATT opcodes, for this handle, on a link of this controller.

    ``least``: only values of at least so many bytes: a subscription (two bytes) is told from a message.
    """

    def predicate(packet: Packet) -> bool:
        return (
            (sender is None or packet.sender is sender)
            and (opcodes is None or packet.opcode in opcodes)
            and (handle is None or packet.handle == handle)
            and (name is None or name in (packet.central, packet.peripheral))
            and (least == 0 or len(packet.value or b"") >= least)
        )

    return predicate


def phone_writes(packet: Packet) -> bool:
    """Values written by a central, subscriptions left out."""
    return packet.sender is Side.CENTRAL and packet.opcode in WRITES and len(packet.value or b"") > 2


def lock_notifies(packet: Packet) -> bool:
    """Values notified by a peripheral."""
    return packet.sender is Side.PERIPHERAL and packet.opcode in NOTIFICATIONS


@dataclass
class _Counted:
    """Acts on ``times`` matching packets from the ``nth`` (1 = the first) on."""

    predicate: Predicate
    nth: int = 1
    times: int = 1
    #: Matching packets seen so far.
    seen: int = field(default=0, init=False)
    #: The packets acted on.
    struck: list[Packet] = field(default_factory=list, init=False)

    def _strikes(self, packet: Packet) -> bool:
        if not self.predicate(packet):
            return False
        self.seen += 1
        if not self.nth <= self.seen < self.nth + self.times:
            return False
        self.struck.append(packet)
        return True


@dataclass
class CutLink(_Counted):
    """Lose the link for good: before the packet arrives or, with ``deliver``, right after."""

    deliver: bool = False

    def __call__(self, packet: Packet) -> Verdict | None:
        """The verdict on one packet."""
        if not self._strikes(packet):
            return None
        return Verdict(Fate.DELIVER_THEN_CUT if self.deliver else Fate.CUT)


@dataclass
class Drop(_Counted):
    """Swallow the packet: the sender believes it arrived. A dropped answer is a lost response."""

    def __call__(self, packet: Packet) -> Verdict | None:
        """The verdict on one packet."""
        return Verdict(Fate.DROP) if self._strikes(packet) else None


@dataclass
class FlipBits(_Counted):
    """Turn ``bits`` seeded random bits round: of the attribute value, or of the payload without one."""

    bits: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 - a seeded fault, no secret

    def __call__(self, packet: Packet) -> Verdict | None:
        """The verdict on one packet."""
        if not self._strikes(packet):
            return None
        data = bytearray(packet.data)
        start = _VALUE_OFFSET if packet.handle is not None else L2CAP_HEADER
        flippable = range(8 * start, 8 * len(data))
        for bit in self._random.sample(flippable, min(self.bits, len(flippable))):
            data[bit // 8] ^= 1 << bit % 8
        return Verdict(data=bytes(data))

"""What travels on a simulated link: whole L2CAP PDUs, and what a fault may do with one.

Sources: Bluetooth Core 5.4 Vol 3 Part A 3.1 (L2CAP basic frame: length 2, channel 2, payload),
Vol 3 Part F 3.4 (ATT opcodes).
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

ATT_CID = 4
L2CAP_HEADER = 4

#: ATT opcodes whose PDU carries an application value behind opcode (1) and handle (2).
ATT_ERROR_RESPONSE = 0x01
ATT_MTU_REQUEST = 0x02
ATT_READ_REQUEST = 0x0A
ATT_READ_RESPONSE = 0x0B
ATT_WRITE_REQUEST = 0x12
ATT_WRITE_RESPONSE = 0x13
ATT_WRITE_COMMAND = 0x52
ATT_NOTIFICATION = 0x1B
ATT_INDICATION = 0x1D
ATT_VALUE_OPCODES = frozenset({ATT_WRITE_REQUEST, ATT_WRITE_COMMAND, ATT_NOTIFICATION, ATT_INDICATION})


class Side(enum.Enum):
    """The two ends of a link."""

    CENTRAL = "central"
    PERIPHERAL = "peripheral"

    @property
    def other(self) -> Side:
        """The end that receives what this one sends."""
        return Side.PERIPHERAL if self is Side.CENTRAL else Side.CENTRAL


@dataclass(frozen=True)
class Packet:
    """One L2CAP PDU as it is about to reach its receiver.

    ``central`` and ``peripheral`` are controller names, ``number`` counts from 1 for each link and sender,
    ``time`` is the loop's time in seconds, ``data`` is the PDU with its four header bytes.
    """

    central: str
    peripheral: str
    link: int
    sender: Side
    number: int
    time: float
    data: bytes

    @property
    def channel(self) -> int:
        """The L2CAP channel id; 4 is ATT. Zero for a PDU too short to name one."""
        return int.from_bytes(self.data[2:4], "little")

    @property
    def payload(self) -> bytes:
        """What stands behind the L2CAP header."""
        return self.data[L2CAP_HEADER:]

    @property
    def att(self) -> bytes | None:
        """The ATT PDU, or None when this is another channel or empty."""
        return self.payload if self.channel == ATT_CID and self.payload else None

    @property
    def opcode(self) -> int | None:
        """The ATT opcode, or None when this is no ATT PDU."""
        att = self.att
        return att[0] if att else None

    @property
    def handle(self) -> int | None:
        """The attribute handle of a write, notification or indication."""
        att = self.att
        if att is None or att[0] not in ATT_VALUE_OPCODES or len(att) < 3:
            return None
        return int.from_bytes(att[1:3], "little")

    @property
    def value(self) -> bytes | None:
        """The attribute value of a write, notification or indication."""
        return None if self.handle is None else self.payload[3:]


class Fate(enum.Enum):
    """What becomes of a packet."""

    DELIVER = "deliver"
    DROP = "drop"
    CUT = "cut"
    DELIVER_THEN_CUT = "deliver then cut"


@dataclass(frozen=True)
class Verdict:
    """The answer of a fault rule. ``data`` replaces the PDU when it is not None."""

    fate: Fate = Fate.DELIVER
    data: bytes | None = None


#: A fault rule sees every packet just before delivery; None means "not my business".
Rule = Callable[[Packet], Verdict | None]

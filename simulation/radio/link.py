"""One connection in the air: two ends, a queue each way, connection events and supervision.

Sources: Bluetooth Core 5.4 Vol 6 Part B 4.5 (connection events, supervision timeout). The model: a PDU waits
for the next connection event, each way carries up to ``packets_per_event`` link-layer packets of 251 bytes in
one event, and a lost packet ends that direction for the event and is sent again in the next.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bumble import hci, ll

from simulation.radio.packets import Fate, Packet, Side

if TYPE_CHECKING:
    from simulation.radio.connection import LeConnection
    from simulation.radio.ether import Ether

#: The longest link-layer payload (data length extension), and so the longest ACL fragment, in bytes.
LL_PAYLOAD = 251
#: A connection without a packet in so many events was never established.
ESTABLISHMENT_EVENTS = 6
#: What a retransmission costs when connection events are not modelled, in seconds (the shortest interval).
BARE_RETRANSMISSION = 0.0075


@dataclass
class Letter:
    """Something queued: either L2CAP bytes that arrived as ``fragments`` ACL packets, or a control PDU."""

    data: bytes = b""
    fragments: int = 0
    control: ll.ControlPdu | None = None

    @property
    def air_packets(self) -> int:
        """How many link-layer packets it takes."""
        return max(1, math.ceil(len(self.data) / LL_PAYLOAD))


class Link:
    """The air between one central and one peripheral."""

    def __init__(
        self,
        ether: Ether,
        number: int,
        ends: dict[Side, LeConnection],
        *,
        interval: float,
        supervision_timeout: float,
    ) -> None:
        self.ether = ether
        self.number = number
        self.ends = ends
        self.asked_interval = interval
        self.supervision_timeout = supervision_timeout
        self.cut = False
        self.closed = False
        self._loop = asyncio.get_running_loop()
        self._anchor = self._loop.time()
        self._paced = 0.0
        self._event = 0
        self._queues: dict[Side, deque[Letter]] = {side: deque() for side in Side}
        self._counts = dict.fromkeys(Side, 0)
        self._wake: asyncio.Handle | None = None
        self._supervision: asyncio.TimerHandle | None = None
        self._silent_since: float | None = None
        self._random = random.Random(f"{ether.seed}/link/{number}")  # noqa: S311 - a seeded fault, no secret

    @property
    def central(self) -> str:
        """The central controller's name."""
        return self.ends[Side.CENTRAL].controller.name

    @property
    def peripheral(self) -> str:
        """The peripheral controller's name."""
        return self.ends[Side.PERIPHERAL].controller.name

    @property
    def interval(self) -> float:
        """Seconds between connection events; 0.0 when they are not modelled."""
        fixed = self.ether.conditions.connection_interval
        return self.asked_interval if fixed is None else fixed

    @property
    def up(self) -> bool:
        """Whether anything can pass just now."""
        names = (self.central, self.peripheral)
        return not self.cut and not self.closed and self.ether.reachable(*names)

    # --- sending -----------------------------------------------------------------------------------------

    def send(self, sender: Side, letter: Letter) -> None:
        """Queue a letter; it is delivered in order, at a connection event."""
        if self.closed:
            return
        self._queues[sender].append(letter)
        self._schedule()

    def _schedule(self, *, retransmission: bool = False) -> None:
        if self._wake is not None or self.closed or not self.up or not any(self._queues.values()):
            return
        interval = self.interval
        if interval <= 0:
            if retransmission:
                self._wake = self._loop.call_later(BARE_RETRANSMISSION, self._connection_event)
            else:
                self._wake = self._loop.call_soon(self._connection_event)
            return
        if interval != self._paced:
            self._paced, self._anchor, self._event = interval, self._loop.time(), 0
        due = math.ceil((self._loop.time() - self._anchor) / interval)
        # Strictly after the last event: an answer never goes out in the event that brought the question.
        self._event = max(self._event + 1, due)
        self._wake = self._loop.call_at(self._anchor + self._event * interval, self._connection_event)

    def _connection_event(self) -> None:
        self._wake = None
        if not self.up:
            return
        lost = False
        for sender in Side:
            lost = self._serve(sender) or lost
        self._supervise_losses(lost=lost)
        self._schedule(retransmission=lost)

    def _serve(self, sender: Side) -> bool:
        """Send what fits in this event; True when a packet was lost on the way."""
        queue = self._queues[sender]
        budget = self.ether.conditions.packets_per_event if self.interval > 0 else math.inf
        for _ in range(len(queue)):
            letter = queue[0]
            if budget <= 0 or self.closed or self.cut:
                return False
            if self._lost(letter):
                return True
            budget -= letter.air_packets
            queue.popleft()
            self._deliver(sender, letter)
        return False

    def _lost(self, letter: Letter) -> bool:
        loss = self.ether.conditions.packet_loss
        return loss > 0 and any(self._random.random() < loss for _ in range(letter.air_packets))

    def _deliver(self, sender: Side, letter: Letter) -> None:
        receiver = self.ends[sender.other]
        if letter.control is not None:
            self._deliver_control(sender, letter.control)
            return
        self.ends[sender].completed(letter.fragments)
        self._counts[sender] += 1
        number, now = self._counts[sender], self._loop.time()
        packet = Packet(self.central, self.peripheral, self.number, sender, number, now, letter.data)
        verdict = self.ether.judge(packet)
        if verdict.fate in (Fate.DELIVER, Fate.DELIVER_THEN_CUT):
            receiver.receive(packet.data if verdict.data is None else verdict.data)
        if verdict.fate in (Fate.CUT, Fate.DELIVER_THEN_CUT):
            self.sever()

    def _deliver_control(self, sender: Side, control: ll.ControlPdu) -> None:
        if isinstance(control, ll.TerminateInd):
            self._finish(
                {
                    sender: hci.HCI_CONNECTION_TERMINATED_BY_LOCAL_HOST_ERROR,
                    sender.other: control.error_code,
                }
            )
            return
        self.ends[sender.other].receive_control(control)

    # --- losing it ---------------------------------------------------------------------------------------

    def sever(self) -> None:
        """Lose the link for good: nothing passes any more and supervision runs out at both ends."""
        self.cut = True
        self.reconsider()

    def reconsider(self) -> None:
        """Look again whether the ends hear each other; start or stop the supervision timer."""
        if self.closed:
            return
        if self.up:
            self._stop_supervision()
            self._schedule()
        elif self._supervision is None:
            if self._wake is not None:
                self._wake.cancel()
                self._wake = None
            self._supervision = self._loop.call_later(self.supervision_timeout, self._supervision_expired)

    def _supervise_losses(self, *, lost: bool) -> None:
        now = self._loop.time()
        if not lost:
            self._silent_since = None
        elif self._silent_since is None:
            self._silent_since = now
        elif now - self._silent_since >= self.supervision_timeout:
            self._supervision_expired()

    def _stop_supervision(self) -> None:
        if self._supervision is not None:
            self._supervision.cancel()
            self._supervision = None

    def fail_to_establish(self) -> None:
        """The peripheral never heard the request; six silent intervals (4.5.2) tell the central."""
        self.cut = True
        patience = ESTABLISHMENT_EVENTS * self.asked_interval
        failed = {Side.CENTRAL: hci.HCI_CONNECTION_FAILED_TO_BE_ESTABLISHED_ERROR}
        self._supervision = self._loop.call_later(patience, self._finish, failed)

    def _supervision_expired(self) -> None:
        self._supervision = None
        self._finish(dict.fromkeys(Side, hci.HCI_CONNECTION_TIMEOUT_ERROR))

    def _finish(self, reasons: dict[Side, int]) -> None:
        if self.closed:
            return
        self.closed = True
        self._stop_supervision()
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None
        for queue in self._queues.values():
            queue.clear()
        self.ether.forget(self)
        for side, reason in reasons.items():
            self.ends[side].ended(reason)

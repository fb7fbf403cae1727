"""A recording of what went over the air, for replays and for counting."""

from __future__ import annotations

from collections.abc import Callable, Collection
from types import TracebackType
from typing import Self

from simulation.radio.packets import Packet, Side


class Recording:
    """Packets that reached (or would have reached) their receiver, in order.

    Use it as a context manager or call ``stop``; what was recorded stays readable afterwards.
    """

    def __init__(self, stop: Callable[[Recording], None], name: str | None) -> None:
        self._stop = stop
        self._name = name
        self.packets: list[Packet] = []

    def see(self, packet: Packet) -> None:
        """Keep the packet when it belongs to the recorded controller (or to anybody, when none was named)."""
        if self._name is None or self._name in (packet.central, packet.peripheral):
            self.packets.append(packet)

    def stop(self) -> None:
        """Record nothing more."""
        self._stop(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def sent_by(self, side: Side) -> list[Packet]:
        """The packets one side sent, in order."""
        return [packet for packet in self.packets if packet.sender is side]

    def att_pdus(self) -> list[Packet]:
        """Every ATT PDU of both directions; ``len`` of it is the count of PDUs."""
        return [packet for packet in self.packets if packet.att is not None]

    def values(self, handles: Collection[int] | None = None) -> list[Packet]:
        """Writes, notifications and indications, of these attribute handles only when given."""
        return [
            packet
            for packet in self.packets
            if packet.handle is not None and (handles is None or packet.handle in handles)
        ]

    def application_bytes(self, handles: Collection[int] | None = None) -> int:
        """Bytes of attribute values written and notified.

        Subscribing is a write too, of two bytes to its descriptor: name the value handles to leave it out.
        """
        return sum(len(packet.value or b"") for packet in self.values(handles))

"""A recording of what went over the air, for replays and for counting."""

from __future__ import annotations

from collections.abc import Callable, Collection
from types import TracebackType
from typing import Protocol, Self

from simulation.radio.packets import Packet, Side

#: Told every HCI packet: True when it goes from host to controller, and its bytes.
HciTap = Callable[[bool, bytes], None]


class Tapped(Protocol):
    """A controller whose HCI can be listened to."""

    taps: list[HciTap]


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


class HciRecording:
    """Every HCI packet between one host and its controller, as (to the controller, bytes), in order.

    Use it as a context manager or call ``stop``. The ACL packets among ``to_controller`` are what a raw
    central sends again.
    """

    def __init__(self, controller: Tapped) -> None:
        self.packets: list[tuple[bool, bytes]] = []
        self._controller = controller
        controller.taps.append(self._tap)

    def _tap(self, to_controller: bool, packet: bytes) -> None:
        self.packets.append((to_controller, packet))

    @property
    def to_controller(self) -> list[bytes]:
        """What the host sent."""
        return [packet for to_controller, packet in self.packets if to_controller]

    @property
    def to_host(self) -> list[bytes]:
        """What the host was told."""
        return [packet for to_controller, packet in self.packets if not to_controller]

    def stop(self) -> None:
        """Record nothing more; stopping twice is harmless."""
        if self._tap in self._controller.taps:
            self._controller.taps.remove(self._tap)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

"""Counting what one attempt costs on the air: application bytes and round trips, up to the decision."""

from __future__ import annotations

from dataclasses import dataclass, field

from protocol import framing


@dataclass
class Traffic:
    """Frames of our own characteristics on one link (framing byte included, ATT and below left out)."""

    events: list[tuple[bool, int]] = field(default_factory=list)
    """(True when the phone sent it, bytes) in order; subscribing is an event of 0 bytes."""
    decided_after: int | None = None
    """How many events there had been when the lock's decision was read."""

    def subscribed(self) -> None:
        """The phone subscribed, which makes the lock speak."""
        self.events.append((True, 0))

    def sent(self, frame: bytes) -> None:
        """The phone wrote a frame."""
        self.events.append((True, len(frame)))

    def heard(self, frame: bytes) -> None:
        """The lock notified a frame."""
        self.events.append((False, len(frame)))

    def decided(self) -> None:
        """The decision has been read; only the first one counts."""
        if self.decided_after is None:
            self.decided_after = len(self.events)

    @property
    def _to_decision(self) -> list[tuple[bool, int]]:
        return self.events[: self.decided_after]

    @property
    def round_trips(self) -> int:
        """How often the phone spoke and then waited for the lock, up to the decision."""
        turns = 0
        phone_spoke = False
        for by_phone, _ in self._to_decision:
            if phone_spoke and not by_phone:
                turns += 1
            phone_spoke = by_phone
        return turns

    @property
    def application_bytes(self) -> int:
        """Bytes of messages up to the decision, framing bytes included."""
        return sum(size for _, size in self._to_decision)

    @property
    def message_bytes(self) -> int:
        """The same without the one framing byte of each frame."""
        frames = sum(size > 0 for _, size in self._to_decision)
        return self.application_bytes - frames * framing.HEADER_LENGTH

"""A session: one authenticated phone on one link, what it asked and what it has been told."""

from __future__ import annotations

from dataclasses import dataclass

from lockagent.core.judge import Hearing
from lockagent.core.links import Introduced, Link, Links
from protocol import gatt, messages
from protocol.framing import Kind
from protocol.messages import Command, Done, LockMessage, LogBatch, Outcome
from protocol.reasons import CURABLE_BY_BULLETIN, Reason


@dataclass
class Session:
    """One phone's visit."""

    link: Link
    phone: Introduced
    links: Links
    heard_at: float
    hearing: Hearing | None = None
    decided_at: float | None = None
    own: range = range(0)
    """Numbers of this session's own entries, granted and outcome; behind the newest one when it has none."""
    setup: bool = False
    """With a lock that has no door, under the key of its label: only an installer's messages are taken."""
    judged_again: bool = False
    time_taken: bool = False
    """A fresh time statement was taken in this session."""
    carry: int | None = None
    """Bytes of log the phone takes; None until it says so."""
    offered: tuple[int, int] | None = None
    finished_at: float | None = None
    """When m3 was sent: logs may follow, for a while."""

    @property
    def alive(self) -> bool:
        """Whether the link still stands."""
        return self.links.get(self.link.number) is self.link

    @property
    def takes(self) -> int:
        """Bytes of log it may be given: what it said, or as much as the protocol allows until it says so."""
        return gatt.LOG_SESSION_BYTES if self.carry is None else min(self.carry, gatt.LOG_SESSION_BYTES)

    def send(self, message: LockMessage) -> None:
        """Seal and send; a session whose link is gone swallows it."""
        if self.alive:
            sealed = self.phone.channel.encrypt(messages.encode(message))
            self.links.send(self.link, Kind.SESSION, sealed)

    @property
    def serving(self) -> bool:
        """Whether this is a service session: *service* was granted, and m3 is out."""
        hearing = self.hearing
        if hearing is None or hearing.reason is not Reason.GRANTED or self.finished_at is None:
            return False
        return hearing.command is Command.SERVICE

    @property
    def over_at(self) -> float | None:
        """When everything due has been said: m3, a refusal, in setup m2. None while something is to come."""
        if self.finished_at is not None:
            return self.finished_at
        if self.setup:
            return self.decided_at
        return self.decided_at if self.refused else None

    @property
    def refused(self) -> bool:
        """Whether the answer was no."""
        return self.hearing is not None and self.hearing.reason is not Reason.GRANTED

    def curable(self, mono: float) -> bool:
        """Whether a newer bulletin makes the lock judge the same m1 once more."""
        return (
            not self.judged_again
            and self.hearing is not None
            and self.hearing.reason in CURABLE_BY_BULLETIN
            and self.decided_at is not None
            and mono <= self.decided_at + gatt.REJUDGE_SECONDS
        )

    def finish(self, outcome: Outcome, offered: tuple[int, int] | None, mono: float) -> None:
        """Say what came of the request."""
        self.offered = offered
        self.finished_at = mono
        self.send(outcome)

    def hand_over(self, batch: bytes | None, remaining: int) -> None:
        """Give the phone its stretch of log, and say that there is nothing more for it."""
        if batch is not None:
            self.send(LogBatch(batch))
        self.send(Done(remaining))
        self.carry = None
        self.offered = None

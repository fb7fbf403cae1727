"""Automatic relocking: it restores the state the staff found, and nothing else.

A plan exists only after staff opened a door they found locked. Any hand on knob or metal key ends it, so
does a person who locks; a reboot forgets it. It can therefore never shut out a resident who left the door
unlocked. Where a sensor sees the door stand open, the bolt waits until it has fallen shut, for a while.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from lockagent.bolt import Bolt
from protocol.messages import Command, OutcomeCode

DOOR_WAIT_SECONDS = 600
"""A door that stands open so long after the time to lock is left as it is.

Whoever shuts it much later does not expect a bolt.
"""
DOOR_SETTLE_SECONDS = 3
"""A door that has just fallen shut may still swing, or have somebody in it."""


@dataclass(frozen=True)
class Plan:
    """Lock again at `at` (monotonic seconds), because of the opening logged as `granted_seq`."""

    at: float
    granted_seq: int
    gives_up_at: float


class Relock:
    """The plan, if there is one, and the run it has started."""

    def __init__(self) -> None:
        self.plan: Plan | None = None
        self.running: Plan | None = None
        self._deadline = 0.0
        self._found_locked = False
        self._ours = False

    def begins(self, command: Command, bolt: Bolt) -> None:
        """A granted command is about to move a bolt that stands thus; a run of our own gives way."""
        self._ours = command is Command.OPEN and (self.plan is not None or self.running is not None)
        self._found_locked = command is Command.OPEN and bolt is Bolt.LOCKED
        self.plan = self.running = None

    def ended(self, command: Command, outcome: OutcomeCode, seq: int, mono: float, after: int) -> None:
        """The command came to this; `after`: seconds until relocking, 0 = never."""
        found = self._found_locked and outcome is OutcomeCode.MOVED
        still = self._ours and outcome in (OutcomeCode.MOVED, OutcomeCode.ALREADY)
        if command is Command.OPEN and (found or still) and after > 0:
            self.plan = Plan(mono + after, seq, mono + after + DOOR_WAIT_SECONDS)

    def hand(self) -> None:
        """Knob or metal key: whatever was planned is off."""
        self.plan = self.running = None
        self._found_locked = self._ours = False

    def door_closed(self, mono: float) -> None:
        """The door fell shut: let it come to rest before a bolt is thrown."""
        if self.plan is not None:
            self.plan = replace(self.plan, at=max(self.plan.at, mono + DOOR_SETTLE_SECONDS))

    def due(self, mono: float) -> bool:
        """Whether it is time to lock."""
        return self.plan is not None and mono >= self.plan.at

    def next_at(self, *, ajar: bool) -> float | None:
        """When there is something to do: lock, or give up on a motor, or on a door that stands open."""
        if self.running is not None:
            return self._deadline
        if self.plan is None:
            return None
        return max(self.plan.at, self.plan.gives_up_at) if ajar else self.plan.at

    def start(self, deadline: float) -> None:
        """The motor has been ordered to lock, and is to have answered by the deadline."""
        self.running, self.plan, self._deadline = self.plan, None, deadline

    def overdue(self, mono: float) -> bool:
        """Whether the motor has not answered in time."""
        return self.running is not None and mono >= self._deadline

    def interrupted(self) -> None:
        """The door was opened while the bolt was on its way: wait for it again."""
        self.plan, self.running = self.running, None

    def give_up(self, mono: float) -> Plan | None:
        """Return the plan, now off, if the door has stood open for too long."""
        if self.plan is None or mono < self.plan.gives_up_at:
            return None
        given_up, self.plan = self.plan, None
        return given_up

    def finish(self) -> Plan | None:
        """The motor has answered; return the plan it was for, None when it was no run of ours."""
        finished, self.running = self.running, None
        return finished

"""Automatic relocking: it restores the state the staff found, and nothing else.

A plan exists only after staff opened a door they found locked. Any hand on knob or metal key ends it, so
does a person who locks; a reboot forgets it. It can therefore never shut out a resident who left the door
unlocked.
"""

from __future__ import annotations

from dataclasses import dataclass

from lockagent.bolt import Bolt
from protocol.messages import Command, OutcomeCode


@dataclass(frozen=True)
class Plan:
    """Lock again at `at` (monotonic seconds), because of the opening logged as `granted_seq`."""

    at: float
    granted_seq: int


class Relock:
    """The plan, if there is one, and the run it has started."""

    def __init__(self) -> None:
        self.plan: Plan | None = None
        self.running: Plan | None = None
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
            self.plan = Plan(mono + after, seq)

    def hand(self) -> None:
        """Knob or metal key: whatever was planned is off."""
        self.plan = self.running = None
        self._found_locked = self._ours = False

    def due(self, mono: float) -> bool:
        """Whether it is time to lock."""
        return self.plan is not None and mono >= self.plan.at

    def start(self) -> None:
        """The motor has been ordered to lock."""
        self.running, self.plan = self.plan, None

    def finish(self) -> Plan | None:
        """The motor has answered; return the plan it was for, None when it was no run of ours."""
        finished, self.running = self.running, None
        return finished

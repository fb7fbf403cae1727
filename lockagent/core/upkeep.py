"""What a lock does for itself: boot entries, counts, hands on the knob, advert rotation, saving its clock."""

from __future__ import annotations

from lockagent.bolt import Battery, Bolt, HandMoved
from lockagent.core.context import (
    RESERVE_PERCENT,
    SAVE_EVERY_SECONDS,
    SAVE_SOON_SECONDS,
    Context,
    ignore,
)
from lockagent.core.events import SetPace, Started
from lockagent.core.pace import Wakefulness
from lockagent.core.refusals import FailureCount
from lockagent.core.tampering import Tampers
from lockagent.records import Damage
from protocol import gatt
from protocol.entries import EntryType, OutcomeDetail
from protocol.messages import OutcomeCode
from protocol.settings import LockSettings

EARLY_BATTERY_PERCENT = 35
LOW_BATTERY_PERCENT = 20
BATTERY_LEVELS = (EARLY_BATTERY_PERCENT, LOW_BATTERY_PERCENT, RESERVE_PERCENT)
RECHARGED_PERCENT = 10
"""A level warns again only after the battery has read so far above it: cold and load make readings waver."""
ADVERT_LASTS_SECONDS = 5.0
"""An advert is not taken off the air earlier than this, however often strangers connect."""
ROTATION_SPREAD_SECONDS = 300.0
"""An advert is changed at most so much earlier than the longest it may last, by chance."""
_CORRUPT_STATE, _CORRUPT_LOG, _CORRUPT_KEPT = 1, 2, 3


class Upkeep:
    """Housekeeping beside the sessions."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.tampers = Tampers(context)
        self._rotated_at = context.mono
        self._rotate_at = context.mono
        self._wakefulness = Wakefulness(context.mono)
        self._warned_of = 100
        """The lowest battery level that has been logged."""

    def started(self, event: Started) -> None:
        """First thing after boot: what was damaged, that we booted, and what the power cut left unknown."""
        context = self._context
        context.bolt, context.ajar = event.bolt, event.ajar
        context.boots += 1
        context.save(ignore, alone=context.former is not None)
        if context.damage is not Damage.NONE and context.journal.head == 0:
            what = _CORRUPT_LOG if context.damage is Damage.LOG else _CORRUPT_STATE
            context.journal.append(EntryType.STORE_CORRUPT, (what,), ignore)
        if context.journal.kept_lost:
            context.journal.append(EntryType.STORE_CORRUPT, (_CORRUPT_KEPT,), ignore)
        context.journal.append(EntryType.BOOT, (context.boots, int(context.clock.certain)), ignore)
        if context.former is not None and not context.journal.ended(context.former.bulletin.binding):
            # The power went between forgetting the binding and saying so.
            context.journal.append(EntryType.UNBOUND, (context.former.bulletin.binding,), ignore)
        for request in context.known.open_ended():
            self._unknown(OutcomeDetail(request.granted_seq, OutcomeCode.UNKNOWN), request.token_id)
        self.rotate()

    def hand_moved(self, event: HandMoved) -> None:
        """Knob or metal key: they win, whatever was planned."""
        context = self._context
        context.bolt = event.bolt
        context.relock.hand()
        settings = self._settings()
        if settings is None:
            return
        self._close_day()
        if context.hands.moved(event.bolt, settings, context.mono, context.now()):
            context.journal.append(EntryType.HAND, (int(event.bolt is Bolt.UNLOCKED),), ignore)

    def battery(self, event: Battery) -> None:
        """Warn early, and again when it gets worse; at each level once per discharge."""
        context, percent = self._context, event.percent
        context.battery = percent
        if percent is None or percent >= self._warned_of + RECHARGED_PERCENT:
            self._warned_of = 100
        reached = [level for level in BATTERY_LEVELS if percent is not None and percent <= level]
        if reached and min(reached) < self._warned_of:
            self._warned_of = min(reached)
            context.journal.append(EntryType.LOW_BATTERY, (percent,), ignore)

    def handshake_failed(self) -> None:
        """Somebody at the door who could not even shake hands: counted."""
        self._context.failures.count(self._context.now(), self._context.mono)

    def rotate(self) -> None:
        """New address, salt and id together."""
        self._rotated_at = self._context.mono
        # Not to the clock: who hears only that adverts change would know a lock by the beat of its changes.
        chance = int.from_bytes(self._context.random(2), "big") / 2**16
        early = chance * ROTATION_SPREAD_SECONDS
        self._rotate_at = self._context.mono + gatt.ADVERT_ROTATION_SECONDS - early
        self._context.rotate()

    def woken(self) -> None:
        """A touch or a knock: speak often for a while."""
        if self._wakefulness.woken(self._context.mono):
            self._context.emit(SetPace(self._wakefulness.pace))

    def gesture(self) -> None:
        """A lock with a door takes no notice; one without goes on the air for a few minutes."""
        context = self._context
        if context.binding is None:
            context.setup_until = context.mono + gatt.SETUP_SECONDS
            self.rotate()

    def connection_ended(self) -> None:
        """Rotate after every connection, but leave each advert a while on the air.

        Otherwise a stranger who connects and leaves, over and over, would move the address away from under
        every phone that is about to connect to it.
        """
        self._rotate_at = min(self._rotate_at, self._rotated_at + ADVERT_LASTS_SECONDS)
        if self._context.mono >= self._rotate_at:
            self.rotate()

    def tick(self) -> None:
        """Whatever time has made due."""
        context = self._context
        if context.setup_until is not None and context.mono >= context.setup_until:
            context.setup_until = None
            if context.binding is None:
                context.fall_silent()
        if context.mono >= self._rotate_at:
            self.rotate()
        if self._wakefulness.tick(context.mono):
            context.emit(SetPace(self._wakefulness.pace))
        due = context.failures.due_at()
        if due is not None and context.mono >= due:
            self._log_failures()
        self.tampers.tick()
        self._close_day()
        if context.mono >= self._save_at():
            context.saved_at = context.mono
            context.save(ignore)

    def next_at(self) -> float | None:
        """When `tick` has something to do."""
        context = self._context
        times = [self._rotate_at, self._save_at()]
        if context.setup_until is not None:
            times.append(context.setup_until)
        due = (context.failures.due_at(), self.tampers.due_at(), self._wakefulness.next_at())
        times += [at for at in due if at is not None]
        return min(times)

    def _save_at(self) -> float:
        """Hourly, or a minute after the last time when the clock took a step worth keeping."""
        every = SAVE_SOON_SECONDS if self._context.clock.dirty else SAVE_EVERY_SECONDS
        return self._context.saved_at + every

    def _unknown(self, detail: OutcomeDetail, token_id: bytes) -> None:
        context = self._context

        def logged(seq: int | None) -> None:
            if seq is not None:
                context.known.outcome(seq, detail)

        context.journal.append(EntryType.OUTCOME, detail.detail(), logged, token_id)

    def _log_failures(self) -> None:
        context = self._context
        taken: FailureCount = context.failures.take()

        def logged(seq: int | None) -> None:
            if seq is None:
                context.failures.restore(taken, context.mono)

        context.journal.append(EntryType.FAILURES, (taken.count, taken.since), logged)

    def _close_day(self) -> None:
        settings = self._settings()
        if settings is None:
            return
        context = self._context
        day = context.hands.finished_day(context.now(), consent=settings.count_hand_openings)
        if day is not None:
            context.journal.append(EntryType.HAND_COUNT, (day.day, day.openings), ignore)

    def _settings(self) -> LockSettings | None:
        binding = self._context.binding
        return binding.bulletin.settings if binding is not None else None

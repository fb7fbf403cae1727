"""What the parts of the core share: what the lock knows and remembers, and how it reaches outside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from lockagent.bolt import Bolt
from lockagent.core.clock import Clock, RtcReading
from lockagent.core.disk import DiskQueue, Then
from lockagent.core.events import Advertise, Effect, SaveState
from lockagent.core.hands import Hands
from lockagent.core.identity import LockSecrets
from lockagent.core.journal import Journal
from lockagent.core.memory import Binding, Memory
from lockagent.core.offers import Courier, Offers
from lockagent.core.refusals import Failures
from lockagent.core.relock import Relock
from lockagent.core.requests import KnownRequests
from lockagent.core.uncertain import UncertainUse
from lockagent.records import Boot, Damage, StateImage
from protocol import advert
from protocol.entries import Entry
from protocol.keys import HolderKey, SigningKey

Random = Callable[[int], bytes]
SAVE_EVERY_SECONDS = 3600.0
SAVE_SOON_SECONDS = 60.0
RESERVE_PERCENT = 5
"""What the battery holds here is enough to lock once more, and perhaps not for much besides."""


@dataclass
class Context:
    """One lock between boot and power cut. `mono` is the time of the event being handled."""

    secrets: LockSecrets
    random: Random
    emit: Callable[[Effect], None]
    mono: float
    binding: Binding | None
    boots: int
    damage: Damage
    clock: Clock
    disk: DiskQueue
    journal: Journal
    hands: Hands
    lock_id: bytes
    log_key: SigningKey = field(repr=False)
    known: KnownRequests = field(default_factory=KnownRequests)
    offers: Offers = field(default_factory=Offers)
    uncertain: UncertainUse = field(default_factory=UncertainUse)
    failures: Failures = field(default_factory=Failures)
    relock: Relock = field(default_factory=Relock)
    bolt: Bolt = Bolt.BETWEEN
    ajar: bool = False
    """A sensor sees the door open; False when it is shut, and where there is no sensor."""
    battery: int | None = None
    saved_at: float = 0.0
    booted: float = 0.0

    @classmethod
    def at_boot(
        cls,
        boot: Boot,
        secrets: LockSecrets,
        rtc: RtcReading,
        mono: float,
        *,
        capacity: int,
        random: Random,
        emit: Callable[[Effect], None],
    ) -> Context:
        """Rebuild everything from what the store gave back."""
        memory = Memory.decode(boot.state.payload)
        disk = DiskQueue(emit)
        lock_id = secrets.identity.lock_id
        context: Context

        def now() -> int:
            return context.now()

        journal = Journal(boot, lock_id=lock_id, capacity=capacity, disk=disk, now=now)
        logged = journal.newest_time if journal.head > boot.state.head else 0
        context = cls(
            secrets=secrets,
            random=random,
            emit=emit,
            mono=mono,
            binding=memory.binding,
            boots=memory.boots,
            damage=boot.state.damage,
            clock=Clock(memory.clock, rtc, mono, logged),
            disk=disk,
            journal=journal,
            hands=Hands(memory.day, memory.hand_count),
            lock_id=lock_id,
            log_key=secrets.log_key,
            booted=mono,
        )
        context._recall(boot)
        return context

    def _recall(self, boot: Boot) -> None:
        """Find in the log what was known before the power went."""
        self.known.recall((Entry.decode(record.entry) for record in boot.salvaged), boot.state.epoch - 1)
        self.known.forget_numbers()
        entries = [Entry.decode(record.entry) for record in boot.records]
        self.known.recall(entries, boot.state.epoch)
        self.offers.recall(entries)
        self.uncertain.recall(entries)

    def now(self) -> int:
        """The lock's time at this event."""
        return self.clock.now(self.mono)

    def ran(self) -> int:
        """Whole seconds of the crystal since this boot, uncorrected."""
        return int(self.mono - self.booted)

    def save(self, then: Then, *, binding: Binding | None = None, acked: int | None = None) -> None:
        """Save the state record, with a new binding or receipt in it if given; `then(ok)` afterwards."""

        def make() -> SaveState:
            memory = Memory(
                binding=self._newer(binding),
                clock=self.clock.saved(self.mono),
                boots=self.boots,
                day=self.hands.day,
                hand_count=self.hands.count,
            )
            image = StateImage(
                epoch=self.journal.epoch,
                acked=self.journal.acked if acked is None else acked,
                head=self.journal.head,
                damage=self.damage,
                payload=memory.encode(),
            )
            return SaveState(image)

        def stored(ok: bool) -> None:
            self.clock.dirty = self.clock.dirty and not ok
            self.saved_at = self.mono
            then(ok)

        self.disk.push(make, stored)

    def _newer(self, binding: Binding | None) -> Binding | None:
        """Never save an older bulletin over one that another phone brought while this one waited."""
        held = self.binding
        if binding is None or held is None or binding.bulletin.binding != held.bulletin.binding:
            return binding or held
        return binding if binding.bulletin.seq > held.bulletin.seq else held

    @property
    def reserve_only(self) -> bool:
        """The battery holds no more than what is kept for locking, and is to be kept for it."""
        low = self.battery is not None and self.battery <= RESERVE_PERCENT
        return low and self.binding is not None and not self.binding.bulletin.settings.open_with_last_energy

    def rotate(self) -> None:
        """A new advert from a new address; nothing on the air connects it to the one before."""
        if self.binding is not None:
            self.emit(Advertise(advert.make(self.binding.adv_keys[0], self.random(8)).data))

    def courier(self, holder: HolderKey, max_bytes: int) -> Courier:
        """A phone as the carrier of a batch of at most so many bytes, now."""
        return Courier(holder.fingerprint, max_bytes, self.lock_id, self.boots, self.ran(), self.now())


def ignore(_: object) -> None:
    """Nothing depends on what came of it."""

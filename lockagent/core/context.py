"""What the parts of the core share: what the lock knows and remembers, and how it reaches outside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from lockagent.bolt import Bolt
from lockagent.core.clock import Clock, RtcReading
from lockagent.core.disk import DiskQueue, Then
from lockagent.core.events import Advertise, Effect, SaveState, Silence
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
from protocol import advert, identity, label
from protocol.entries import Entry
from protocol.keys import HolderKey, SigningKey
from protocol.label import Label

Random = Callable[[int], bytes]
SAVE_EVERY_SECONDS = 3600.0
SAVE_SOON_SECONDS = 60.0
RESERVE_PERCENT = 5
"""What the battery holds here is enough to lock once more, and perhaps not for much besides."""


@dataclass(frozen=True)
class Place:
    """What adverts and handshakes are made with."""

    key: bytes = field(repr=False)
    name: bytes
    """The binding's id, in setup the lock's own."""
    identity: bytes = b""
    """In setup: who the lock is, said with m0."""


@dataclass
class Context:
    """One lock between boot and power cut. `mono` is the time of the event being handled."""

    secrets: LockSecrets
    random: Random
    emit: Callable[[Effect], None]
    mono: float
    binding: Binding | None
    former: Binding | None
    """The binding there was last, once it has ended: whose lock this is. None for a new lock."""
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
    setup_until: float | None = None
    """A blank lock is on the air for an installer until then; None when it is not."""
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
            binding=memory.binding if memory.binding and memory.binding.adv_keys else None,
            former=memory.binding if memory.binding and not memory.binding.adv_keys else None,
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
        # One entry after the other: a full log decoded at once would be the most memory the lock ever needs.
        for entry in (Entry.decode(record.entry) for record in boot.records):
            self.known.recall((entry,), boot.state.epoch)
            self.offers.recall((entry,))
            self.uncertain.recall((entry,))

    @cached_property
    def label(self) -> Label:
        """What is printed on this lock."""
        return label.of_lock(self.lock_id, self.secrets.seal_private)

    def now(self) -> int:
        """The lock's time at this event."""
        return self.clock.now(self.mono)

    def ran(self) -> int:
        """Whole seconds of the crystal since this boot, uncorrected."""
        return int(self.mono - self.booted)

    def save(
        self, then: Then, *, binding: Binding | None = None, acked: int | None = None, alone: bool = False
    ) -> None:
        """Save the state record, with a new binding or receipt in it if given; `then(ok)` afterwards.

        `alone`: nothing of earlier records is left, for they held secrets of a door that is ours no more.
        """

        def make() -> SaveState:
            memory = Memory(
                binding=self._newer(binding) or self.former,
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
            return SaveState(image, alone)

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
        if not binding.adv_keys:
            return binding
        return binding if binding.bulletin.seq > held.bulletin.seq else held

    @property
    def reserve_only(self) -> bool:
        """The battery holds no more than what is kept for locking, and is to be kept for it."""
        low = self.battery is not None and self.battery <= RESERVE_PERCENT
        return low and self.binding is not None and not self.binding.bulletin.settings.open_with_last_energy

    def rotate(self) -> None:
        """A new advert from a new address; nothing on the air connects it to the one before."""
        place = self.place
        if place is not None:
            self.emit(Advertise(advert.make(place.key, self.random(8)).data))

    @property
    def place(self) -> Place | None:
        """What the lock is known by now: its door, in setup its label, else nothing."""
        if self.binding is not None:
            return Place(self.binding.adv_keys[0], self.binding.bulletin.binding)
        if self.setup_until is None:
            return None
        document = identity.sign(self.secrets.identity, self.log_key)
        return Place(self.label.setup_key, self.lock_id, document)

    def fall_silent(self) -> None:
        """No advert any more: this lock has no door, and nobody has asked it to be given one."""
        self.setup_until = None
        self.emit(Silence())

    def courier(self, holder: HolderKey, max_bytes: int) -> Courier:
        """A phone as the carrier of a batch of at most so many bytes, now."""
        return Courier(holder.fingerprint, max_bytes, self.lock_id, self.boots, self.ran(), self.now())


def ignore(_: object) -> None:
    """Nothing depends on what came of it."""

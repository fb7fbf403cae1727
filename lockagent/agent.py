"""The running lock: core, store, motor and radio wired together on one asyncio loop.

Storage is written inline: one entry is one 256-byte write and one fdatasync, a few milliseconds on flash, and
nothing may be said or done before it is there anyway.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from lockagent.bolt import Battery, Order
from lockagent.core.clock import RtcReading
from lockagent.core.context import Random
from lockagent.core.events import (
    Advertise,
    AppendLog,
    Commissioned,
    CommissionResult,
    Disconnect,
    Drive,
    Effect,
    Event,
    FirmwareStep,
    Restart,
    SaveState,
    Send,
    SetPace,
    Silence,
    Started,
    Stored,
    Tick,
)
from lockagent.core.identity import LockSecrets
from lockagent.core.machine import LockCore
from lockagent.firmware.store import FirmwareStore
from lockagent.motor.port import Motor
from lockagent.peripheral.port import Radio
from lockagent.storage.port import StorageError
from lockagent.storage.store import LockStore
from protocol.commission import Commission
from protocol.reasons import Reason

_GRAIN_SECONDS = 0.001
"""A timer waits at least this long: one that fires a rounding error too early must not spin."""
log = logging.getLogger("nyckelfri.lock")


@dataclass(frozen=True)
class Parts:
    """What a lock is made of."""

    store: LockStore
    secrets: LockSecrets
    motor: Motor
    rtc: RtcReading
    random: Random
    firmware: FirmwareStore | None = None
    """None: nothing here chooses between two programs at every start."""


class Agent:
    """One lock. `radio` None runs it without a radio, for commissioning and inspection."""

    def __init__(
        self, parts: Parts, *, radio: Radio | None = None, mono: Callable[[], float] | None = None
    ) -> None:
        """Boot from the store. `mono`: monotonic seconds, the event loop's when None."""
        loop = asyncio.get_running_loop()
        self._loop = loop
        self._mono = mono or loop.time
        self._parts = parts
        self._radio = radio
        self._timer: asyncio.TimerHandle | None = None
        self._result: Reason | None = None
        self._halted = False
        self.broken = asyncio.Event()
        """Set when the agent met a fault of its own and has stopped; knob and key work as ever."""
        self.restart = asyncio.Event()
        """Set when the lock wants to be started again, by the loader."""
        self.core = LockCore(
            parts.store.boot(),
            parts.secrets,
            parts.rtc,
            self._mono(),
            capacity=parts.store.capacity,
            random=parts.random,
            firmware=None if parts.firmware is None else parts.firmware.boot(),
        )

    async def start(self) -> None:
        """Go on the air."""
        if self._radio is not None:
            await self._radio.start(self.feed)
        motor = self._parts.motor
        self.feed(Started(motor.bolt, ajar=motor.door_closed is False))
        self.feed(Battery(motor.battery))

    async def stop(self) -> None:
        """Leave the air and let go of the motor. The store needs no goodbye.

        Whoever asks while the links are being ended is not heard: nobody would be there to stop the motor.
        """
        self.halt()
        self._parts.motor.order(Order.STOP, self._mono())
        if self._radio is not None:
            await self._radio.stop()

    def halt(self) -> None:
        """What a power cut does to the program: nothing more happens, nobody is told."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._halted = True

    def commission(self, package: Commission) -> Reason:
        """Take in a commissioning package."""
        self._result = None
        self.feed(Commissioned(package))
        if self._result is None:
            raise RuntimeError("the core did not answer a commissioning")
        return self._result

    def feed(self, event: Event) -> None:
        """Hand an event to the core and carry out everything that follows."""
        if self._halted:
            return
        try:
            effects = deque(self.core.handle(event, self._mono()))
            while effects:
                answer = self._carry_out(effects.popleft())
                if answer is not None:
                    effects.extend(self.core.handle(answer, self._mono()))
        except Exception:
            # A core that tripped is not trusted with the next event: stop; a restart reads the store anew.
            self.halt()
            self._parts.motor.order(Order.STOP, self._mono())
            self.broken.set()
            raise
        self._set_timer()

    def touch(self) -> None:
        """The motor or somebody's hand has done something: look at once instead of at the next timer."""
        if self._halted:
            return
        for event in self._parts.motor.poll(self._mono()):
            self.feed(event)
        self._set_timer()

    def _carry_out(self, effect: Effect) -> Stored | None:
        match effect:
            case AppendLog():
                return self._stored(
                    lambda: self._parts.store.append(effect.epoch, effect.record, effect.keep)
                )
            case SaveState():
                return self._stored(lambda: self._parts.store.save(effect.image, alone=effect.alone))
            case FirmwareStep():
                return self._stored(lambda: self._firmware.carry_out(effect.step))
            case Restart():
                self.restart.set()
            case Drive():
                self._parts.motor.order(effect.order, self._mono(), effect.hold)
            case CommissionResult():
                self._result = effect.reason
            case Send() | Disconnect() | Advertise() | Silence() | SetPace():
                self._radio_effect(effect)
        return None

    @property
    def _firmware(self) -> FirmwareStore:
        if self._parts.firmware is None:
            raise RuntimeError("a lock with one program was told to change it")
        return self._parts.firmware

    def _radio_effect(self, effect: Send | Disconnect | Advertise | Silence | SetPace) -> None:
        if self._radio is None:
            return
        match effect:
            case Send():
                self._radio.send(effect.link, effect.frame, effect.suite)
            case Disconnect():
                self._radio.disconnect(effect.link)
            case Advertise():
                self._radio.advertise(effect.data)
            case Silence():
                self._radio.silence()
            case SetPace():
                self._radio.pace(effect.pace)

    def _stored(self, operation: Callable[[], None]) -> Stored:
        try:
            operation()
        except StorageError as error:
            log.error("storage failed: %s", error)
            return Stored(ok=False)
        return Stored(ok=True)

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        times = [self.core.next_tick_at(), self._parts.motor.next_event_at()]
        due = min((time for time in times if time is not None), default=None)
        if due is not None:
            self._timer = self._loop.call_later(max(_GRAIN_SECONDS, due - self._mono()), self._timeout)

    def _timeout(self) -> None:
        self._timer = None
        self.touch()
        self.feed(Tick())

"""One long scan while the app is open, and which of the person's doors are heard in it.

Android allows five scan starts in thirty seconds, so the scan is started once and only mended: when Bluetooth
was off, and when nothing at all has been heard for a while (platforms stop scans without a word).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from bleak import BleakScanner
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from mobile.engine.nearby import NearbyList
from mobile.engine.radio import LinkLostError, Radio, RadioOffError, bounded
from mobile.engine.recogniser import Match, Recogniser
from mobile.engine.state import Bluetooth, Nearby

FRESH_SECONDS = 4.0
"""An advert this old still says where to connect; an older one is waited anew."""
TICK_SECONDS = 1.0
MEND_AFTER = 20.0
"""Seconds of silence after which the scan is started anew."""
IMPATIENT_AFTER = 3.0
"""The same while a person waits at a door."""
MIN_BETWEEN_STARTS = 7.0
START_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Sighting:
    """A lock heard just now: where to connect, and which adv_key its advert was made with."""

    device: BLEDevice
    adv_key: bytes = field(repr=False)
    heard_at: float


class Scanner:
    """The scan, the recognised adverts, and who waits for which door."""

    def __init__(
        self,
        radio: Radio,
        *,
        on_bluetooth: Callable[[Bluetooth], None],
        on_nearby: Callable[[Mapping[bytes, Nearby]], None],
    ) -> None:
        self._radio, self._on_bluetooth, self._on_nearby = radio, on_bluetooth, on_nearby
        self._scanner: BleakScanner | None = None
        self._ticking: asyncio.Task[None] | None = None
        self._following: asyncio.Task[None] | None = None
        self._unwatch: Callable[[], None] | None = None
        self._changed = False
        self._starting = asyncio.Lock()
        self._last_start, self._last_heard = -1e9, 0.0
        self._recogniser = Recogniser(self._heard)
        self._own: list[Match] = []
        self._sought: list[Match] = []
        self._sightings: dict[bytes, Sighting] = {}
        self._waiting: dict[bytes, list[asyncio.Future[None]]] = {}
        self._nearby = NearbyList()
        self._bluetooth = Bluetooth.UNKNOWN

    def watch(self, keys: Iterable[Match]) -> None:
        """Recognise these (binding, adv_key) pairs from now on, and nothing else but what is sought."""
        self._own = list(keys)
        self._listen()

    def seek(self, keys: Iterable[Match]) -> None:
        """Recognise these as well, until other ones are sought: a lock that is being worked on."""
        self._sought = list(keys)
        self._listen()

    def _listen(self) -> None:
        keys = [*self._own, *self._sought]
        if self._recogniser.watch(keys):
            held = {binding for binding, _ in keys}
            self._sightings = {key: seen for key, seen in self._sightings.items() if key in held}

    async def start(self) -> None:
        """Begin; Bluetooth that is off is no error here but is told to ``on_bluetooth``."""
        if self._ticking is None:
            loop = asyncio.get_running_loop()
            mine = self._unwatch = self._radio.watch(lambda: loop.call_soon_threadsafe(self._adapter_changed))
            await self._start_scan()
            if self._unwatch is mine:
                self._ticking = asyncio.create_task(self._tick())
            elif self._unwatch is None:  # stopped meanwhile
                await self._stop_scan()

    async def stop(self) -> None:
        """End the scan and forget everything that was heard."""
        unwatch, self._unwatch = self._unwatch, None
        if unwatch is not None:
            unwatch()
        tasks = [task for task in (self._ticking, self._following) if task is not None]
        self._ticking = self._following = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._stop_scan()
        await self._recogniser.stop()
        self._sightings.clear()
        self._nearby = NearbyList()

    async def find(self, binding: bytes, *, newer_than: float, until: float) -> Sighting | None:
        """Wait until loop time ``until`` for an advert of ``binding`` heard after ``newer_than``.

        Raises RadioOffError when Bluetooth is off.
        """
        await self._start_scan(only_if_stopped=True)
        newer_than = max(newer_than, asyncio.get_running_loop().time() - FRESH_SECONDS)
        while True:
            if self._bluetooth is not Bluetooth.ON:
                raise RadioOffError(self._bluetooth)
            seen = self._sightings.get(binding)
            if seen is not None and seen.heard_at > newer_than:
                return seen
            now = asyncio.get_running_loop().time()
            if now >= until:
                return None
            heard = await self._wait(binding, min(until - now, IMPATIENT_AFTER))
            if not heard and self._silent_for(IMPATIENT_AFTER) and self._may_start():
                await self._start_scan()

    def moved(self, binding: bytes, seen: Sighting) -> bool:
        """True when the lock has been heard at another address since: the one in ``seen`` is dead.

        A lock changes its address after every connection, also a colleague's a second ago.
        """
        newest = self._sightings.get(binding)
        return newest is not None and newest.device.address != seen.device.address

    def forget(self, binding: bytes) -> None:
        """A link to this lock has ended, so what was heard of it before is worth nothing any more."""
        self._sightings.pop(binding, None)

    async def _wait(self, binding: bytes, seconds: float) -> bool:
        heard: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(binding, []).append(heard)
        try:
            async with asyncio.timeout(seconds):
                await heard
        except TimeoutError:
            return False
        finally:
            waiting = self._waiting.get(binding, [])
            if heard in waiting:
                waiting.remove(heard)
        return True

    # -- starting and mending -----------------------------------------------------------------------------

    async def _start_scan(self, *, only_if_stopped: bool = False) -> None:
        """Start, or start anew. Tells ``on_bluetooth`` what came of it."""
        async with self._starting:
            if only_if_stopped and self._scanner is not None:
                return
            await self._stop_scan()
            self._last_start = self._last_heard = asyncio.get_running_loop().time()
            try:
                self._scanner = await bounded(self._radio.scan(self._on_advert), START_SECONDS)
            except RadioOffError as error:
                self._tell(error.bluetooth)
            except LinkLostError as error:
                self._tell(_without_a_scan(error.__cause__))
            else:
                self._tell(Bluetooth.ON)

    async def _stop_scan(self) -> None:
        scanner, self._scanner = self._scanner, None
        if scanner is None:
            return
        try:
            await bounded(scanner.stop(), START_SECONDS)
        except (RadioOffError, LinkLostError):
            return  # it does not scan, which is what was wanted

    def _tell(self, bluetooth: Bluetooth) -> None:
        self._bluetooth = bluetooth
        self._on_bluetooth(bluetooth)

    def _adapter_changed(self) -> None:
        """Bluetooth was turned off or on, or a permission given: the scan follows at once."""
        self._changed = True
        if self._unwatch is not None and (self._following is None or self._following.done()):
            self._following = asyncio.create_task(self._follow())

    async def _follow(self) -> None:
        while self._changed:
            self._changed = False
            if self._radio.known() is not self._bluetooth:  # starts are counted: none for news that is old
                await self._start_scan()

    def radio_is_off(self, bluetooth: Bluetooth) -> None:
        """Somebody else found Bluetooth off: the scan is dead as well and will be started anew."""
        self._scanner = None
        self._tell(bluetooth)

    def _silent_for(self, seconds: float) -> bool:
        return asyncio.get_running_loop().time() - self._last_heard >= seconds

    def _may_start(self) -> bool:
        return asyncio.get_running_loop().time() - self._last_start >= MIN_BETWEEN_STARTS

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = asyncio.get_running_loop().time()
            if self._nearby.age(now):
                self._on_nearby(self._nearby.classes)
            silence = MIN_BETWEEN_STARTS if self._scanner is None else MEND_AFTER
            if self._may_start() and self._silent_for(silence):
                await self._start_scan()

    # -- adverts --------------------------------------------------------------------------------------------

    def _on_advert(self, device: BLEDevice, data: AdvertisementData) -> None:
        self._last_heard = asyncio.get_running_loop().time()
        self._recogniser.heard(device, data)

    def _heard(self, match: Match, device: BLEDevice, rssi: int) -> None:
        binding, adv_key = match
        now = asyncio.get_running_loop().time()
        self._sightings[binding] = Sighting(device, adv_key, now)
        if self._nearby.heard(binding, rssi, now):
            self._on_nearby(self._nearby.classes)
        for waiting in self._waiting.pop(binding, []):
            if not waiting.done():
                waiting.set_result(None)


def _without_a_scan(why: BaseException | None) -> Bluetooth:
    """No system bus, no driver, none for this user: platforms say it as an operating system's error."""
    if isinstance(why, PermissionError):
        return Bluetooth.NO_PERMISSION
    if isinstance(why, OSError) and not isinstance(why, TimeoutError):
        return Bluetooth.NO_ADAPTER
    return Bluetooth.FAILED

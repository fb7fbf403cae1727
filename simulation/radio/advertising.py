"""Legacy advertising: one advertiser a controller, one timer for all of them.

Every advert visits only those who listen (scanners and initiators), never every controller, and while nobody
listens nothing runs at all. Sources: Bluetooth Core 5.4 Vol 6 Part B 4.4.2 (advertising), 4.4.3 (scanning).
"""

from __future__ import annotations

import asyncio
import heapq
import random
from typing import TYPE_CHECKING

from bumble import hci

if TYPE_CHECKING:
    from simulation.radio.controller import VirtualController
    from simulation.radio.ether import Ether

#: HCI advertising types and report event types (Vol 4 Part E 7.8.5 and 7.7.65.2); 0, 2 and 3 coincide.
ADV_IND = 0
ADV_SCAN_IND = 2
ADV_NONCONN_IND = 3
SCAN_RSP = 4
CONNECTABLE = frozenset({ADV_IND})
SCANNABLE = frozenset({ADV_IND, ADV_SCAN_IND})


class Advertiser:
    """The advertising state of one controller."""

    def __init__(self, controller: VirtualController) -> None:
        self.controller = controller
        self.kind = ADV_IND
        self.interval = 1.28
        self.own_address_type = int(hci.OwnAddressType.RANDOM)
        self.data = b""
        self.scan_response = b""
        self.enabled = False
        #: Counts starts, so that a stale entry of the schedule is told from a live one.
        self.generation = 0

    @property
    def address(self) -> hci.Address:
        """The address in its adverts."""
        return self.controller.own_address(self.own_address_type)

    def start(self) -> None:
        """Advertise, at once for the first time."""
        self.stop()
        self.enabled = True
        self.controller.ether.schedule.add(self)

    def stop(self) -> None:
        """Be silent."""
        self.enabled = False
        self.generation += 1
        self.controller.ether.schedule.discard(self)


class Schedule:
    """When which advertiser speaks next: a heap and one timer."""

    def __init__(self, ether: Ether) -> None:
        self._ether = ether
        self._loop = asyncio.get_running_loop()
        self._random = random.Random(f"{ether.seed}/adverts")  # noqa: S311 - seeded on purpose
        self._advertisers: dict[Advertiser, None] = {}
        self._heap: list[tuple[float, int, int, Advertiser]] = []
        self._order = 0
        self._timer: asyncio.TimerHandle | None = None
        #: Whether anybody listens; nothing is scheduled otherwise.
        self.running = False

    def add(self, advertiser: Advertiser) -> None:
        """A new advertiser: its first advert is due now."""
        self._advertisers[advertiser] = None
        if self.running:
            self._push(advertiser, self._loop.time())
            self._arm()

    def discard(self, advertiser: Advertiser) -> None:
        """An advertiser fell silent; its entry dies of its generation."""
        self._advertisers.pop(advertiser, None)

    def run(self, *, anybody_listens: bool) -> None:
        """Start when the first listener comes, stop when the last goes."""
        if anybody_listens and not self.running:
            self.running = True
            now = self._loop.time()
            for advertiser in self._advertisers:
                self._push(advertiser, now + self._random.uniform(0, advertiser.interval))
            self._arm()
        elif not anybody_listens and self.running:
            self.running = False
            self._heap.clear()
            self._disarm()

    def _push(self, advertiser: Advertiser, when: float) -> None:
        self._order += 1
        heapq.heappush(self._heap, (when, self._order, advertiser.generation, advertiser))

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self) -> None:
        self._disarm()
        if self._heap:
            self._timer = self._loop.call_at(self._heap[0][0], self._fire)

    def _fire(self) -> None:
        self._timer = None
        now = self._loop.time()
        while self._heap and self._heap[0][0] <= now:
            when, _, generation, advertiser = heapq.heappop(self._heap)
            if not advertiser.enabled or advertiser.generation != generation:
                continue
            jitter = self._random.uniform(0, self._ether.conditions.advert_jitter)
            # A late loop does not make up for missed adverts: a radio would not either.
            self._push(advertiser, max(when + advertiser.interval, now) + jitter)
            self._ether.broadcast(advertiser)
        if self.running:
            self._arm()

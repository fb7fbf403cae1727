"""The ether: who is where, who hears whom, and the links between them."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Callable

from bumble import hci
from bumble.device import Device

from simulation.radio.advertising import CONNECTABLE, SCAN_RSP, SCANNABLE, Advertiser, Schedule
from simulation.radio.conditions import Conditions, Position
from simulation.radio.controller import VirtualController
from simulation.radio.link import Link
from simulation.radio.packets import Packet, Rule, Side, Verdict
from simulation.radio.recording import Recording

#: HCI units: connection intervals count 1.25 ms, supervision timeouts 10 ms.
INTERVAL_UNIT = 0.00125
TIMEOUT_UNIT = 0.01

_DELIVER = Verdict()


class Ether:
    """One simulated radio space on the running event loop, whose time it keeps (real or virtual).

    Everything random (fading, losses, jitter, addresses) follows ``seed``. ``conditions`` may be changed
    while it runs.
    """

    def __init__(self, seed: int | str = 0, conditions: Conditions | None = None) -> None:
        self.seed = seed
        self.conditions = conditions or Conditions()
        self.loop = asyncio.get_running_loop()
        self.schedule = Schedule(self)
        self.rules: list[Rule] = []
        self._random = random.Random(f"{seed}/ether")  # noqa: S311 - seeded on purpose
        self._controllers: dict[str, VirtualController] = {}
        self._positions: dict[str, Position] = {}
        self._fixed_rssi: dict[frozenset[str], float] = {}
        self._listeners: dict[VirtualController, None] = {}
        self._links: dict[int, Link] = {}
        self._link_count = 0
        self._recordings: list[Recording] = []

    # --- who is there ------------------------------------------------------------------------------------

    def address(self, name: str, *, kind: hci.AddressType = hci.AddressType.RANDOM_DEVICE) -> hci.Address:
        """The address this ether gives a name, by its seed; random ones are static (Vol 6 Part B 1.3.2)."""
        octets = bytearray(hashlib.sha256(f"{self.seed}/{kind.name}/{name}".encode()).digest()[:6])
        if kind is hci.AddressType.RANDOM_DEVICE:
            octets[5] |= 0xC0
        return hci.Address(bytes(octets), kind)

    def controller(
        self, name: str, address: str | None = None, *, position: Position = (0.0, 0.0)
    ) -> VirtualController:
        """A new virtual controller: both the HCI source and the HCI sink of a bumble host.

        ``address`` is its public address (made from the name otherwise). A name is used by one controller at
        a time; it is free again after ``remove``. Raises ValueError when it is taken.
        """
        if name in self._controllers:
            raise ValueError(f"there is a controller called {name!r} already")
        public = (
            self.address(name, kind=hci.AddressType.PUBLIC_DEVICE)
            if address is None
            else hci.Address(address, hci.AddressType.PUBLIC_DEVICE)
        )
        controller = VirtualController(self, name, public)
        self._controllers[name] = controller
        self._positions[name] = position
        return controller

    def attach(self, name: str, *, address: str | None = None, position: Position = (0.0, 0.0)) -> Device:
        """A bumble ``Device`` over a new controller, not yet powered on, with this random static address."""
        controller = self.controller(name, position=position)
        own = self.address(name) if address is None else hci.Address(address)
        return Device.with_hci(name, own, controller, controller)

    def find(self, name: str) -> VirtualController:
        """The controller of this name. Raises KeyError when there is none."""
        return self._controllers[name]

    def remove(self, name: str) -> None:
        """Take a controller away as a power cut does: no goodbye, peers time out, the host hears no more."""
        controller = self._controllers.pop(name)
        controller.present = False
        controller.go_silent()
        self._listeners.pop(controller, None)
        del self._positions[name]

    # --- where ---------------------------------------------------------------------------------------------

    def move(self, name: str, position: Position) -> None:
        """Put a controller somewhere (metres); links it walks away from begin to die."""
        if name not in self._positions:
            raise KeyError(name)
        self._positions[name] = position
        self._reconsider()

    def set_rssi(self, one: str, other: str, dbm: float | None) -> None:
        """Fix the strength between two controllers whatever their distance; None goes back to distance."""
        pair = frozenset((one, other))
        if dbm is None:
            self._fixed_rssi.pop(pair, None)
        else:
            self._fixed_rssi[pair] = dbm
        self._reconsider()

    def rssi(self, one: str, other: str) -> float:
        """Mean received strength in dBm, before fading."""
        fixed = self._fixed_rssi.get(frozenset((one, other)))
        if fixed is not None:
            return fixed
        return self.conditions.strength(self._positions[one], self._positions[other])

    def reachable(self, one: str, other: str) -> bool:
        """Whether two controllers are there and hear each other."""
        if one not in self._controllers or other not in self._controllers:
            return False
        return self.rssi(one, other) >= self.conditions.sensitivity

    def _reconsider(self) -> None:
        for link in list(self._links.values()):
            link.reconsider()

    # --- adverts -------------------------------------------------------------------------------------------

    def listening(self, controller: VirtualController) -> None:
        """Note whether a controller scans or initiates; adverts run only while somebody does."""
        if controller.present and (controller.le_scan_enable or controller.initiating):
            self._listeners[controller] = None
        else:
            self._listeners.pop(controller, None)
        self.schedule.run(anybody_listens=bool(self._listeners))

    def broadcast(self, advertiser: Advertiser) -> None:
        """One advertising event: reports to those who scan, a connection to the first who wanted one."""
        sender, address, kind = advertiser.controller, advertiser.address, advertiser.kind
        connecting: list[VirtualController] = []
        for listener in self._listeners:
            if listener is sender or not self._heard(sender, listener):
                continue
            if listener.le_scan_enable:
                self._report(advertiser, listener, address)
            pending = listener.pending_le_connection
            if kind in CONNECTABLE and pending is not None and pending.peer_address == address:
                connecting.append(listener)
        if connecting:
            self._connect(self._random.choice(connecting), advertiser)

    def _heard(self, sender: VirtualController, listener: VirtualController) -> bool:
        if not self.reachable(sender.name, listener.name):
            return False
        return self._random.random() >= self.conditions.advert_loss

    def _report(self, advertiser: Advertiser, listener: VirtualController, address: hci.Address) -> None:
        rssi = self._measured(advertiser.controller.name, listener.name)
        listener.report(advertiser.kind, address, advertiser.data, rssi)
        answers = listener.le_scan_type and advertiser.kind in SCANNABLE
        if answers and self._heard(advertiser.controller, listener):
            listener.report(SCAN_RSP, address, advertiser.scan_response, rssi)

    def _measured(self, one: str, other: str) -> int:
        fading = self._random.gauss(0, self.conditions.fading_db) if self.conditions.fading_db else 0.0
        return max(-127, min(20, round(self.rssi(one, other) + fading)))

    # --- links ---------------------------------------------------------------------------------------------

    def _connect(self, central: VirtualController, advertiser: Advertiser) -> None:
        peripheral = advertiser.controller
        command = central.pending_le_connection
        if command is None or isinstance(command, hci.HCI_LE_Extended_Create_Connection_Command):
            return
        central.pending_le_connection = None
        self.listening(central)
        address = advertiser.address
        heard = self._random.random() >= self.conditions.connect_loss
        own = central.own_address(int(command.own_address_type))
        ends = {
            Side.CENTRAL: central.open_connection(Side.CENTRAL, own, address),
            Side.PERIPHERAL: peripheral.open_connection(Side.PERIPHERAL, address, own),
        }
        self._link_count += 1
        interval, timeout = command.connection_interval_max, command.supervision_timeout
        link = Link(
            self,
            self._link_count,
            ends,
            interval=interval * INTERVAL_UNIT,
            supervision_timeout=timeout * TIMEOUT_UNIT,
        )
        self._links[link.number] = link
        # The peripheral first: it must know the connection before the central's first packet reaches it.
        if heard:
            advertiser.stop()
            peripheral.adopt(ends[Side.PERIPHERAL], link, interval, command.max_latency, timeout)
        central.adopt(ends[Side.CENTRAL], link, interval, command.max_latency, timeout)
        if not heard:
            link.fail_to_establish()

    def links(self, name: str | None = None) -> list[Link]:
        """The live links, of one controller when named."""
        return [link for link in self._links.values() if name in (None, link.central, link.peripheral)]

    def forget(self, link: Link) -> None:
        """A link has ended."""
        self._links.pop(link.number, None)

    # --- faults and recordings -----------------------------------------------------------------------------

    def judge(self, packet: Packet) -> Verdict:
        """Record a packet and ask the fault rules about it; the first that has an opinion decides."""
        for recording in self._recordings:
            recording.see(packet)
        for rule in self.rules:
            verdict = rule(packet)
            if verdict is not None:
                return verdict
        return _DELIVER

    def add_rule(self, rule: Rule) -> Callable[[], None]:
        """Put a fault rule in force; call the result to lift it."""
        self.rules.append(rule)

        def lift() -> None:
            if rule in self.rules:
                self.rules.remove(rule)

        return lift

    def record(self, name: str | None = None) -> Recording:
        """Record every packet from now on, of one controller when named."""
        recording = Recording(self._recordings.remove, name)
        self._recordings.append(recording)
        return recording

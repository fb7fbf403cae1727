"""One link to the lock under test, frame by frame, over bumble's host: simulated radio or a real adapter."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field

from bumble.core import UUID, AdvertisingData, ProtocolError
from bumble.device import Advertisement, Connection, Device, Peer
from bumble.gatt_client import CharacteristicProxy
from bumble.hci import Address

from protocol import advert, framing, gatt, handshake, messages
from protocol.framing import Kind, Message, Reassembler
from protocol.handshake import Channel
from protocol.messages import Decision, LockMessage, Outcome, PhoneMessage
from protocol.reasons import Reason
from protocol.suites import SUITE_1, SUITES, Suite
from simulation.conformance.verdict import DeviationError

PATIENCE = 8.0
"""Seconds within which a lock has said what it has to say."""
MTU = 247


async def find(device: Device, binding: bytes, adv_key: bytes) -> Address:
    """Return the address under which the lock advertises now. Raises DeviationError when it does not."""
    resolver = advert.Resolver([(binding, adv_key)])
    found: asyncio.Future[Address] = asyncio.get_running_loop().create_future()

    def heard(advertisement: Advertisement) -> None:
        data = advertisement.data.get(AdvertisingData.Type.MANUFACTURER_SPECIFIC_DATA)
        raw = data if isinstance(data, tuple) else (None, b"")
        if found.done() or raw[0] != gatt.COMPANY_ID or len(raw[1]) != advert.DATA_LENGTH:
            return
        if resolver.resolve(advert.parse(bytes(raw[1]))) is not None:
            found.set_result(advertisement.address)

    device.on(Device.EVENT_ADVERTISEMENT, heard)
    try:
        await device.start_scanning(active=True, filter_duplicates=False)
        async with asyncio.timeout(PATIENCE):
            return await found
    except TimeoutError:
        raise DeviationError(f"no advert of this door within {PATIENCE:.0f} s") from None
    finally:
        device.remove_listener(Device.EVENT_ADVERTISEMENT, heard)
        await device.stop_scanning()


@dataclass
class Line:
    """A link with notifications on. ``m0``: the newest one, as long as no session stands."""

    connection: Connection
    pairs: dict[Suite, tuple[CharacteristicProxy[bytes], CharacteristicProxy[bytes]]]
    """Of each suite: to the lock, to the phone."""
    suite: Suite
    frames: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    m0: bytes = b""
    channel: Channel | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self._reassembler = Reassembler(gatt.MAX_SESSION_MESSAGE)
        self.connection.on(Connection.EVENT_DISCONNECTION, lambda _reason: self.gone.set())

    # -- what the lock says ---------------------------------------------------------------------------------

    async def message(self, patience: float = PATIENCE) -> Message:
        """Return the lock's next message. Raises DeviationError when it says nothing or hangs up."""
        while True:
            frame = await self._frame(patience)
            if message := self._reassembler.feed(frame):
                return message

    async def _frame(self, patience: float) -> bytes:
        getting = asyncio.ensure_future(self.frames.get())
        going = asyncio.ensure_future(self.gone.wait())
        done, _ = await asyncio.wait({getting, going}, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        going.cancel()
        if getting in done:
            return getting.result()
        getting.cancel()
        raise DeviationError("the lock hung up" if self.gone.is_set() else "the lock said nothing")

    async def expect_m0(self) -> bytes:
        """Return the m0 that is due now."""
        message = await self.message()
        if message.kind is not Kind.M0 or len(message.body) != handshake.M0_LENGTH:
            raise DeviationError(f"expected an m0 of {handshake.M0_LENGTH} bytes, got {message.kind.name}")
        self.m0 = message.body
        return self.m0

    async def expect_alert(self) -> None:
        """The one unauthenticated word."""
        message = await self.message()
        if message.kind is not Kind.ALERT:
            raise DeviationError(f"expected an alert, got {message.kind.name}")
        if messages.parse_alert(message.body) is not Reason.HANDSHAKE_FAILED:
            raise DeviationError(f"expected the alert handshake_failed, got {message.body.hex()}")

    async def expect_hang_up(self, patience: float = PATIENCE) -> None:
        """The lock ends the link, and says nothing more in the session."""
        try:
            async with asyncio.timeout(patience):
                await self.gone.wait()
        except TimeoutError:
            raise DeviationError("expected the lock to hang up; it did not") from None

    async def said(self, patience: float = PATIENCE) -> LockMessage:
        """Return the lock's next session message, decrypted and parsed strictly."""
        message = await self.message(patience)
        if message.kind is not Kind.SESSION or self.channel is None:
            raise DeviationError(f"expected a session message, got {message.kind.name}")
        return messages.parse_from_lock(self.channel.decrypt(message.body))

    async def decision(self) -> Decision:
        """Return m2."""
        said = await self.said()
        if not isinstance(said, Decision):
            raise DeviationError(f"expected a decision, got {type(said).__name__}")
        return said

    async def outcome(self) -> Outcome:
        """Return m3; a motor may take a while."""
        said = await self.said(20.0)
        if not isinstance(said, Outcome):
            raise DeviationError(f"expected an outcome, got {type(said).__name__}")
        return said

    # -- what the kit says ----------------------------------------------------------------------------------

    async def write(self, frame: bytes, suite: Suite | None = None) -> None:
        """Write one frame as it is, by the link's suite or another; a link that is gone takes nothing."""
        if not self.gone.is_set():
            try:
                await self.pairs[suite or self.suite][0].write_value(frame, with_response=False)
            except ProtocolError:
                return

    async def send(self, kind: Kind, body: bytes, *, suite: Suite | None = None) -> None:
        """Write a message in frames, by the link's suite or another."""
        for frame in framing.fragment(kind, body, MTU - gatt.ATT_HEADER):
            await self.write(frame, suite)

    async def subscribe(self, suite: Suite) -> None:
        """Enable notifications of a suite."""
        await self.pairs[suite][1].subscribe(lambda value: self.frames.put_nowait(bytes(value)))

    async def tell(self, message: PhoneMessage) -> None:
        """Send a session message."""
        await self.tell_plain(messages.encode(message))

    async def tell_plain(self, plaintext: bytes) -> None:
        """Send any plaintext as a session message."""
        await self.send(Kind.SESSION, self.sealed(plaintext))

    def sealed(self, plaintext: bytes) -> bytes:
        """Encrypt the session's next message; it counts whether it is sent or not."""
        if self.channel is None:
            raise DeviationError("there is no session to say this in")
        return self.channel.encrypt(plaintext)

    @property
    def m0_hash(self) -> bytes:
        """SHA-256 of the newest m0."""
        return hashlib.sha256(self.m0).digest()

    async def close(self) -> None:
        """Hang up; harmless when the lock did."""
        if not self.gone.is_set():
            await self.connection.disconnect()
            await self.gone.wait()


async def connect(device: Device, address: Address, suite: Suite = SUITE_1) -> Line:
    """Connect, discover, subscribe, and take the m0 that follows. Raises DeviationError."""
    connection = await device.connect_le(address, timeout=PATIENCE)
    peer = Peer(connection)
    await peer.request_mtu(MTU)
    services = await peer.discover_service(UUID(gatt.SERVICE_UUID))
    if not services:
        raise DeviationError("the service of docs/protocol.md section 8 is not there")
    found = {one.uuid: one for one in await services[0].discover_characteristics()}
    pairs = {}
    for one in SUITES:
        to_lock, to_phone = found.get(UUID(one.rx_uuid)), found.get(UUID(one.tx_uuid))
        if to_lock is not None and to_phone is not None:
            pairs[one] = to_lock, to_phone
    if suite not in pairs:
        raise DeviationError(f"the two characteristics of suite {suite.number} are not there")
    line = Line(connection, pairs, suite)
    await line.subscribe(suite)
    await line.expect_m0()
    return line

"""Connections before anybody is authenticated: m0, its life, m1, and making room for those who knock rightly.

A stranger costs a share of an m0 (see `greetings`) and an HMAC for each m1. Nobody waits behind a stranger:
an m1 is read the moment its last frame arrives, and when places are short the oldest link that has not shaken
hands goes first. An m0 is renewed when somebody answers a dead one, not before: silence costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from lockagent.core.events import Disconnect, Send
from lockagent.core.greetings import Greeting, Greetings
from protocol import framing, gatt, messages
from protocol.errors import ProtocolError
from protocol.framing import Kind, Reassembler
from protocol.handshake import Channel, LockHandshake, m0_hash
from protocol.keys import HolderKey
from protocol.reasons import Reason
from protocol.suites import SUITE_1, Suite

PLACES = gatt.MIN_LINKS + 1
"""With this many links the next one would find no place."""
SILENT_SECONDS = gatt.SESSION_SECONDS
"""A link without a finished handshake is ended after this long."""

Emit = Callable[[Send | Disconnect], None]


@dataclass(frozen=True)
class Introduced:
    """A phone that proved to hold its key, and what it asks."""

    holder: HolderKey
    plaintext: bytes
    channel: Channel
    m0_hash: bytes
    m0_sent_at: float


@dataclass
class Link:
    """One connection."""

    number: int
    since: float
    advert: int | None
    """The advert it came by, if that is sure."""
    capacity: int = 0
    suite: Suite | None = None
    """Chosen by the first subscription, for as long as the link stands."""
    greeting: Greeting | None = None
    expired: LockHandshake | None = None
    """The one before, to know an answer that crossed its renewal in the air."""
    m0_count: int = 0
    m0_dies: float = 0.0
    """When the m0 on the table stops being answerable."""
    streaming: bool = False
    """An m1 began to arrive in time."""
    introduced: bool = False
    reassembler: Reassembler = field(default_factory=lambda: Reassembler(gatt.MAX_HANDSHAKE_MESSAGE))


class Links:
    """All connections, and everything that happens on them before a session."""

    def __init__(
        self,
        emit: Emit,
        greetings: Greetings,
        introduce: Callable[[Link, Introduced], None],
        failed: Callable[[], None],
        over_at: Callable[[int], float | None],
    ) -> None:
        """`greetings`: where m0 come from. `introduce`: a phone is authenticated. `failed`: count it.

        `over_at`: since when the session on a link has had its last word; None while it has not.
        """
        self._emit = emit
        self._greetings = greetings
        self._introduce = introduce
        self._failed = failed
        self._over_at = over_at
        self._links: dict[int, Link] = {}

    def get(self, number: int) -> Link | None:
        """The link of that number, if it is still there."""
        return self._links.get(number)

    def up(self, number: int, mono: float) -> None:
        """A central connected."""
        self._links[number] = Link(number, mono, self._greetings.advert(mono))
        self.make_room(mono)

    def down(self, number: int) -> None:
        """A link is gone."""
        link = self._links.pop(number, None)
        if link is not None:
            self._greetings.give_back(link.greeting)

    def subscribed(self, number: int, capacity: int, suite: Suite, mono: float) -> None:
        """The central listens: the lock speaks first. Another suite's characteristic is passed over."""
        link = self._links.get(number)
        if link is None or link.suite not in (None, suite):
            return
        link.suite = suite
        if not link.introduced:
            link.capacity = capacity
            if link.greeting is None:
                self._speak(link, mono)

    def frame(self, link: Link, frame: bytes, mono: float) -> None:
        """Take in a frame of an m1."""
        if link.greeting is None:
            return
        if mono > link.m0_dies:
            self._renew(link, mono)
            return
        starts = framing.starts_message(frame, Kind.M1)
        if link.expired is not None and not link.streaming and not starts:
            return  # the tail of an m1 whose beginning came too late
        if starts and not link.streaming:
            link.streaming = True
            link.m0_dies += gatt.M0_STREAM_GRACE_SECONDS
        try:
            message = link.reassembler.feed(frame)
            if message is not None:
                self._introduced(link, message)
        except ProtocolError:
            self._refuse(link, mono)

    def tick(self, mono: float) -> None:
        """End what does not come to the point, make room."""
        for link in list(self._links.values()):
            if not link.introduced and mono >= link.since + SILENT_SECONDS:
                self._end(link)
        self.make_room(mono)

    def next_at(self) -> float | None:
        """When `tick` has something to do."""
        times = [link.since + SILENT_SECONDS for link in self._links.values() if not link.introduced]
        if len(self._links) >= PLACES:
            times += [ripe_at for ripe_at, _ in self._dispensable()]
        return min(times, default=None)

    def make_room(self, mono: float) -> None:
        """While there is no place left for the next phone, end the oldest that has nothing to wait for."""
        while len(self._links) >= PLACES:
            ripe = [(link.introduced, at, link) for at, link in self._dispensable() if mono >= at]
            if not ripe:
                return
            self._end(min(ripe, key=lambda one: one[:2])[2])  # strangers first, then the oldest

    def send(self, link: Link, kind: Kind, message: bytes) -> None:
        """Send a message in frames the link can carry."""
        for frame in framing.fragment(kind, message, link.capacity):
            self._emit(Send(link.number, frame, link.suite or SUITE_1))

    def end_others(self, number: int) -> None:
        """End every link but one."""
        for link in list(self._links.values()):
            if link.number != number:
                self._end(link)

    def end(self, number: int) -> None:
        """End a link from this side."""
        link = self._links.get(number)
        if link is not None:
            self._end(link)

    def _introduced(self, link: Link, message: framing.Message) -> None:
        greeting = link.greeting
        if message.kind is not Kind.M1 or greeting is None:
            raise ProtocolError("not an m1")
        handshake = greeting.handshake
        if link.expired is not None and link.expired.mac1_holds(message.body):
            return
        holder, plaintext, channel = handshake.read_m1(message.body)
        link.introduced = True
        link.greeting = None
        link.reassembler.limit = gatt.MAX_SESSION_MESSAGE
        digest = m0_hash(handshake.m0)
        self._introduce(link, Introduced(holder, plaintext, channel, digest, greeting.born))

    def _refuse(self, link: Link, mono: float) -> None:
        """One word for everything that fails before authentication, then m0 again, or a new one."""
        self._failed()
        self.send(link, Kind.ALERT, messages.encode_alert(Reason.HANDSHAKE_FAILED))
        self._speak(link, mono)

    def _renew(self, link: Link, mono: float) -> None:
        """An answer to a dead m0 begins to arrive: say a new one, and let the answer pass."""
        dead = link.greeting
        self._speak(link, mono)
        link.expired = dead.handshake if dead is not None else None

    def _speak(self, link: Link, mono: float) -> None:
        link.greeting = self._next_greeting(link, mono)
        if link.greeting is None:
            self._end(link)
            return
        link.expired = None
        link.m0_count += 1
        link.m0_dies = link.greeting.dies
        link.streaming = False
        link.reassembler.reset()
        self.send(link, Kind.M0, link.greeting.handshake.hello)

    def _next_greeting(self, link: Link, mono: float) -> Greeting | None:
        if link.suite is None or link.m0_count >= gatt.MAX_M0_PER_LINK:
            return None
        if link.greeting is not None and link.greeting.handshake.untried and link.greeting.lasts(mono):
            return link.greeting
        self._greetings.give_back(link.greeting)
        return self._greetings.take(link.suite, link.advert, mono)

    def _dispensable(self) -> list[tuple[float, Link]]:
        """(from when on, link): strangers, and phones to which everything has been said."""
        found: list[tuple[float, Link]] = []
        for link in self._links.values():
            since = self._over_at(link.number) if link.introduced else link.since
            if since is not None:
                found.append((since + gatt.STRANGER_SECONDS, link))
        return found

    def _end(self, link: Link) -> None:
        self.down(link.number)
        self._emit(Disconnect(link.number))

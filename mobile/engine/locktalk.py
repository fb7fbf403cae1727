"""An installer's talk with one lock: find it, connect, ask one thing after the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Protocol, TypeVar

from mobile.engine.errors import EngineError
from mobile.engine.link import Link
from mobile.engine.radio import LinkLostError, Radio, RadioOffError
from mobile.engine.scanner import Scanner, Sighting
from mobile.engine.traffic import Traffic
from mobile.engine.verdicts import bluetooth_verdict
from protocol.errors import ProtocolError
from protocol.messages import PhoneMessage
from protocol.phone import Step
from protocol.suites import SUITE_1

T = TypeVar("T")

FIND_SECONDS = 20.0
CONNECT_SECONDS = 8.0
ANSWER_SECONDS = 8.0
"""For a package to cross a poor link and be written to the lock's disk; a motor takes no longer either."""


class Session(Protocol):
    """Either session of the protocol: with a lock in setup, or with one that has a door."""

    def receive(self, frame: bytes) -> Step:
        """Take in one notification."""
        ...

    def serve(self, message: PhoneMessage) -> tuple[bytes, ...]:
        """The frames that ask the lock something."""
        ...


class Talk:
    """One link with one session on it."""

    def __init__(self, link: Link, session: Session) -> None:
        self._link, self._session = link, session
        self._heard: list[object] = []

    async def ask(self, message: PhoneMessage, kind: type[T]) -> T:
        """Ask, and return the lock's answer of that kind. Raises LinkLostError and TimeoutError."""
        await self._link.send(self._session.serve(message))
        return await self.hear(kind)

    async def hear(self, kind: type[T], seconds: float = ANSWER_SECONDS) -> T:
        """The next message of a kind; what comes before it is kept for `taken`."""
        async with asyncio.timeout(seconds):
            while True:
                for said in self._heard:
                    if isinstance(said, kind):
                        self._heard.remove(said)
                        return said
                step = self._session.receive(await self._link.receive(seconds))
                self._heard += step.said
                await self._link.send(step.send)

    def taken(self, kind: type[T]) -> list[T]:
        """What was heard of a kind meanwhile, once."""
        found = [said for said in self._heard if isinstance(said, kind)]
        self._heard = [said for said in self._heard if not isinstance(said, kind)]
        return found


class Locks:
    """Reaches locks by the keys that their adverts are made with."""

    def __init__(self, radio: Radio, scanner: Scanner) -> None:
        self._radio, self._scanner = radio, scanner

    @asynccontextmanager
    async def reach(
        self,
        name: bytes,
        keys: Iterable[bytes],
        session: Callable[[bytes, int], Session],
        *,
        connecting: Callable[[], None],
        missing: str,
    ) -> AsyncIterator[Talk]:
        """A link to the lock that advertises with one of `keys`; `session` is made of its key and capacity.

        Raises EngineError `missing` when it is not heard, `bluetooth_…` when there is no Bluetooth,
        `link_lost` and `not_our_lock`.
        """
        link = Link(self._radio, Traffic(), SUITE_1)
        self._scanner.seek([(name, key) for key in keys])
        try:
            sighting = await self._find(name, missing)
            connecting()
            await link.connect(sighting.device, CONNECT_SECONDS)
            talk = Talk(link, session(sighting.adv_key, link.capacity))
            await link.subscribe()
            yield talk
        except RadioOffError as error:
            self._scanner.radio_is_off(error.bluetooth)
            raise EngineError(bluetooth_verdict(error.bluetooth).reason) from error
        except (LinkLostError, TimeoutError) as error:
            raise EngineError("link_lost") from error
        except ProtocolError as error:
            raise EngineError("not_our_lock") from error
        finally:
            self._scanner.forget(name)
            self._scanner.seek([])
            await link.close()

    async def _find(self, name: bytes, missing: str) -> Sighting:
        until = asyncio.get_running_loop().time() + FIND_SECONDS
        sighting = await self._scanner.find(name, newer_than=float("-inf"), until=until)
        if sighting is None:
            raise EngineError(missing)
        return sighting

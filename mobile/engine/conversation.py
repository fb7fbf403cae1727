"""The protocol's session over a link: what the lock says, one message at a time."""

from __future__ import annotations

import asyncio
from typing import TypeVar

from mobile.engine.link import Link
from mobile.engine.radio import LinkLostError
from protocol.errors import ProtocolError
from protocol.messages import BulletinResult, Decision, LockMessage
from protocol.phone import Alert, PhoneSession, PhoneState, Step
from protocol.phonekeys import X25519Key

T = TypeVar("T")


class StrangeLockError(Exception):
    """The other end does not follow the protocol, or is not the lock it should be."""


class Conversation:
    """Reads frames, lets the session answer them, and hands on what was said."""

    def __init__(self, link: Link, session: PhoneSession) -> None:
        self._link, self.session = link, session
        self._said: list[LockMessage | Alert] = []
        self._statement: bytes | None = None
        self._alerted = False
        self.bulletin_result: BulletinResult | None = None
        """What became of the bulletin that was handed over, once the lock has said so."""

    @property
    def asked(self) -> bool:
        """True once the request may have reached the lock."""
        return self.session.state is not PhoneState.WAIT_M0

    @property
    def alerted(self) -> bool:
        """True when something unauthenticated claimed that the handshake failed."""
        return self._alerted

    @property
    def over(self) -> bool:
        """True when neither side has anything more to say."""
        return self.session.state is PhoneState.ENDED and not self._said

    async def next(self, seconds: float) -> LockMessage | Alert:
        """What the lock says next.

        Raises TimeoutError, LinkLostError, RadioOffError or StrangeLockError.
        """
        async with asyncio.timeout(seconds):
            while not self._said:
                await self._step(await self._link.receive(seconds))
        return self._said.pop(0)

    async def wait_for(self, kind: type[T], seconds: float) -> T:
        """The next message of one kind, letting others pass. Raises as ``next``."""
        async with asyncio.timeout(seconds):
            while True:
                said = await self.next(seconds)
                if isinstance(said, kind):
                    return said

    def hand_over_time(self, statement: bytes) -> None:
        """Have a fresh time statement sent by the next ``next``, which alone seals messages, in order."""
        self._statement = statement
        self._link.wake()

    async def _step(self, frame: bytes) -> None:
        if not frame:
            await self._send_time()
            return
        try:
            step = await self._answer(frame)
        except ProtocolError as error:
            raise StrangeLockError(str(error)) from error
        if any(isinstance(message, Decision) for message in step.said):
            self._link.traffic.decided()
        self._alerted |= any(isinstance(message, Alert) for message in step.said)
        for message in step.said:
            if isinstance(message, BulletinResult):
                self.bulletin_result = message
        self._said += step.said
        try:
            await self._link.send(step.send)
        except LinkLostError:
            if not self._said:
                raise  # else: first hear out what the lock said before the link broke

    async def _answer(self, frame: bytes) -> Step:
        """What the session makes of a frame; a key in hardware is asked without stopping everything else."""
        if isinstance(self.session.key, X25519Key):
            return self.session.receive(frame)
        return await asyncio.to_thread(self.session.receive, frame)

    async def _send_time(self) -> None:
        statement, self._statement = self._statement, None
        if statement is not None and self.session.state is not PhoneState.WAIT_M0:
            await self._link.send(self.session.offer_time(statement))

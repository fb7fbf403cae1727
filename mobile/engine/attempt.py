"""One tap at one door, from looking for its lock to the truth about its bolt.

    search -> link -> m0, m1 -> decision -> outcome -> carry (bulletin, time, logs) -> done
       ^                 |          |          |
       +--- lost, silent-+----------+----------+   asked again with the same request id, in a new link

The lock never acts twice on one request id (protocol, "a lost answer"), so asking again is always safe. Every
wait has a bound; after `PATIENCE` seconds no new link is begun and the person is told what is known. What
comes through the air unauthenticated is never told as the truth about the door.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from mobile.engine.content import LockInfo, Right
from mobile.engine.conversation import Conversation, StrangeLockError
from mobile.engine.courier import Courier
from mobile.engine.link import Link
from mobile.engine.radio import LinkLostError, Radio, RadioOffError
from mobile.engine.scanner import Scanner, Sighting
from mobile.engine.state import OpeningState, Operation
from mobile.engine.traffic import Traffic
from mobile.engine.verdicts import NO_ANSWER, Verdict, bluetooth_verdict, gave_up, of_outcome, of_refusal
from protocol import messages
from protocol.messages import BulletinResult, Command, Decision, DecisionFlag, LogBatch, Outcome, TimeResult
from protocol.phone import Door, PhoneSession, PhoneState
from protocol.reasons import CURABLE_BY_BULLETIN, Reason

PATIENCE = 20.0
CONNECT_SECONDS = 8.0
MOVED_SECONDS = 1.5
"""How often a connection that does not come about is held against what is heard meanwhile."""
DECISION_SECONDS = 5.0
"""From subscribing to m2: an m0 lives 5 s, and a lock that is silent so long is asked anew."""
OUTCOME_SECONDS = 8.0
"""From m2 to m3: the motor's travel with all its tries. May run past PATIENCE, for the lock is acting."""
CARRY_SECONDS = 5.0
REST_SECONDS = 2.0
"""For the answer to a bulletin handed over with a refused request."""
BUSY_PAUSE = 1.5
MAX_LINKS = 8
MAX_BUSY = 4
_MAY_HAVE_COME_SINCE = frozenset({Reason.EXPIRED, Reason.REVOKED, Reason.PROVIDER_ENDED, Reason.KEY_UNKNOWN})
"""What a lock may say to a request that it granted a moment ago, when its answer was lost."""
_FINAL_FOR_ANY_TOKEN = frozenset({Reason.BUSY, Reason.LOCK_FAULT, Reason.TIME_UNCERTAIN})


@dataclass(frozen=True)
class Errand:
    """What is asked, of which lock, with which tokens (best first)."""

    operation: Operation
    lock: LockInfo
    tokens: tuple[Right, ...]
    private_key: bytes = field(repr=False)
    request_id: bytes
    early: bool = False  # on purpose with a token that does not hold yet

    @property
    def command(self) -> Command:
        """The operation as the lock knows it."""
        return Command.OPEN if self.operation is Operation.OPEN else Command.LOCK


@dataclass(frozen=True)
class Surroundings:
    """What an attempt works with."""

    radio: Radio
    scanner: Scanner
    courier: Courier
    random: Callable[[int], bytes]
    renew: Callable[[Errand], Awaitable[Errand | None]]
    """Ask the server for news that may cure a refusal; None when there is none."""
    report: Callable[[OpeningState], None]


class Attempt:
    """Made for one tap, used once: `run`, then `carry` for what rides along after the outcome."""

    def __init__(self, errand: Errand, around: Surroundings) -> None:
        self._errand, self._around = errand, around
        self.traffic = Traffic()
        """What the last link carried."""
        self.granted = self.asked = self.connected = self.doubtful = False
        self.refusal: Verdict | None = None
        """The lock's own no to what was asked last; forgotten as soon as it is asked anew."""
        self._time_asked = self._renewed = self._unheard = False
        self._busy = self._links = 0
        self._open_end: tuple[Link, Conversation] | None = None
        self._statement: asyncio.Task[bool] | None = None

    async def run(self) -> Verdict:
        """Work until the truth is known or patience is out. Never raises but when cancelled."""
        loop = asyncio.get_running_loop()
        until, newer_than = loop.time() + PATIENCE, float("-inf")
        while self._links < MAX_LINKS:
            try:
                sighting = await self._around.scanner.find(
                    self._errand.lock.binding, newer_than=newer_than, until=until
                )
                if sighting is None:
                    break
                self._around.report(OpeningState.CONNECTING)
                verdict = await self._one_link(sighting, until)
            except RadioOffError as error:
                self._around.scanner.radio_is_off(error.bluetooth)
                return gave_up(self) if self.asked else bluetooth_verdict(error.bluetooth)
            if verdict is not None:
                return verdict
            newer_than = loop.time()
        return gave_up(self)

    async def carry(self) -> None:
        """After the outcome: hand over news, take sealed logs, end the link. Raises only when cancelled."""
        if self._open_end is None:
            return
        conversation = self._open_end[1]
        seconds = CARRY_SECONDS if self.granted else REST_SECONDS
        try:
            async with asyncio.timeout(seconds):
                await self._ride_along(conversation, seconds)
        except (TimeoutError, LinkLostError, RadioOffError, StrangeLockError):
            return  # what was taken in is durable; the rest stays in the lock
        finally:
            await self.close()

    async def close(self) -> None:
        """End what is still open."""
        if self._statement is not None:
            self._statement.cancel()
        open_end, self._open_end = self._open_end, None
        if open_end is not None:
            await self._hang_up(open_end[0])

    # -- one link -------------------------------------------------------------------------------------------

    async def _one_link(self, sighting: Sighting, until: float) -> Verdict | None:
        """One try over one link; None means ask again. Raises RadioOffError."""
        self._links += 1
        self.traffic = Traffic()
        link = Link(self._around.radio, self.traffic)
        verdict: Verdict | None = None
        try:
            remaining = until - asyncio.get_running_loop().time()
            await self._connect(link, sighting, max(1.0, min(CONNECT_SECONDS, remaining)))
            self.connected = True
            conversation = Conversation(link, self._session(sighting, link.capacity))
            verdict = await self._talk(link, conversation)
        except StrangeLockError:
            self.doubtful = True
        except (LinkLostError, TimeoutError):
            return None
        finally:
            if verdict is None:
                await self._hang_up(link)
        return verdict

    async def _connect(self, link: Link, sighting: Sighting, seconds: float) -> None:
        """Connect; given up early when the lock is meanwhile heard at another address."""
        connecting = asyncio.create_task(link.connect(sighting.device, seconds))
        try:
            while not (await asyncio.wait({connecting}, timeout=MOVED_SECONDS))[0]:
                if self._around.scanner.moved(self._errand.lock.binding, sighting):
                    raise LinkLostError("it is heard at another address")
        finally:
            if not connecting.done():
                connecting.cancel()
                await asyncio.wait({connecting})
        connecting.result()

    async def _hang_up(self, link: Link) -> None:
        await link.close()
        self._around.scanner.forget(self._errand.lock.binding)

    def _session(self, sighting: Sighting, capacity: int) -> PhoneSession:
        errand = self._errand
        return PhoneSession(
            door=Door(errand.lock.binding, errand.lock.static_public, sighting.adv_key),
            static_private=errand.private_key,
            request=messages.Request(errand.command, errand.request_id, errand.tokens[0].token),
            capacity=capacity,
            random=self._around.random,
            news=errand.lock.bulletin,
            carry_bytes=self._around.courier.room,
        )

    async def _talk(self, link: Link, conversation: Conversation) -> Verdict | None:
        await link.subscribe()
        try:
            decision = await self._decision(conversation)
        finally:
            self._remember(conversation)
        if decision.flags & DecisionFlag.TIME_UNCERTAIN or decision.reason == Reason.TIME_UNCERTAIN:
            self._statement = asyncio.create_task(self._fetch_time(conversation))
        if not decision.granted:
            return await self._refused(decision, link, conversation)
        self.granted = True
        operation = self._errand.operation
        opening = operation is Operation.OPEN
        self._around.report(OpeningState.GRANTED_UNLOCKING if opening else OpeningState.GRANTED_LOCKING)
        outcome = await conversation.wait_for(Outcome, OUTCOME_SECONDS)
        self._open_end = (link, conversation)
        return of_outcome(operation, outcome.code)

    def _remember(self, conversation: Conversation) -> None:
        """Keep what is known now, in case nothing more is ever heard."""
        self.doubtful |= conversation.alerted
        if not conversation.asked:
            return
        self.asked, self.refusal = True, None
        heard = conversation.session.decision
        if heard is None or conversation.session.state is PhoneState.CURING:
            self._unheard = True
        elif not heard.granted:
            self.refusal = self._told(heard.reason)

    def _told(self, code: int) -> Verdict:
        """A refusal as the person is told it: not as the truth when an answer unheard may have been yes."""
        return NO_ANSWER if self._unheard and code in _MAY_HAVE_COME_SINCE else of_refusal(code)

    async def _decision(self, conversation: Conversation) -> Decision:
        """The lock's last word on the request: the second one, when a bulletin may cure the first."""
        decision = await conversation.wait_for(Decision, DECISION_SECONDS)
        while conversation.session.state is PhoneState.CURING:
            said = await conversation.next(DECISION_SECONDS)
            decision = said if isinstance(said, Decision) else decision
        return decision

    async def _refused(self, decision: Decision, link: Link, conversation: Conversation) -> Verdict | None:
        """Ask again (None) where that can help; else the refusal is the truth."""
        if await self._may_help(decision.reason, conversation):
            return None
        self._open_end = (link, conversation)
        # What was granted on an earlier link has happened, whatever the lock says to the repeated request.
        return gave_up(self) if self.granted else self._told(decision.reason)

    async def _may_help(self, code: int, conversation: Conversation) -> bool:
        if code == Reason.BUSY:
            self._busy += 1
            if self._busy < MAX_BUSY:
                await asyncio.sleep(BUSY_PAUSE)
            return self._busy < MAX_BUSY
        if code == Reason.TIME_UNCERTAIN and not self._time_asked:
            self._time_asked = True
            return await self._time_taken(conversation)
        if code == Reason.NOT_YET_VALID and await self._news_taken(conversation):
            return True
        if code in CURABLE_BY_BULLETIN and not self._renewed:
            self._renewed = True
            newer = await self._around.renew(self._errand)
            if newer is not None:
                self._errand = newer
                return True
        others = self._errand.tokens[1:]
        if not others or code in _FINAL_FOR_ANY_TOKEN:
            return False
        self._errand = replace(self._errand, tokens=others)
        return True

    async def _time_taken(self, conversation: Conversation) -> bool:
        """Wait for fresh time from the server, if it can be had, and for the lock to take it."""
        if self._statement is None or not await self._statement:
            return False
        try:
            result = await conversation.wait_for(TimeResult, CARRY_SECONDS)
        except (TimeoutError, LinkLostError):
            return False
        return result.reason == Reason.GRANTED

    async def _news_taken(self, conversation: Conversation) -> bool:
        """Wait for what becomes of a bulletin handed over: its time may move a clock that lags behind."""
        if conversation.session.state is not PhoneState.HANDING_OVER:
            return False
        try:
            result = await conversation.wait_for(BulletinResult, REST_SECONDS)
        except (TimeoutError, LinkLostError):
            return False
        return result.reason == Reason.GRANTED

    async def _fetch_time(self, conversation: Conversation) -> bool:
        """Ask the server for its time for this session; True when there is something to hand over."""
        digest = conversation.session.m0_hash
        if digest is None:
            return False
        statement = await self._around.courier.fresh_time(self._errand.lock.binding, digest)
        if statement is not None:
            conversation.hand_over_time(statement)
        return statement is not None

    async def _ride_along(self, conversation: Conversation, seconds: float) -> None:
        while not conversation.over:
            said = await conversation.next(seconds)
            if isinstance(said, LogBatch):
                await self._around.courier.keep(said.sealed)
            elif isinstance(said, BulletinResult) and not self.granted:
                return

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
from dataclasses import dataclass

from mobile.engine.conversation import Conversation, StrangeLockError
from mobile.engine.courier import Courier
from mobile.engine.cures import REST_SECONDS, Cures
from mobile.engine.errand import Errand
from mobile.engine.errors import HardwareKeyError
from mobile.engine.link import Link
from mobile.engine.radio import LinkLostError, Radio, RadioOffError
from mobile.engine.scanner import Scanner, Sighting
from mobile.engine.state import OpeningState, Operation
from mobile.engine.traffic import Traffic
from mobile.engine.verdicts import (
    NO_ANSWER,
    Verdict,
    bluetooth_verdict,
    gave_up,
    no_key,
    of_outcome,
    of_refusal,
)
from protocol import messages, suites
from protocol.messages import BulletinResult, Decision, LogBatch, Outcome
from protocol.phone import Door, PhoneSession, PhoneState
from protocol.reasons import Reason

PATIENCE = 20.0
CONNECT_SECONDS = 8.0
LAST_TRY_SECONDS = 3.0
"""At least so long for a lock that was heard in time, if only just."""
MOVED_SECONDS = 0.5
"""How often a connection that does not come about is held against what is heard meanwhile."""
MISS_PACE = 0.75
"""Connections that come to nothing are begun so many seconds apart: some stacks fail at once, and always."""
DECISION_SECONDS = 3.0
"""From subscribing to m2, which takes a third of a second on a middling link. A lost frame would be mended by
the lock's next m0, after 5 s; a new link is sooner."""
CURE_SECONDS = 5.0
"""For a bulletin of 8 kB to cross a poor link, and to be judged by."""
OUTCOME_SECONDS = 8.0
"""From m2 to m3: the motor's travel with all its tries. May run past PATIENCE, for the lock is acting."""
CARRY_SECONDS = 5.0
MAX_LINKS = 8
"""Links that stood; how often none came about is bounded by PATIENCE alone."""
_MAY_HAVE_COME_SINCE = frozenset({Reason.EXPIRED, Reason.REVOKED, Reason.PROVIDER_ENDED, Reason.KEY_UNKNOWN})
"""What a lock may say to a request that it granted a moment ago, when its answer was lost."""


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
        self._cures = Cures(around.courier, around.renew)
        self._unheard = self._reached = False
        self._links = 0
        self._open_end: tuple[Link, Conversation] | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._goodbyes: set[asyncio.Task[None]] = set()

    async def run(self) -> Verdict:
        """Work until the truth is known or patience is out. Never raises but when cancelled."""
        loop = asyncio.get_running_loop()
        until, newer_than = loop.time() + PATIENCE, float("-inf")
        while self._links < MAX_LINKS and loop.time() < until:
            begun = loop.time()
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
            except HardwareKeyError as error:
                return gave_up(self) if self.asked else no_key(error)
            if verdict is not None:
                return verdict
            newer_than = await self._before_the_next(begun, newer_than)
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
        self._cures.close()
        open_end, self._open_end = self._open_end, None
        if open_end is not None:
            self._hang_up(open_end[0])
        await asyncio.gather(*self._goodbyes)

    async def _before_the_next(self, begun: float, newer_than: float) -> float:
        """From when on a lock must have been heard to be tried next; waits a little after a quick miss."""
        now = asyncio.get_running_loop().time()
        if self._reached:
            return now  # it changes its address after every connection
        # It never heard us, so its address still holds, and this try tells little about the next.
        await asyncio.sleep(max(0.0, begun + MISS_PACE - now))
        return newer_than

    # -- one link -------------------------------------------------------------------------------------------

    async def _one_link(self, sighting: Sighting, until: float) -> Verdict | None:
        """One try over one link; None means ask again. Raises RadioOffError."""
        self._reached = False
        self.traffic = Traffic()
        link = Link(self._around.radio, self.traffic, suites.of_key(self._errand.key.holder.key_type))
        verdict: Verdict | None = None
        try:
            remaining = until - asyncio.get_running_loop().time()
            await self._connect(link, sighting, max(LAST_TRY_SECONDS, min(CONNECT_SECONDS, remaining)))
            self.connected = self._reached = True
            self._links += 1
            conversation = Conversation(link, self._session(sighting, link.capacity))
            verdict = await self._talk(link, conversation)
        except StrangeLockError:
            self.doubtful = True
        except (LinkLostError, TimeoutError):
            return None
        finally:
            if verdict is None:
                self._hang_up(link)
        return verdict

    async def _connect(self, link: Link, sighting: Sighting, seconds: float) -> None:
        """Connect; given up early when the lock is meanwhile heard at another address."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        connecting = self._connecting = asyncio.create_task(link.connect(sighting.device, seconds))
        while not (await asyncio.wait({connecting}, timeout=min(MOVED_SECONDS, seconds)))[0]:
            if self._around.scanner.moved(self._errand.lock.binding, sighting):
                raise LinkLostError("it is heard at another address")
            if loop.time() >= until:
                raise LinkLostError("no answer")  # giving up may take the stack seconds: nobody waits for it
        connecting.result()

    def _hang_up(self, link: Link) -> None:
        """Nobody waits for a goodbye: over a dead link it takes seconds that the next one needs."""
        if self._reached:
            self._around.scanner.forget(self._errand.lock.binding)
        goodbye = asyncio.create_task(_goodbye(link, self._connecting))
        self._goodbyes.add(goodbye)
        goodbye.add_done_callback(self._goodbyes.discard)

    def _session(self, sighting: Sighting, capacity: int) -> PhoneSession:
        errand = self._errand
        return PhoneSession(
            door=Door(errand.lock.binding, errand.lock.static_public, sighting.adv_key),
            key=errand.key,
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
        self._cures.prepare(self._errand, decision, conversation)
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
            said = await conversation.next(CURE_SECONDS)
            decision = said if isinstance(said, Decision) else decision
        return decision

    async def _refused(self, decision: Decision, link: Link, conversation: Conversation) -> Verdict | None:
        """Ask again (None) where that can help; else the refusal is the truth."""
        newer = await self._cures.of(self._errand, decision.reason, conversation)
        if newer is not None:
            self._errand = newer
            return None
        self._open_end = (link, conversation)
        # What was granted on an earlier link has happened, whatever the lock says to the repeated request.
        return gave_up(self) if self.granted else self._told(decision.reason)

    async def _ride_along(self, conversation: Conversation, seconds: float) -> None:
        while not conversation.over:
            said = await conversation.next(seconds)
            if isinstance(said, LogBatch):
                await self._around.courier.keep(said.sealed)
            elif isinstance(said, BulletinResult) and not self.granted:
                return


async def _goodbye(link: Link, connecting: asyncio.Task[None] | None) -> None:
    """End a link, whether it stands, is dead, or is still being made."""
    if connecting is not None:
        connecting.cancel()
        await asyncio.wait({connecting})
    await link.close()

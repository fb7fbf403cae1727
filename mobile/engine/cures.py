"""What may turn a lock's "no" into a "yes" within the same tap, each tried once and none without need.

The person notices none of it. A cure gives the errand to ask anew with, under the same request id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from mobile.engine.conversation import Conversation
from mobile.engine.courier import Courier
from mobile.engine.errand import Errand
from mobile.engine.radio import LinkLostError
from protocol.messages import BulletinResult, Decision, DecisionFlag, TimeResult
from protocol.phone import PhoneState
from protocol.reasons import CURABLE_BY_BULLETIN, Reason

ANSWER_SECONDS = 5.0
"""For the lock's answer to fresh time."""
REST_SECONDS = 2.0
"""For the answer to a bulletin handed over with a refused request."""
BUSY_PAUSE = 1.5
MAX_BUSY = 4
_FINAL_FOR_ANY_TOKEN = frozenset({Reason.BUSY, Reason.LOCK_FAULT, Reason.TIME_UNCERTAIN})


class Cures:
    """Those of one tap."""

    def __init__(self, courier: Courier, renew: Callable[[Errand], Awaitable[Errand | None]]) -> None:
        self._courier, self._renew = courier, renew
        self._time_asked = self._renewed = self._overtaken = False
        self._busy = 0
        self._statement: asyncio.Task[bool] | None = None

    def close(self) -> None:
        """Ask for nothing any more."""
        if self._statement is not None:
            self._statement.cancel()

    def prepare(self, errand: Errand, decision: Decision, conversation: Conversation) -> None:
        """Fetch the server's time for a lock that has lost its own, also when it granted."""
        if decision.flags & DecisionFlag.TIME_UNCERTAIN or decision.reason == Reason.TIME_UNCERTAIN:
            self._statement = asyncio.create_task(self._fetch_time(errand, conversation))

    async def of(self, errand: Errand, code: int, conversation: Conversation) -> Errand | None:
        """What to ask with again, or None where the refusal is the truth."""
        if code == Reason.BUSY:
            return await self._after_a_pause(errand)
        if code == Reason.TIME_UNCERTAIN and not self._time_asked:
            self._time_asked = True
            return errand if await self._time_taken(conversation) else None
        if code == Reason.NOT_YET_VALID and await self._news_taken(conversation):
            return errand
        if code in CURABLE_BY_BULLETIN:
            newer = await self._with_news(errand, conversation)
            if newer is not None:
                return newer
        others = errand.tokens[1:]
        if not others or code in _FINAL_FOR_ANY_TOKEN:
            return None
        return replace(errand, tokens=others)

    async def _after_a_pause(self, errand: Errand) -> Errand | None:
        self._busy += 1
        if self._busy >= MAX_BUSY:
            return None
        await asyncio.sleep(BUSY_PAUSE)
        return errand

    async def _with_news(self, errand: Errand, conversation: Conversation) -> Errand | None:
        result = conversation.bulletin_result
        if result is not None and result.reason == Reason.BULLETIN_OLD and not self._overtaken:
            # A colleague has brought the lock the same news since it judged: it will judge otherwise now.
            self._overtaken = True
            return errand
        if self._renewed:
            return None
        self._renewed = True
        return await self._renew(errand)

    async def _time_taken(self, conversation: Conversation) -> bool:
        """Wait for fresh time from the server, if it can be had, and for the lock to take it."""
        if self._statement is None or not await self._statement:
            return False
        try:
            result = await conversation.wait_for(TimeResult, ANSWER_SECONDS)
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

    async def _fetch_time(self, errand: Errand, conversation: Conversation) -> bool:
        """Ask the server for its time for this session; True when there is something to hand over."""
        digest = conversation.session.m0_hash
        if digest is None:
            return False
        statement = await self._courier.fresh_time(errand.lock.binding, digest)
        if statement is not None:
            conversation.hand_over_time(statement)
        return statement is not None

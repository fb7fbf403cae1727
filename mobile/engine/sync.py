"""One sync: hand in logs, fetch what changed, verify it, and store it whole or not at all.

A look is the same with a question first: has anything changed? Most of the time nothing has, and then neither
the cursor goes up nor an answer comes down.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

import httpx

from mobile.engine import answers
from mobile.engine.board import Board
from mobile.engine.clock import Clock
from mobile.engine.content import Content
from mobile.engine.courier import Courier
from mobile.engine.errors import EngineError, LockedError, ServerError, SignInError
from mobile.engine.http import APP_VERSION, Answer, Http
from mobile.engine.keyring import Keyring
from mobile.engine.merge import Merged, merge, onto
from mobile.engine.outcome import SyncResult
from mobile.engine.state import LoginState

T = TypeVar("T")
Work = Callable[[], Awaitable[tuple[SyncResult, str]]]
"""A sync or a look: what it brought, and a slug when something about it was not in order."""

SESSION_GONE = frozenset({"session_missing", "second_factor_required", "bearer_unknown"})
"""The person must sign in anew; rights already fetched stay until they end."""
REVOKED = frozenset({"phone_revoked", "device_unknown", "bearer_revoked"})
"""After these the phone keeps no right: a revoked phone is of no use, with or without coverage."""
FRESHNESS_KEPT_S = 300
"""A look that finds nothing is written down this often: a restart may tell an age that much too high."""
CLOCK_KEPT_S = 30
_WORDS = {"session_missing": "session_expired", "device_unknown": "phone_revoked"}
"""The server's slugs that mean to a person what another slug says."""


class Syncer:
    """Syncs one at a time; who asks while one runs gets the same answer."""

    def __init__(
        self,
        *,
        http: Http,
        keyring: Keyring,
        board: Board,
        clock: Clock,
        courier: Courier,
        on_change: Callable[[], None],
    ) -> None:
        """``on_change`` is called after the content has changed."""
        self._http, self._keyring, self._board, self._clock = http, keyring, board, clock
        self._courier, self._on_change = courier, on_change
        self._running: asyncio.Task[SyncResult] | None = None
        self._written_at = 0

    async def sync(self) -> SyncResult:
        """Sync, or join the sync under way. Raises EngineErrors; what was held before still is."""
        return await self._join(self._sync)

    async def look(self) -> SyncResult:
        """Sync unless the server says that it would bring nothing; otherwise as `sync`."""
        return await self._join(self._look)

    async def heed(self) -> SyncResult:
        """Without a session: drop what has been taken back. The bar goes on asking for the sign-in."""
        return await self._join(self._heed)

    async def _join(self, work: Work) -> SyncResult:
        self._keyring.content  # noqa: B018 - LockedError before anything is begun
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._told(work))
        running = self._running
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if running.cancelled() and task is not None and not task.cancelling():
                raise LockedError from None  # the app was locked under it
            raise

    async def sync_anew(self) -> SyncResult:
        """Sync, but do not join one under way: it may have asked before there was news."""
        running = self._running
        if running is not None and not running.done():
            await asyncio.wait({running})
        return await self.sync()

    async def cancel(self) -> None:
        """Give up a sync under way."""
        task, self._running = self._running, None
        if task is not None and not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _told(self, work: Work) -> SyncResult:
        try:
            result, trouble = await work()
        except EngineError as error:
            self._tell(stale_reason=error.code)
            raise
        except BaseException:
            self._tell()
            raise
        self._tell(stale_reason=trouble)
        return result

    def _tell(self, **changes: str) -> None:
        """Also how wrong the phone's clock is: it may have been set since, with or without coverage."""
        self._board.show_sync(syncing=False, clock_off_seconds=self._clock.off_by, **changes)

    async def _look(self) -> tuple[SyncResult, str]:
        content = self._keyring.content
        if not content.session or content.cursor is None:
            return await self._sync()
        handed_in, trouble = await self._hand_in()
        if await self._heeding(self._is_news(content, content.cursor)):
            return await self._sync()
        return SyncResult(logs_handed_in=handed_in, visits=len(content.visits)), trouble

    async def _sync(self) -> tuple[SyncResult, str]:
        if not self._keyring.content.session:
            raise SignInError("session_expired")
        self._board.show_sync(syncing=True)
        handed_in, trouble = await self._hand_in()
        merged = await self._heeding(self._fetch())
        self._on_change()
        done = SyncResult(
            new_rights=merged.new_rights,
            removed_rights=merged.removed_rights,
            logs_handed_in=handed_in,
            visits=len(merged.content.visits),
        )
        return done, "server_error" if merged.spoilt else trouble

    async def _heed(self) -> tuple[SyncResult, str]:
        handed_in, _trouble = await self._hand_in()
        removed = await self._heeding(self._drop_revoked())
        return SyncResult(removed_rights=removed, logs_handed_in=handed_in), "session_expired"

    async def _drop_revoked(self) -> int:
        """Ask which of the rights held here were revoked, as the phone; returns how many had to go."""
        content = self._keyring.content
        try:
            answer = await self._ask_revoked(content, content.cursor)
        except ServerError as error:
            if error.code != "cursor_invalid" or content.cursor is None:
                raise
            answer = await self._ask_revoked(content, None)
        body = answers.Body(answer.body)
        self._clock.heard(body.number("server_time"))
        gone = {answers.blob(one, "removed right", 8) for one in body.items("removed_rights")}
        lost = gone & content.rights.keys()
        if lost:
            await self._keyring.change(lambda now: now.without_rights(lost))
            self._on_change()
        return len(lost)

    async def _ask_revoked(self, content: Content, cursor: str | None) -> Answer:
        return await self._http.call(
            "POST",
            f"{content.identity.server_url}/api/v1/sync/revoked",
            body={"bearer_id": content.identity.bearer_id, "cursor": cursor},
            device_token=content.identity.device_token,
        )

    async def _hand_in(self) -> tuple[int, str]:
        """Hand in what waits. A server that answers and yet takes no logs must not keep rights away."""
        try:
            return await self._courier.hand_in(), ""
        except ServerError as error:
            if error.code == "server_unreachable":
                raise
            return 0, _WORDS.get(error.code, error.code)

    async def _heeding(self, asked: Awaitable[T]) -> T:
        """Wait for the server's answer, and do what a no of its means."""
        try:
            return await asked
        except ServerError as error:
            code = await self._consequences(error.code)
            raise ServerError(_WORDS.get(code, code)) from error

    async def _is_news(self, content: Content, cursor: str) -> bool:
        identity = content.identity
        answer = await self._http.call(
            "POST",
            f"{identity.server_url}/api/v1/sync/look",
            body={"mark": answers.mark_of(cursor), "app_version": APP_VERSION},
            device_token=identity.device_token,
            session=content.session,
            expect=(200, 404),
        )
        if answer.status == httpx.codes.NOT_FOUND:
            return True  # a server that cannot be asked yet
        body = answers.Body(answer.body)
        server_time, news = body.number("server_time"), body.flag("news")
        offset = self._clock.heard(server_time)
        if not news:
            await self._still_fresh(content, server_time, offset)
        return news

    async def _still_fresh(self, content: Content, server_time: int, offset: int) -> None:
        """What is held is as new as it can be: note when, and write that down now and then."""

        def fresh(now: Content) -> Content:
            same = now.session == content.session and now.cursor == content.cursor
            return replace(now, synced_at=server_time, clock_offset=offset) if same else now

        moved = abs(offset - content.clock_offset) > CLOCK_KEPT_S
        durable = moved or not 0 <= server_time - self._written_at <= FRESHNESS_KEPT_S
        await (self._keyring.change(fresh) if durable else self._keyring.note(fresh))
        self._written_at = server_time if durable else self._written_at
        self._on_change()

    async def _fetch(self) -> Merged:
        content = self._keyring.content
        try:
            answer = await self._ask(content)
        except ServerError as error:
            if error.code != "cursor_invalid" or content.cursor is None:
                raise
            content = replace(content, cursor=None)
            answer = await self._ask(content)
        brought = answers.sync_answer(answer.body)
        offset = self._clock.heard(brought.server_time)
        merged = await asyncio.to_thread(merge, content, brought, clock_offset=offset)
        await self._keyring.change(lambda now: onto(now, merged.content))
        self._written_at = brought.server_time
        return merged

    async def _ask(self, content: Content) -> Answer:
        return await self._http.call(
            "POST",
            f"{content.identity.server_url}/api/v1/sync",
            body={"cursor": content.cursor, "app_version": APP_VERSION},
            device_token=content.identity.device_token,
            session=content.session,
        )

    async def _consequences(self, code: str) -> str:
        """What the server's no means for what the phone holds; returns the reason to tell."""
        if code in SESSION_GONE:
            await self._keyring.change(lambda now: replace(now, session=""))
            self._board.show(login=LoginState.SIGNED_OUT)
            return await self._revoked_meanwhile() or code
        if code in REVOKED:
            await self._keyring.change(lambda now: now.without_work())
            self._board.show(login=LoginState.SIGNED_OUT)
            self._on_change()
        return code

    async def _revoked_meanwhile(self) -> str:
        """A session also ends because its person was revoked: no right may stay for lack of a session."""
        if not self._keyring.content.rights:
            return ""
        try:
            await self._drop_revoked()
        except ServerError as error:
            return await self._consequences(error.code) if error.code in REVOKED else ""
        return ""

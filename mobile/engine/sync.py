"""One sync: hand in logs, fetch what changed, verify it, and store it whole or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from mobile.engine import answers
from mobile.engine.board import Board
from mobile.engine.clock import Clock
from mobile.engine.content import Content
from mobile.engine.courier import Courier
from mobile.engine.errors import EngineError, LockedError, ServerError, SignInError
from mobile.engine.http import APP_VERSION, Answer, Http
from mobile.engine.keyring import Keyring
from mobile.engine.merge import Merged, merge, onto
from mobile.engine.state import LoginState, SyncResult

SESSION_GONE = frozenset({"session_missing", "second_factor_required", "bearer_unknown"})
"""The person must sign in anew; rights already fetched stay until they end."""
REVOKED = frozenset({"phone_revoked", "device_unknown", "bearer_revoked"})
"""After these the phone keeps no right: a revoked phone is of no use, with or without coverage."""
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

    async def sync(self) -> SyncResult:
        """Sync, or join the sync under way. Raises EngineErrors; what was held before still is."""
        self._keyring.content  # noqa: B018 - LockedError before anything is begun
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._told())
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

    async def _told(self) -> SyncResult:
        self._board.show_sync(syncing=True)
        try:
            result, spoilt = await self._sync()
        except EngineError as error:
            self._board.show_sync(syncing=False, stale_reason=error.code)
            raise
        except BaseException:
            self._board.show_sync(syncing=False)
            raise
        self._board.show_sync(syncing=False, stale_reason="server_error" if spoilt else "")
        return result

    async def _sync(self) -> tuple[SyncResult, bool]:
        if not self._keyring.content.session:
            raise SignInError("session_expired")
        handed_in = await self._courier.hand_in()
        try:
            merged = await self._fetch()
        except ServerError as error:
            await self._consequences(error.code)
            raise ServerError(_WORDS.get(error.code, error.code)) from error
        self._on_change()
        done = SyncResult(
            new_rights=merged.new_rights,
            removed_rights=merged.removed_rights,
            logs_handed_in=handed_in,
            visits=len(merged.content.visits),
        )
        return done, bool(merged.spoilt)

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
        return merged

    async def _ask(self, content: Content) -> Answer:
        return await self._http.call(
            "POST",
            f"{content.identity.server_url}/api/v1/sync",
            body={"cursor": content.cursor, "app_version": APP_VERSION},
            device_token=content.identity.device_token,
            session=content.session,
        )

    async def _consequences(self, code: str) -> None:
        """What the server's no means for what the phone holds."""
        if code in SESSION_GONE:
            await self._keyring.change(lambda now: replace(now, session=""))
            self._board.show(login=LoginState.SIGNED_OUT)
        elif code in REVOKED:
            await self._keyring.change(lambda now: now.without_work())
            self._board.show(login=LoginState.SIGNED_OUT)
            self._on_change()

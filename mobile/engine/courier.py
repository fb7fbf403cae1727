"""Carrying for others: sealed logs from locks to the server, fresh time from the server to a lock.

A batch is durable on this phone before anything that follows it in the session is believed. It can be
neither read nor changed here; the server finds out what is missing, and a lock deletes only what the server
has receipted, so a phone that loses a batch loses nothing for good.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from mobile.engine import answers
from mobile.engine.errors import EngineError, LockedError, ServerError
from mobile.engine.http import Http
from mobile.engine.keyring import Keyring
from mobile.engine.storage.outbox import MAX_TOTAL_BYTES, Outbox, Waiting
from protocol import gatt

BATCHES_A_CALL = 16
FRESH_TIME_SECONDS = 4.0
"""A statement that takes longer finds its session gone."""
_TAKEN = frozenset({"stored", "known", "held", "rejected"})
"""`held`: the server keeps it and waits for what comes before. `rejected`: it will never take it, and the
lock still has the entries. Either way the phone's part is done."""


class Courier:
    """The outbox and the two calls that need no signed-in person."""

    def __init__(
        self, *, outbox: Outbox, http: Http, keyring: Keyring, on_waiting: Callable[[int], None]
    ) -> None:
        """``on_waiting`` is told how many batches wait whenever that may have changed."""
        self._outbox, self._http, self._keyring, self._on_waiting = outbox, http, keyring, on_waiting
        self._box = asyncio.Lock()
        self._handing_in = asyncio.Lock()

    @property
    def waiting(self) -> int:
        """How many batches wait for the server."""
        return self._outbox.waiting

    @property
    def room(self) -> int:
        """How many bytes of log this phone can take from one lock now."""
        left = MAX_TOTAL_BYTES - self._outbox.used_bytes
        return max(0, min(gatt.LOG_SESSION_BYTES, left - 1024))

    async def keep(self, sealed: bytes) -> bool:
        """Put one batch into the outbox; True when it is durably there."""
        try:
            async with self._box:
                kept = await asyncio.to_thread(self._outbox.put, sealed)
        except (EngineError, OSError):
            return False  # a full or broken disk: the lock keeps its log, nothing is lost
        self._on_waiting(self.waiting)
        return kept

    async def hand_in(self) -> int:
        """Hand in everything that waits; returns how many batches the server took. Raises ServerError."""
        taken = 0
        async with self._handing_in:
            while batches := await self._oldest():
                results = await self._upload([one.sealed for one in batches])
                done = [one for one, status in zip(batches, results, strict=True) if status in _TAKEN]
                await self._forget(done)
                taken += len(done)
                if len(done) < len(batches):
                    break
        return taken

    async def fresh_time(self, binding: bytes, m0_hash: bytes) -> bytes | None:
        """Ask the server for its time signed over one session's m0; None when there is no coverage."""
        identity = self._keyring.content.identity
        try:
            async with asyncio.timeout(FRESH_TIME_SECONDS):
                answer = await self._http.call(
                    "POST",
                    f"{identity.server_url}/api/v1/fresh-time",
                    body={"binding": answers.text_of(binding), "m0_hash": answers.text_of(m0_hash)},
                    device_token=identity.device_token,
                )
            return answers.Body(answer.body).blob("statement")
        except (ServerError, TimeoutError, LockedError):
            return None

    async def _oldest(self) -> list[Waiting]:
        async with self._box:
            return await asyncio.to_thread(self._outbox.oldest, BATCHES_A_CALL)

    async def _forget(self, batches: list[Waiting]) -> None:
        async with self._box:
            for batch in batches:
                await asyncio.to_thread(self._outbox.done, batch.name)
        self._on_waiting(self.waiting)

    async def _upload(self, batches: list[bytes]) -> list[str]:
        identity = self._keyring.content.identity
        answer = await self._http.call(
            "POST",
            f"{identity.server_url}/api/v1/logs",
            body={"batches": [answers.text_of(one) for one in batches]},
            device_token=identity.device_token,
        )
        statuses = [one.text("status") for one in answers.Body(answer.body).objects("results")]
        if len(statuses) != len(batches):
            raise ServerError("server_error", why="results do not match batches")
        return statuses

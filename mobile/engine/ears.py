"""Hearing at once that there is news: a websocket on which the server says "sync", and nothing else.

What is heard has no content that is believed: it only makes the ordinary sync happen now instead of at the
next round, at most once a second. So it does not matter who says it, nor how often, nor that it is sometimes
missed. It needs an open vault, where the device token is, and a signed-in person, for a sync is refused
without, or rights that can be taken back.
"""

from __future__ import annotations

import asyncio
import json
import random
import ssl
from collections.abc import Awaitable, Callable

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from mobile.engine import faults
from mobile.engine.content import Identity
from mobile.engine.http import APP_VERSION
from mobile.engine.keyring import Keyring

PATH = "/ws/phone/"
MOST_BYTES = 256
GAP_S = 1.0
"""Between two syncs that were asked for, however often the server asks."""
FIRST_WAIT_S, LONGEST_WAIT_S = 2.0, 60.0
STEADY_S = 30.0
"""A connection that lasted this long was a good one: the next try may come soon."""
PING_S = 45.0
"""How often a silent connection is tried; the radio of a phone must not be woken more often than it must."""
TIMEOUT_S = 10.0
TURNED_AWAY = frozenset({4401, 4403})
"""Close codes: the phone is unknown or revoked. The sync that follows learns it in words."""


class _Straight(connect):
    """A redirect would take the device token to another address."""

    def process_redirect(self, exc: Exception) -> Exception:
        return exc


class Ears:
    """Listens while there is somebody to sync for. `on_news` syncs, and raises nothing."""

    def __init__(self, *, keyring: Keyring, on_news: Callable[[], Awaitable[None]]) -> None:
        self._keyring, self._on_news = keyring, on_news
        self._task: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self._tls: ssl.SSLContext | None = None
        self.connected = False
        """Whether the server would be heard now; a silent connection is tried every `PING_S`."""

    def listen(self) -> None:
        """Begin to listen, unless it is done already or there is nobody to sync for."""
        if self._wanted and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._run(self._keyring.content.identity))

    async def stop(self) -> None:
        """Hang up."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    @property
    def _wanted(self) -> bool:
        if not self._keyring.is_open:
            return False
        return bool(self._keyring.content.session or self._keyring.content.rights)

    async def _run(self, identity: Identity) -> None:
        self._news.clear()
        heeding = asyncio.create_task(self._heed())
        try:
            await self._stay_connected(identity)
        finally:
            heeding.cancel()
            await asyncio.gather(heeding, return_exceptions=True)

    async def _stay_connected(self, identity: Identity) -> None:
        wait, loop = FIRST_WAIT_S, asyncio.get_running_loop()
        while self._wanted:
            began = loop.time()
            code = await self._carefully(identity)
            if code in TURNED_AWAY:
                self._news.set()
                wait = LONGEST_WAIT_S
            elif loop.time() - began > STEADY_S:
                wait = FIRST_WAIT_S
            # Spread out: after a restart of the server every phone is here at once.
            await asyncio.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311  spreading, no secret
            wait = min(wait * 2, LONGEST_WAIT_S)

    async def _carefully(self, identity: Identity) -> int | None:
        """Listen until the connection is gone; returns the code it was closed with, if it was."""
        try:
            await self._connection(identity)
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd is not None else None
        except (WebSocketException, OSError, TimeoutError) as error:
            faults.log.info("not listening now: %s", type(error).__name__)
        except Exception as error:
            faults.note("listening for news", error)
        return None

    async def _connection(self, identity: Identity) -> None:
        address = "ws" + identity.server_url.removeprefix("http") + PATH
        async with _Straight(
            address,
            additional_headers={"Authorization": f"Device {identity.device_token}"},
            user_agent_header=f"Nyckelfri/{APP_VERSION}",
            ssl=self._tls_for(address),
            compression=None,
            proxy=None,
            open_timeout=TIMEOUT_S,
            close_timeout=1.0,
            ping_interval=PING_S,
            ping_timeout=TIMEOUT_S,
            max_size=MOST_BYTES,
        ) as connection:
            # Whatever was said while nobody listened.
            self._news.set()
            self.connected = True
            try:
                await self._hear(connection)
            finally:
                self.connected = False

    def _tls_for(self, address: str) -> ssl.SSLContext | None:
        """The same trust in names as for every other call."""
        if not address.startswith("wss:"):
            return None
        if self._tls is None:
            self._tls = httpx.create_ssl_context(trust_env=False)
        return self._tls

    async def _hear(self, connection: ClientConnection) -> None:
        while True:
            if _is_news(await connection.recv()):
                self._news.set()

    async def _heed(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            await self._on_news()
            await asyncio.sleep(GAP_S)


def _is_news(message: str | bytes) -> bool:
    """Return whether a message is the one that is known; others are of a later server, or nonsense."""
    try:
        said = json.loads(message)
    except (ValueError, RecursionError):
        return False
    return isinstance(said, dict) and said.get("type") == "sync"

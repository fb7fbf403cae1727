"""The phone's way to the server, every byte of it, so that coverage can end as it does in a cellar."""

from __future__ import annotations

import asyncio
from contextlib import suppress

CHUNK = 65_536


class Mast:
    """Listens on a port of its own and carries connections to the server's."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._listener: asyncio.Server | None = None
        self._carrying: set[asyncio.Task[None]] = set()
        self._coverage, self._silent = True, False
        self.port = 0
        self.refused = 0
        """Connections that were tried where there was no coverage."""

    @property
    def url(self) -> str:
        """Where the phone believes the server to be."""
        return f"http://localhost:{self.port}"

    async def open(self) -> None:
        """Begin to carry."""
        self._listener = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """End everything."""
        self.lose()
        await asyncio.gather(*self._carrying, return_exceptions=True)
        if self._listener is not None:
            self._listener.close()

    def lose(self, *, silently: bool = False) -> None:
        """No more coverage: what is under way breaks off. `silently`: what is new gets no answer."""
        self._coverage, self._silent = False, silently
        for task in self._carrying:
            task.cancel()

    def regain(self) -> None:
        """Coverage again; who waits in silence finds the line dead."""
        for task in self._carrying:
            task.cancel()
        self._coverage, self._silent = True, False

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._carry(reader, writer))
        self._carrying.add(task)
        with suppress(asyncio.CancelledError, OSError):
            await task
        self._carrying.discard(task)
        writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._coverage:
            self.refused += 1
            if self._silent:
                await asyncio.Event().wait()
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._server_port)
        try:
            ways = [_pump(reader, far_writer), _pump(far_reader, writer)]
            await asyncio.gather(*ways)
        finally:
            far_writer.transport.abort()


async def _pump(source: asyncio.StreamReader, goal: asyncio.StreamWriter) -> None:
    while data := await source.read(CHUNK):
        goal.write(data)
        await goal.drain()
    if goal.can_write_eof():
        goal.write_eof()

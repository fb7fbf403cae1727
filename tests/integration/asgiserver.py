"""The server as it is run, HTTP and websockets on one port, in a thread beside the test, on its database."""

from __future__ import annotations

import socket
import threading
from typing import Any

import uvicorn

START_S = 20.0


class AsgiServer:
    """`url` names localhost; `stop` waits until the thread is gone."""

    def __init__(self) -> None:
        self._started = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://localhost:{self._listener.getsockname()[1]}"
        config = uvicorn.Config(
            "server.config.asgi:application",
            lifespan="off",
            log_config=None,
            access_log=False,
            ws="websockets-sansio",
            timeout_graceful_shutdown=2,
        )
        self._server = _Announcing(config, self._started)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._listener]}, daemon=True
        )

    def start(self) -> None:
        """Return once it answers."""
        self._thread.start()
        assert self._started.wait(START_S), "the server did not start"

    def stop(self) -> None:
        """Finish what is under way and end."""
        self._server.should_exit = True
        self._thread.join(START_S)
        assert not self._thread.is_alive(), "the server did not stop"


class _Announcing(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, started: threading.Event) -> None:
        super().__init__(config)
        self._told = started

    def install_signal_handlers(self) -> None:
        """Signals are for the main thread."""

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self._told.set()

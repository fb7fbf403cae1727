"""The engine's own thread with its own asyncio loop, and the one bridge into it.

Kivy starves a loop it shares (a 1 ms Bluetooth operation took 60–110 ms) and stops it while Android has
the app paused. So the loop lives here, and the UI thread only submits coroutines and reads snapshots.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
NAME = "nyckelfri-engine"


class Runs(Protocol):
    """A thread as far as the engine needs one."""

    def start(self) -> None:
        """Begin."""
        ...

    def is_alive(self) -> bool:
        """True from the start until the work has ended."""
        ...

    def join(self, timeout: float) -> None:
        """Wait for the end, at most so many seconds."""
        ...


def python_thread(work: Callable[[], None]) -> Runs:
    """A thread of Python's own: right everywhere but on Android (`mobile.android.thread`)."""
    return threading.Thread(target=work, name=NAME, daemon=True)


class EngineThread:
    """Runs coroutines of the engine on a loop in a daemon thread. Start once, stop once."""

    def __init__(self, make: Callable[[Callable[[], None]], Runs] = python_thread) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = make(self._run)

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The engine's loop; touch it only through `call_soon_threadsafe` or `submit`."""
        return self._loop

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def submit(self, verb: Coroutine[Any, Any, T]) -> Future[T]:
        """Run one coroutine on the engine's loop; the future is safe to wait for or to hang a callback on."""
        return asyncio.run_coroutine_threadsafe(verb, self._loop)

    def stop(self, timeout: float = 5.0) -> None:
        """Cancel what still runs and end the thread; waits at most `timeout` seconds."""
        if not self._thread.is_alive():
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            pending = asyncio.all_tasks(self._loop)
            for task in pending:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()

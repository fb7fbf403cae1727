"""An asyncio event loop whose time jumps to the next timer instead of waiting for it.

Hours of simulated radio pass in seconds and every run takes the same course. Work outside the loop is still
served: while a ``run_in_executor`` job is under way virtual time stands still (so such a job must not itself
wait for a timer of the loop), and callbacks from other threads are taken as they come. Other threads and
sockets live in real time: virtual time does not wait for them unless ``patience`` is given.
"""

from __future__ import annotations

import asyncio
import functools
import math
import selectors
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Executor
from contextvars import Context
from typing import Any, ParamSpec, TypeVar, TypeVarTuple

T = TypeVar("T")
P = ParamSpec("P")
Ts = TypeVarTuple("Ts")

#: Timers are due at multiples of 1/GRID s, some 4 ns. Sums of such times are exact, so a timer never fires a
#: rounding error early. Real time passes by itself then; in virtual time a program that waits for what is
#: left of its delay could wait for ever.
GRID = 2.0**28


class StalledError(RuntimeError):
    """The program waits for something that nothing is going to bring about."""


class _JumpingSelector(selectors.BaseSelector):
    """Polls where a selector would wait, and moves the clock instead."""

    def __init__(self, loop: VirtualTimeLoop) -> None:
        self._loop = loop
        self._real = selectors.DefaultSelector()

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout <= 0:
            return self._real.select(0)
        if timeout is None or self._loop.jobs:
            # Nothing is planned, or a job will report back: only the outside can wake us.
            ready = self._real.select(self._loop.stall)
            if not ready:
                raise StalledError(f"nothing planned and nobody called for {self._loop.stall} s")
            return ready
        ready = self._real.select(self._loop.patience)
        if not ready:
            self._loop.advance(timeout)
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """The loop. ``time()`` starts at 0.0 and moves only by jumps.

    ``patience``: real seconds to wait for sockets and foreign threads before each jump. ``stall``: real
    seconds after which a loop that waits for nothing at all gives up with StalledError.
    """

    def __init__(self, patience: float = 0.0, stall: float = 60.0) -> None:
        self._now = 0.0
        self.patience = patience
        self.stall = stall
        #: ``run_in_executor`` jobs under way.
        self.jobs = 0
        super().__init__(_JumpingSelector(self))
        # One step of the grid: asyncio runs what is due before now plus this. After half a year its own
        # nanosecond is lost in the sum, and nothing would ever be due. Times are exact for 388 days.
        self._clock_resolution = 1 / GRID

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move the clock; the loop does it itself when it is idle."""
        self._now += seconds

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """As asyncio's, on the next multiple of the grid."""
        return super().call_at(math.ceil(when * GRID) / GRID, callback, *args, context=context)

    def run_in_executor(  # type: ignore[override]  # typeshed types the future with a TypeVarTuple
        self, executor: Executor | None, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """As asyncio's; virtual time stands still until it is done."""
        future = super().run_in_executor(executor, func, *args)
        self.jobs += 1
        future.add_done_callback(self._job_done)
        return future

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ASYNC109  as asyncio names it
        """As asyncio's, with no limit: threads live in real time, and a virtual limit is over at once."""
        await super().shutdown_default_executor()

    def _job_done(self, _future: asyncio.Future[Any]) -> None:
        self.jobs -= 1


class WallClock:
    """Unix time that follows a loop, from ``start`` on; calling it gives int seconds."""

    def __init__(self, start: int, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self._loop = loop or asyncio.get_running_loop()
        self._origin = start - self._loop.time()

    def __call__(self) -> int:
        """Unix time in whole seconds."""
        return int(self.precise())

    def precise(self) -> float:
        """Unix time with fractions of a second."""
        return self._origin + self._loop.time()


def run(main: Coroutine[Any, Any, T], *, patience: float = 0.0, stall: float = 60.0) -> T:
    """``asyncio.run`` under virtual time."""
    with asyncio.Runner(loop_factory=lambda: VirtualTimeLoop(patience, stall)) as runner:
        return runner.run(main)


def virtual_time(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Decorator: run an async test under virtual time. Its fixtures must be plain, not async."""

    @functools.wraps(test)
    def run_test(*args: P.args, **kwargs: P.kwargs) -> None:
        run(test(*args, **kwargs))

    return run_test

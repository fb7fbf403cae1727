"""From the phone's event loop to the ether's, and back.

A phone engine may live on a loop in its own thread while the simulated radio lives on another; both may
also be one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def run_on(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T]) -> T:
    """Run ``work`` on ``loop`` and wait for it; cancelling the waiter cancels the work."""
    if asyncio.get_running_loop() is loop:
        return await work
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, loop))


def call_on(loop: asyncio.AbstractEventLoop, function: Callable[..., object], *args: object) -> None:
    """Call ``function`` on ``loop`` soon, from whatever loop this is; nothing happens when it is closed."""
    if loop.is_closed():
        return
    if asyncio.get_running_loop() is loop:
        loop.call_soon(function, *args)
    else:
        loop.call_soon_threadsafe(function, *args)


def call_now_on(loop: asyncio.AbstractEventLoop, function: Callable[..., object], *args: object) -> None:
    """Call ``function`` at once when this is ``loop``'s own thread, soon otherwise."""
    try:
        here = asyncio.get_running_loop()
    except RuntimeError:
        here = None
    if here is loop:
        function(*args)
    else:
        loop.call_soon_threadsafe(function, *args)

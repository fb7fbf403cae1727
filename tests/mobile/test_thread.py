"""The engine's own thread: results, errors and the end of work that nobody waits for any more."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Iterator

import pytest

from mobile.engine.errors import EngineError
from mobile.engine.thread import EngineThread
from mobile.viewmodels.runner import ThreadRunner


@pytest.fixture
def thread() -> Iterator[EngineThread]:
    made = EngineThread()
    made.start()
    yield made
    made.stop()


async def _where() -> str:
    return threading.current_thread().name


async def _fail(error: Exception) -> None:
    raise error


def test_verbs_run_on_the_engines_own_thread(thread: EngineThread) -> None:
    assert thread.submit(_where()).result(5) == "nyckelfri-engine"


def test_callbacks_come_back_on_the_screens_thread(thread: EngineThread) -> None:
    posted: queue.Queue[Callable[[], None]] = queue.Queue()
    runner = ThreadRunner(thread, posted.put)
    heard: list[str] = []
    runner.run(_where(), heard.append, lambda error: heard.append(error.code))
    runner.run(_fail(EngineError("disk_full")), heard.append, lambda error: heard.append(error.code))
    runner.run(_fail(ZeroDivisionError()), heard.append, lambda error: heard.append(error.code))
    for _ in range(3):
        posted.get(timeout=5)()
    assert sorted(heard) == ["disk_full", "nyckelfri-engine", "unexpected"]


def test_stopping_cancels_what_still_runs_and_twice_is_harmless(thread: EngineThread) -> None:
    cancelled = threading.Event()

    async def forever() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            cancelled.set()

    thread.submit(forever())
    thread.submit(asyncio.sleep(0)).result(5)
    thread.stop()
    assert cancelled.is_set()
    thread.stop()

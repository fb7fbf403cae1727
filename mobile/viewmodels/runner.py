"""The way from the screens to the engine and back, whichever thread either of them lives on."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future
from typing import Any, Protocol, TypeVar

from mobile.engine.errors import EngineError
from mobile.engine.thread import EngineThread

log = logging.getLogger(__name__)

T = TypeVar("T")
Done = Callable[[T], None]
Failed = Callable[[EngineError], None]
Post = Callable[[Callable[[], None]], None]


class Runner(Protocol):
    """Runs the engine's verbs and calls back on the screens' thread."""

    def run(self, verb: Coroutine[Any, Any, T], done: Done[T], failed: Failed) -> None:
        """Start one verb; exactly one of the two callbacks follows, on the screens' thread."""
        ...

    def post(self, call: Callable[[], None]) -> None:
        """Call something on the screens' thread soon. Safe from any thread."""
        ...


class ThreadRunner:
    """The engine on its own thread; `post` is the toolkit's way onto the screens' thread."""

    def __init__(self, thread: EngineThread, post: Post) -> None:
        self._thread, self._post = thread, post

    def run(self, verb: Coroutine[Any, Any, T], done: Done[T], failed: Failed) -> None:
        """See `Runner`."""
        future = self._thread.submit(verb)
        future.add_done_callback(lambda finished: self._post(lambda: report(finished, done, failed)))

    def post(self, call: Callable[[], None]) -> None:
        """See `Runner`."""
        self._post(call)


def report(finished: Future[T], done: Done[T], failed: Failed) -> None:
    """Hand a finished verb to one of two callbacks; a fault nobody foresaw becomes 'unexpected'."""
    try:
        result = finished.result()
    except EngineError as error:
        failed(error)
    except CancelledError:
        failed(EngineError("unexpected"))
    except Exception as error:
        # The person gets plain words; the log gets type and place only, since messages may quote secrets.
        place = traceback.extract_tb(error.__traceback__)[-1]
        log.error("engine verb failed: %s in %s:%s", type(error).__name__, place.filename, place.lineno)
        failed(EngineError("unexpected"))
    else:
        done(result)

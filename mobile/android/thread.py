"""The engine's thread, made by Java.

Bleak makes objects that Java calls back (`…$Interface` in its own Java files), and pyjnius makes them with
the class loader of the thread it is on. On a thread of Python's that is the system's, which does not know the
app's classes: "not visible from class loader". A thread that Java made, and whose work Java calls, has the
app's.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from mobile.android import java
from mobile.engine.thread import NAME

log = logging.getLogger("nyckelfri.phone")


class Work(java.PythonJavaClass):
    """A `Runnable`."""

    __javainterfaces__ = ["java/lang/Runnable"]
    __javacontext__ = "app"

    def __init__(self, work: Callable[[], None]) -> None:
        super().__init__()
        self._work = work

    @java.java_method("()V")
    def run(self) -> None:
        """Called by Java on its new thread; an error must not travel into Java."""
        try:
            self._work()
        except Exception as error:
            log.error("the engine's thread ended: %s", type(error).__name__)


class JavaThread:
    """`mobile.engine.thread.Runs`."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = Work(work)  # kept: Java holds only a number that points here
        # All three arguments: with the work alone pyjnius takes the constructor that wants a name.
        self._thread = java.find("java.lang.Thread")(None, self._work, NAME)
        self._thread.setDaemon(True)

    def start(self) -> None:
        """See `Runs`."""
        self._thread.start()

    def is_alive(self) -> bool:
        """See `Runs`."""
        return bool(self._thread.isAlive())

    def join(self, timeout: float) -> None:
        """See `Runs`."""
        self._thread.join(round(timeout * 1000))

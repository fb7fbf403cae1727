"""Anna's phone in a window beside the story: the same app as on a desktop, on the story's own engine.

Kivy needs the main thread; radio, locks, engines and the story live on the engine's thread and loop.
"""

import logging
import os
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from mobile.engine.thread import EngineThread
from simulation.demo.story import Story

WIDTH, HEIGHT = 400, 820


def run_beside(
    set_up: Callable[[], Coroutine[Any, Any, Story]],
    tell: Callable[[Story], Coroutine[Any, Any, None]],
    *,
    close_when_told: bool,
) -> None:
    """Run ``tell`` beside the window; return when both have ended. Raises whatever the story raises."""
    thread = EngineThread()
    thread.start()
    story = thread.submit(set_up()).result()
    _settle_kivy(story.anna.folder / "kivy")
    from kivy.app import App  # noqa: PLC0415 - Kivy reads its environment when it is imported
    from kivy.clock import Clock  # noqa: PLC0415

    from mobile.run import make_session, show  # noqa: PLC0415

    session = make_session(story.anna.engine, thread, story.anna.folder)
    told: Future[None] = thread.submit(tell(story))

    def close(_told: Future[None]) -> None:
        Clock.schedule_once(lambda _: App.get_running_app().stop())

    if close_when_told:
        told.add_done_callback(close)
    try:
        show(session, story.anna.folder, width=WIDTH, height=HEIGHT)
        told.result()
    finally:
        thread.stop()


def _settle_kivy(home: Path) -> None:
    """Keep Kivy's settings with the phone, and the terminal for the story."""
    os.environ.setdefault("KIVY_NO_ARGS", "1")
    os.environ.setdefault("KIVY_HOME", str(home))
    os.environ.setdefault("KIVY_NO_FILELOG", "1")
    os.environ.setdefault("KIVY_LOG_MODE", "PYTHON")
    logging.getLogger("kivy").disabled = True

"""Puts the parts together: the real engine on its thread, the session, the window."""

from __future__ import annotations

from pathlib import Path

from kivy.clock import Clock
from kivy.config import Config

from mobile.engine.facade import Engine
from mobile.engine.thread import EngineThread
from mobile.viewmodels.preferences import Preferences
from mobile.viewmodels.runner import ThreadRunner
from mobile.viewmodels.session import Session

START_SECONDS = 10.0


def run(data_dir: Path, *, width: int, height: int, engine: Engine | None = None) -> None:
    """Run the app until its window is closed. `engine` is the real one unless the bench hands in another."""
    Config.set("graphics", "width", str(width))
    Config.set("graphics", "height", str(height))
    Config.set("graphics", "maxfps", "30")
    Config.set("input", "mouse", "mouse,disable_multitouch")
    from mobile.ui.app import NyckelfriApp  # noqa: PLC0415  (opens the window, so only after Config)
    from mobile.ui.feedback import Feedback  # noqa: PLC0415

    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    chosen = engine or _real_engine(data_dir)
    thread = EngineThread()
    thread.start()
    runner = ThreadRunner(thread, lambda call: Clock.schedule_once(lambda _: call()))
    session = Session(chosen, runner, Preferences(data_dir / "preferences.json"))
    session.call(chosen.start())
    try:
        NyckelfriApp(session, signal=Feedback(data_dir).signal).run()
    finally:
        thread.submit(chosen.stop()).result(START_SECONDS)
        thread.stop()


def _real_engine(data_dir: Path) -> Engine:
    from mobile.engine.factory import build  # noqa: PLC0415  (bleak talks to the system bus on import)

    return build(data_dir)

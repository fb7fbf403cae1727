"""Puts the parts together: an engine on its thread, the session, the window."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path

from kivy.clock import Clock
from kivy.config import Config

from mobile.engine.facade import Engine
from mobile.engine.thread import EngineThread
from mobile.ui.device import Device
from mobile.viewmodels.preferences import Preferences
from mobile.viewmodels.runner import ThreadRunner
from mobile.viewmodels.session import Session

STOP_SECONDS = 10.0
SETTLE_SECONDS = 1.0
OnLink = Callable[[Callable[[str], None]], None]
"""Is handed the function that takes a link opened while the app runs."""


def run(data_dir: Path, *, width: int, height: int, link: str = "") -> None:
    """Run the app with the real engine until its window is closed; `link` is one to enrol with."""
    from mobile.engine.factory import build  # noqa: PLC0415  (bleak talks to the system bus on import)

    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    run_engine(build(data_dir), EngineThread(), data_dir, width=width, height=height, link=link)


def run_engine(
    engine: Engine,
    thread: EngineThread,
    data_dir: Path,
    *,
    width: int = 0,
    height: int = 0,
    link: str = "",
    device: Device | None = None,
    on_link: OnLink | None = None,
) -> None:
    """Run the app with this engine on that thread until its window is closed."""
    thread.start()
    session = make_session(engine, thread, data_dir)
    session.call(engine.start())
    try:
        show(session, data_dir, width=width, height=height, link=link, device=device, on_link=on_link)
    finally:
        thread.submit(engine.stop()).result(STOP_SECONDS)
        thread.stop()


def make_session(engine: Engine, thread: EngineThread, data_dir: Path) -> Session:
    """The screens' side of an engine that lives on `thread`."""
    runner = ThreadRunner(thread, lambda call: Clock.schedule_once(lambda _: call()))
    return Session(engine, runner, Preferences(data_dir / "preferences.json"))


def settle_memory() -> None:
    """Take the tree of widgets out of the collector's sight: looking through it would stop the screen.

    It is two hundred thousand objects, each full look at them takes longer than several frames, and they live
    until the colours or sizes change.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def show(
    session: Session,
    data_dir: Path,
    *,
    width: int,
    height: int,
    link: str = "",
    device: Device | None = None,
    on_link: OnLink | None = None,
) -> None:
    """Show the app until its window is closed; must run on the main thread. No width: the whole screen."""
    if width:
        Config.set("graphics", "width", str(width))
        Config.set("graphics", "height", str(height))
    Config.set("input", "mouse", "mouse,disable_multitouch")
    from mobile.ui.app import NyckelfriApp  # noqa: PLC0415  (opens the window, so only after Config)
    from mobile.ui.feedback import Feedback  # noqa: PLC0415

    feedback = Feedback(data_dir, session.preferences, device)
    app = NyckelfriApp(session, signal=feedback.signal, device=device)
    app.after_build = Clock.create_trigger(lambda _: settle_memory(), SETTLE_SECONDS)
    if link:
        app.enrol_with(link)
    if on_link is not None:
        on_link(app.enrol_with)
    app.run()

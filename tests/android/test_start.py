"""The whole app started as on a telephone: main.py's way, with Java's thread, the Keystore and a link."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.android.air import Air
from tests.android.phone import Phone
from tests.ui import shim

Take = Callable[..., Phone]
LINK = "nyckelfri://enrol?server=http%3A%2F%2F127.0.0.1%3A9&code=K7QF-2M9X&root=" + "ab" * 32
"""Nobody answers there; that the phone says so shows that it has asked."""
__all__ = ["shim"]


def test_the_app_starts_hides_its_window_and_takes_the_link(take: Take, tmp_path: Path) -> None:
    phone = take(folder=str(tmp_path), link=LINK)
    Air(phone)
    from kivy.app import App
    from kivy.clock import Clock

    from mobile.android.start import main

    seen: dict[str, Any] = {}
    until = time.monotonic() + 20

    def look(_: float) -> None:
        app = App.get_running_app()
        if app is None or app.root is None:
            return
        enrol = app.root.ids.screens.get_screen("enrol").model.view()
        if enrol.message or time.monotonic() > until:
            seen["message"] = enrol.message
            seen["screen"] = app.navigation.screen
            seen["hardware"] = app.session.engine._setup.hardware.level
            app.stop()

    looking = Clock.schedule_interval(look, 0.05)
    main()
    looking.cancel()
    assert seen["screen"] == "enrol"
    assert seen["message"].startswith("Servern svarar inte")
    assert seen["hardware"] == "tee"
    assert phone.java.called.count(("java.lang.Thread", "start", ())) == 1
    assert ("flags", 0x2000) in phone.window
    assert phone.receivers[0].running is False, "the app has let go of Android's news"
    assert phone.keys == {}, "nothing is left of the try"

"""Kivy with no display, no GPU and no library beyond its own: import this before anything else of Kivy.

The window and OpenGL are replaced; kv, layout, text measuring, clock and touch dispatch are the real ones.
Kivy's own switches are not enough: without a window provider it has no Window at all, and its mock of OpenGL
leaves shaders uncompiled, so nothing is drawn here: `flip` does nothing and `on_draw` stays silent.
Written against Kivy 2.3.1.
"""

from __future__ import annotations

import importlib
import logging
import os
import sys
import tempfile

WIDTH, HEIGHT = 390, 820

if "kivy.core.window" in sys.modules:
    raise RuntimeError("tests.ui.shim must be imported before Kivy's window")

SETTINGS = {
    "KIVY_NO_ARGS": "1",
    "KIVY_NO_FILELOG": "1",
    "KIVY_LOG_MODE": "PYTHON",
    "KIVY_HOME": tempfile.mkdtemp(prefix="kivy-"),
    "KIVY_GL_BACKEND": "mock",
    "KIVY_WINDOW": "",
    "KIVY_CLIPBOARD": "dummy",
    "KIVY_AUDIO": "",
    "KIVY_METRICS_DENSITY": "1",
}
before = {name: os.environ.get(name) for name in SETTINGS}
os.environ.update(SETTINGS)
logging.getLogger("kivy").setLevel(logging.CRITICAL)

from kivy.config import Config  # noqa: E402

Config.set("graphics", "maxfps", "0")

import kivy.core.window as kivy_window  # noqa: E402
from kivy.metrics import Metrics  # noqa: E402


class ShimWindow(kivy_window.WindowBase):
    """A window of a fixed size that is never seen."""

    def create_window(self, *args: object) -> None:
        self._size = self.system_size = (WIDTH, HEIGHT)
        super().create_window(*args)
        self.register()
        self.initialized = True

    def on_draw(self) -> None:
        """Nothing to draw on."""

    def flip(self) -> None:
        """No buffers to swap."""

    def mainloop(self) -> None:
        """No system events to fetch."""

    def close(self) -> None:
        """Nothing to give back."""

    def _set_cursor_state(self, value: bool) -> None:
        """No cursor."""


window = ShimWindow()
kivy_window.Window = window

# What reads the environment late reads it now; processes that other tests start must not inherit it.
for module in ("kivy.core.clipboard", "kivy.core.audio", "kivy.core.text", "kivy.uix.textinput"):
    importlib.import_module(module)
assert Metrics.density == 1
for name, value in before.items():
    if value is None:
        del os.environ[name]
    else:
        os.environ[name] = value

"""Every test here runs without a display: the shim comes before Kivy."""

from __future__ import annotations

from tests.ui import shim

__all__ = ["shim"]

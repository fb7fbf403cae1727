"""Language, text size and the like: nothing secret, so they live outside the vault."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from mobile.engine.errors import EngineError
from mobile.engine.storage.disk import Disk, copies, replace_safely

log = logging.getLogger(__name__)

SCALES = (1.0, 1.3, 1.6, 2.0)
APPEARANCES = ("light", "dark", "system")
IDLE_MINUTES = (1, 5, 15)
"""After how long without a touch the app may lock itself; never is no choice."""
_LIMIT = 4096


class Preferences:
    """What the person chose. A missing or damaged file means the defaults: never a reason not to start."""

    def __init__(self, path: Path | None = None, disk: Disk | None = None) -> None:
        self._path, self._disk = path, disk or Disk()
        self.language, self.scale = "sv", 1.0
        self.appearance = "system"
        self.system_dark = False
        """What the phone's own screens are now; told by the shell, never kept."""
        self.sound = self.vibration = True
        self.idle_minutes = 5
        self._load()

    @property
    def dark(self) -> bool:
        """Whether the screens are dark now."""
        return self.system_dark if self.appearance == "system" else self.appearance == "dark"

    def _load(self) -> None:
        """The newest copy that can be read: the power may have gone between the two renames of a save."""
        if self._path is None:
            return
        try:
            for copy in copies(self._disk, self._path, _LIMIT):
                if self._taken(copy):
                    break
        except (EngineError, FileNotFoundError):
            log.warning("preferences could not be read; using defaults")

    def _taken(self, copy: bytes) -> bool:
        try:
            self._take(json.loads(copy))
        except (ValueError, KeyError, TypeError):
            log.warning("a copy of the preferences was unreadable")
            return False
        return True

    def _take(self, data: dict[str, Any]) -> None:
        self.language = str(data["language"])
        self.scale = min(SCALES, key=lambda scale: abs(scale - float(data["scale"])))
        self.appearance = data["appearance"] if data.get("appearance") in APPEARANCES else "system"
        self.sound, self.vibration = data.get("sound") is not False, data.get("vibration") is not False

        self.idle_minutes = data["idle_minutes"] if data.get("idle_minutes") in IDLE_MINUTES else 5

    def save(self) -> None:
        """Keep them; a full disk only means that they are forgotten at the next start."""
        if self._path is None:
            return
        data = {
            "language": self.language,
            "scale": self.scale,
            "appearance": self.appearance,
            "sound": self.sound,
            "vibration": self.vibration,
            "idle_minutes": self.idle_minutes,
        }
        try:
            replace_safely(self._disk, self._path, json.dumps(data).encode())
        except EngineError as error:
            log.warning("preferences were not kept: %s", error.code)

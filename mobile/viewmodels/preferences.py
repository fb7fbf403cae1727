"""Language, text size and the like: nothing secret, so they live outside the vault."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from mobile.engine.errors import EngineError
from mobile.engine.storage.disk import Disk, replace_safely

log = logging.getLogger(__name__)

SCALES = (1.0, 1.3, 1.6, 2.0)
_LIMIT = 4096


class Preferences:
    """What the person chose. A missing or damaged file means the defaults: never a reason not to start."""

    def __init__(self, path: Path | None = None, disk: Disk | None = None) -> None:
        self._path, self._disk = path, disk or Disk()
        self.language, self.scale, self.dark, self.sound = "sv", 1.0, False, True
        self._load()

    def _load(self) -> None:
        if self._path is None or not self._disk.exists(self._path):
            return
        try:
            data = json.loads(self._disk.read(self._path, _LIMIT))
            self.language = str(data["language"])
            self.scale = min(SCALES, key=lambda scale: abs(scale - float(data["scale"])))
            self.dark, self.sound = data["dark"] is True, data["sound"] is not False
        except (ValueError, KeyError, TypeError, EngineError):
            log.warning("preferences were unreadable; using defaults")

    def save(self) -> None:
        """Keep them; a full disk only means that they are forgotten at the next start."""
        if self._path is None:
            return
        data = {"language": self.language, "scale": self.scale, "dark": self.dark, "sound": self.sound}
        try:
            replace_safely(self._disk, self._path, json.dumps(data).encode())
        except EngineError as error:
            log.warning("preferences were not kept: %s", error.code)

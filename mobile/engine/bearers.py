"""Whose vaults are on this phone, as far as that may be known while they are shut: initials and no more."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from mobile.engine.state import BearerCard
from mobile.engine.storage.disk import Disk, copies, previous, replace_safely, temporary
from mobile.engine.vault import Vaults

MAX_BYTES = 64 * 1024


class Bearers:
    """The labels beside the vaults, in a small file that may be lost without harm."""

    def __init__(self, vaults: Vaults, path: Path, disk: Disk) -> None:
        self._vaults, self._path, self._disk = vaults, path, disk

    def cards(self) -> tuple[BearerCard, ...]:
        """One card for each vault on this phone."""
        labels = self._labels()
        return tuple(BearerCard(name, labels.get(name, "")) for name in self._vaults.bearers())

    def label(self, bearer_id: str, label: str) -> None:
        """Remember a label, and drop those of vaults that are gone. Two who share one get a number each."""
        known = set(self._vaults.bearers()) - {bearer_id}
        labels = {name: text for name, text in self._labels().items() if name in known}
        taken, number, unlike = set(labels.values()), 1, label
        while unlike in taken:
            number += 1
            unlike = f"{label} {number}"
        replace_safely(self._disk, self._path, json.dumps(labels | {bearer_id: unlike}).encode())

    def tidy(self) -> None:
        """Forget the labels of vaults that are gone."""
        labels, known = self._labels(), set(self._vaults.bearers())
        if labels.keys() - known:
            kept = {name: text for name, text in labels.items() if name in known}
            replace_safely(self._disk, self._path, json.dumps(kept).encode())
        for left_over in (previous(self._path), temporary(self._path)):
            if self._disk.exists(left_over):
                self._disk.remove(left_over)

    def _labels(self) -> dict[str, str]:
        for copy in copies(self._disk, self._path, MAX_BYTES):
            with suppress(ValueError):
                found = json.loads(copy)
                if isinstance(found, dict):
                    return {str(key): str(value)[:8] for key, value in found.items()}
        return {}

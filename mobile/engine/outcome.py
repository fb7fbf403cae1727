"""What a verb of the engine brings back to whoever asked, beside the snapshot that everybody sees."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SyncResult:
    """What one sync brought and handed in."""

    new_rights: int = 0
    removed_rights: int = 0
    logs_handed_in: int = 0
    visits: int = 0


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """Who answers at an address, shown before anything is enrolled. `root_fingerprint` is hex."""

    url: str
    municipality: str
    root_fingerprint: str
    minimum_app_version: str = ""

"""The person's own log of taps, failed ones too: bounded, kept in the vault, never sent anywhere."""

from __future__ import annotations

from dataclasses import replace

from mobile.engine.content import Content, DoorRecord
from mobile.engine.state import DoorKind, HistoryEntry, Opening, OpeningState

MAX_ENTRIES = 500

_UNLOCKED = frozenset({OpeningState.OPEN, OpeningState.ALREADY_OPEN})
_LOCKED = frozenset({OpeningState.LOCKED, OpeningState.ALREADY_LOCKED})
_NEVER_LEFT = frozenset({DoorKind.GATE, DoorKind.PRACTICE})
"""Gates fall shut by themselves, and behind a practice lock there is no door to leave unlocked."""


def record(content: Content, opening: Opening) -> Content:
    """Add one finished tap, and remember which doors the person has left unlocked."""
    door = content.doors.get(opening.door_id)
    entry = HistoryEntry(
        at=opening.changed_at,
        door_id=opening.door_id,
        door_label=_label(door),
        operation=opening.operation,
        state=opening.state,
        reason=opening.reason,
    )
    unlocked = set(content.left_unlocked)
    if opening.state in _UNLOCKED and door is not None and door.kind not in _NEVER_LEFT:
        unlocked.add(opening.door_id)
    elif opening.state in _LOCKED:
        unlocked.discard(opening.door_id)
    return replace(
        content,
        history=(*content.history, entry)[-MAX_ENTRIES:],
        left_unlocked=frozenset(unlocked),
    )


def locked_otherwise(content: Content, door_id: str) -> Content:
    """The person says that a door is locked: by hand, or by somebody else."""
    return replace(content, left_unlocked=content.left_unlocked - {door_id})


def unlocked_at(content: Content, door_id: str) -> int:
    """When the person unlocked a door that is still remembered as left unlocked; 0 for any other."""
    if door_id not in content.left_unlocked:
        return 0
    taps = (entry for entry in reversed(content.history) if entry.door_id == door_id)
    return next((entry.at for entry in taps if entry.state in _UNLOCKED), 0)


def newest(content: Content, limit: int) -> list[HistoryEntry]:
    """Up to ``limit`` entries, newest first."""
    return list(content.history[::-1][: max(0, limit)])


def _label(door: DoorRecord | None) -> str:
    if door is None:
        return ""
    return door.lock_name or " ".join(part for part in (door.address, door.entrance, door.number) if part)

"""The one place that holds the newest snapshot and tells the listeners."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from mobile.engine import faults
from mobile.engine.facade import Listener, Unsubscribe
from mobile.engine.state import AppState, Opening


class Board:
    """Publishes frozen snapshots; a change that changes nothing is not told."""

    def __init__(self) -> None:
        self.state = AppState()
        self._listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> Unsubscribe:
        """Call `listener` with the snapshot of now and every new one."""
        self._listeners.append(listener)
        listener(self.state)

        def leave() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return leave

    def show(self, **changes: Any) -> None:
        """Publish a snapshot with these fields of `AppState` changed."""
        new = replace(self.state, **changes)
        if new == self.state:
            return
        self.state = new
        for listener in tuple(self._listeners):
            try:
                listener(new)
            except Exception as error:
                # A screen that fails must not stop a door from being opened.
                faults.note("a listener", error)

    def show_sync(self, **changes: Any) -> None:
        """Publish with these fields of `SyncStatus` changed."""
        self.show(sync=replace(self.state.sync, **changes))

    def show_opening(self, opening: Opening) -> None:
        """Publish where one door's tap stands."""
        self.show(openings=MappingProxyType({**self.state.openings, opening.door_id: opening}))

    def drop_opening(self, door_id: str) -> None:
        """Forget one door's tap."""
        left: Mapping[str, Opening] = {
            key: opening for key, opening in self.state.openings.items() if key != door_id
        }
        self.show(openings=MappingProxyType(left))

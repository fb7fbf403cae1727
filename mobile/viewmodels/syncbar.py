"""The permanent sync bar: how old, how much waits, and why when it is stale. Never green."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mobile.engine.state import LoginState, Stage
from mobile.viewmodels.session import Session
from mobile.viewmodels.texts import slug_from_server

STALE_AFTER = 4 * 3600
"""Seconds after which even a working phone's data counts as old: half a shift."""
AWAY_AFTER = 30 * 60
"""Seconds without the server before the bar turns red."""
CLOCK_OFF_AFTER = 5 * 60


@dataclass(frozen=True, slots=True)
class SyncBarView:
    """`tone` is fine, busy or stale."""

    visible: bool = False
    text: str = ""
    reason: str = ""
    tone: str = "fine"


class SyncBarModel:
    """Shown on every screen of an enrolled phone."""

    def __init__(self, session: Session, sign_in: Callable[[], None] | None = None) -> None:
        self._session, self._sign_in = session, sign_in

    def view(self) -> SyncBarView:
        """What to show now."""
        state, texts = self._session.state, self._session.texts
        sync = state.sync
        waiting = texts.count("sync.waiting", sync.waiting_logs) if sync.waiting_logs else ""
        slug = self._stale_slug()
        tone = "busy" if sync.syncing else "stale" if slug and not self._mild(slug) else "fine"
        parts = [texts.tr("sync.syncing") if sync.syncing else self._age(), waiting]
        return SyncBarView(
            visible=state.stage is not Stage.NOT_ENROLLED,
            text=" · ".join(part for part in parts if part),
            reason=texts.reason(slug).title if slug and not sync.syncing else "",
            tone=tone,
        )

    def tap(self) -> None:
        """Sync now, or sign in where that is what is missing; nothing while the vault is shut."""
        state = self._session.state
        if state.stage is not Stage.UNLOCKED:
            return
        if state.login is not LoginState.SIGNED_IN and self._sign_in is not None:
            self._sign_in()
        else:
            self._session.call(self._session.engine.sync())

    def _stale_slug(self) -> str:
        """The reason why what the phone knows may be old, else ''."""
        sync = self._session.state.sync
        if sync.stale_reason:
            return slug_from_server(sync.stale_reason)
        age = self._age_seconds()
        if age is None:
            return "never_synced"
        if age >= STALE_AFTER:
            return "sync_old"
        return "clock_off" if abs(sync.clock_off_seconds) >= CLOCK_OFF_AFTER else ""

    def _mild(self, slug: str) -> bool:
        """Told, but not in red: a stairwell without coverage is normal, and a wrong clock harms nothing."""
        if slug == "clock_off":
            return True
        age = self._age_seconds()
        return slug == "server_unreachable" and age is not None and age < AWAY_AFTER

    def _age_seconds(self) -> int | None:
        """Seconds since the last sync, a wrong clock of the phone allowed for; None = never synced."""
        sync = self._session.state.sync
        if sync.last_synced_at is None:
            return None
        return max(0, self._session.now() - sync.last_synced_at)

    def _age(self) -> str:
        texts, age = self._session.texts, self._age_seconds()
        if age is None:
            return texts.tr("sync.never")
        if age < 60:
            return texts.tr("sync.now")
        if age < 3600:
            return texts.count("sync.minutes", age // 60)
        if age < 48 * 3600:
            return texts.count("sync.hours", age // 3600)
        return texts.count("sync.days", age // 86400)

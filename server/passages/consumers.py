"""The websocket behind the live board."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from django.utils import translation
from django_scopes import scope

from server.passages import live
from server.people.models import User
from server.people.second_factor import has_second_factor
from server.tenancy.scoping import Viewer

FORBIDDEN = 4403
"""Close code: not signed in, or not allowed; the page then stops trying."""


@dataclass(frozen=True)
class Watcher:
    """Somebody who may watch: whose municipality, and of it which part (None: all)."""

    municipality_id: int
    viewer: Viewer | None


class PassagesConsumer(AsyncJsonWebsocketConsumer):
    """Sends the last passages on connection, then every new one that this person may see."""

    watcher: Watcher
    language: str

    async def connect(self) -> None:
        """Let in people who may see passages, and show what was last known."""
        watcher = await watcher_of(self.scope["user"], self.scope["session"])
        if watcher is None:
            # Accepted first, so that the browser sees the code and not just a failed connection.
            await self.accept()
            await self.close(FORBIDDEN)
            return
        self.watcher = watcher
        chosen = self.scope.get("cookies", {}).get(settings.LANGUAGE_COOKIE_NAME, "")
        self.language = chosen if chosen in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
        await self.channel_layer.group_add(live.group_of(watcher.municipality_id), self.channel_name)
        await self.accept()
        await self.send_json({"type": "latest", "passages": await self._read(None)})

    async def disconnect(self, _code: int) -> None:
        """Leave the group."""
        if hasattr(self, "watcher"):
            group = live.group_of(self.watcher.municipality_id)
            await self.channel_layer.group_discard(group, self.channel_name)

    async def receive(self, **_frame: Any) -> None:
        """The board only listens; what it says is not looked at, nor even parsed."""

    async def passages_new(self, event: dict[str, Any]) -> None:
        """Pass on news from `live.notify_passages`, to somebody who may still see them.

        A coordinator's board stays silent about others' passages: even an empty message would tell that
        somebody came.
        """
        watcher = await still_watching(self.scope["session"].session_key)
        if watcher is None or watcher.municipality_id != self.watcher.municipality_id:
            await self.close(FORBIDDEN)
            return
        self.watcher = watcher
        passages = await self._read(event["ids"])
        if passages:
            await self.send_json({"type": "new", "passages": passages})

    @database_sync_to_async
    def _read(self, ids: Sequence[int] | None) -> list[dict[str, Any]]:
        seen = {"municipality": self.watcher.municipality_id, "viewer": self.watcher.viewer}
        with scope(**seen), translation.override(self.language):
            return live.latest() if ids is None else live.by_ids(ids)


@database_sync_to_async
def still_watching(session_key: str) -> Watcher | None:
    """Judge again from the stored session: people sign out, are closed out, change role and municipality."""
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    user = get_user(request)
    return _watcher(user, request.session) if isinstance(user, User) else None


@database_sync_to_async
def watcher_of(user: User, session: SessionBase) -> Watcher | None:
    """Return as whom a person may watch: with permission, a municipality and a second factor; else None."""
    return _watcher(user, session)


def _watcher(user: User, session: SessionBase) -> Watcher | None:
    if not user.is_authenticated or not user.is_staff or user.municipality_id is None:
        return None
    if settings.SECOND_FACTOR_REQUIRED and not has_second_factor(user, session):
        return None
    if not user.has_perm("passages.view_passage"):
        return None
    return Watcher(user.municipality_id, user.viewer)

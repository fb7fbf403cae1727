"""The websocket behind the live board."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from allauth.mfa.utils import is_mfa_enabled
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest
from django.utils import translation
from django_scopes import scope

from server.passages import live
from server.people.models import User

FORBIDDEN = 4403
"""Close code: not signed in, or not allowed; the page then stops trying."""


class PassagesConsumer(AsyncJsonWebsocketConsumer):
    """Sends the last passages on connection, then every new one of the municipality."""

    municipality_id: int
    language: str

    async def connect(self) -> None:
        """Let in people who may see passages, and show what was last known."""
        user = self.scope["user"]
        if not await may_watch(user):
            # Accepted first, so that the browser sees the code and not just a failed connection.
            await self.accept()
            await self.close(FORBIDDEN)
            return
        self.municipality_id = user.municipality_id
        chosen = self.scope.get("cookies", {}).get(settings.LANGUAGE_COOKIE_NAME, "")
        self.language = chosen if chosen in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
        await self.channel_layer.group_add(live.group_of(self.municipality_id), self.channel_name)
        await self.accept()
        await self.send_json({"type": "latest", "passages": await self._read(None)})

    async def disconnect(self, _code: int) -> None:
        """Leave the group."""
        if hasattr(self, "municipality_id"):
            await self.channel_layer.group_discard(live.group_of(self.municipality_id), self.channel_name)

    async def receive(self, **_frame: Any) -> None:
        """The board only listens; what it says is not looked at, nor even parsed."""

    async def passages_new(self, event: dict[str, Any]) -> None:
        """Pass on news from `live.notify_passages`, to somebody who may still see them."""
        if not await still_may_watch(self.scope["session"].session_key, self.municipality_id):
            await self.close(FORBIDDEN)
            return
        await self.send_json({"type": "new", "passages": await self._read(event["ids"])})

    @database_sync_to_async
    def _read(self, ids: Sequence[int] | None) -> list[dict[str, Any]]:
        with scope(municipality=self.municipality_id), translation.override(self.language):
            return live.latest() if ids is None else live.by_ids(ids)


@database_sync_to_async
def still_may_watch(session_key: str, municipality_id: int) -> bool:
    """Judge again from the stored session: people sign out, are closed out and change municipality."""
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    user = get_user(request)
    return isinstance(user, User) and user.municipality_id == municipality_id and _may_watch(user)


@database_sync_to_async
def may_watch(user: User) -> bool:
    """Return whether a person may see the board: a municipality's own, with permission and second factor."""
    return _may_watch(user)


def _may_watch(user: User) -> bool:
    if not user.is_authenticated or not user.is_staff or user.municipality_id is None:
        return False
    if settings.SECOND_FACTOR_REQUIRED and not is_mfa_enabled(user):
        return False
    return user.has_perm("passages.view_passage")

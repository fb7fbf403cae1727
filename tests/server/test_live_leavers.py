"""The live board ends for people who sign out, are closed out or lose the permission while it is open."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.contrib.sessions.models import Session

from server.passages import live
from server.people.models import User
from tests.server.test_live import FORBIDDEN, board, build

pytestmark = pytest.mark.django_db(transaction=True)


def sign_out(_user: User) -> None:
    Session.objects.all().delete()


def close_out(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def take_permission(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_superuser=False)


def new_password(user: User) -> None:
    user.set_password("ett-helt-annat-lösenord")
    user.save()


@pytest.mark.parametrize("leave", [sign_out, close_out, take_permission, new_password])
async def test_nothing_more_is_told(leave: Callable[[User], None]) -> None:
    world, user = await sync_to_async(build)()
    async with board(user) as socket:
        assert await socket.connect() == "websocket.accept"
        await socket.message()
        await sync_to_async(leave)(user)
        news = {"type": "passages.new", "ids": [1]}
        await get_channel_layer().group_send(live.group_of(world.municipality.pk), news)
        told = await socket.output()
        assert (told["type"], told["code"]) == ("websocket.close", FORBIDDEN)

"""Pokes: phones that wait on a websocket are told to sync, by content-free messages, after the commit."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.layers import channel_layers, get_channel_layer
from django.db import transaction
from django_scopes import scope

from server.config.asgi import application
from server.people import consumers, push
from server.people.domain.enrolment import hash_device_token
from server.people.models import Phone, PhoneContact
from tests.server.socket import Socket
from tests.server.world import World, make_municipality, make_world

pytestmark = pytest.mark.django_db(transaction=True)
UNKNOWN, REVOKED = 4401, 4403
SYNC = {"type": "sync"}
TOKENS = {"testköping": "device-token-1", "grannstad": "device-token-2"}
AT = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


def build(slug: str = "testköping") -> World:
    municipality = make_municipality(slug)
    with scope(municipality=municipality):
        world = make_world(municipality)
        world.phone.device_token_hash = hash_device_token(TOKENS[slug])
        world.phone.save()
    return world


@asynccontextmanager
async def listening(
    token: str = TOKENS["testköping"], scheme: str = "Device", **headers: str
) -> AsyncIterator[Socket]:
    headers = {"host": "localhost", **headers}
    if token:
        headers["authorization"] = f"{scheme} {token}"
    socket = Socket(application, "/ws/phone/", headers)
    try:
        yield socket
    finally:
        await socket.close()


def revoke(world: World) -> None:
    Phone.unscoped.filter(pk=world.phone.pk).update(revoked_at=AT)


@pytest.fixture(params=["memory", "redis"])
def layer(request: pytest.FixtureRequest, settings: Any) -> str:
    """Run the test on both channel layers."""
    chosen: dict[str, Any] = {"BACKEND": "server.config.channel_layer.ThreadSafeChannelLayer"}
    if request.param == "redis":
        config = {"hosts": [{"address": request.getfixturevalue("redis_url"), "socket_timeout": None}]}
        chosen = {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": config}
    settings.CHANNEL_LAYERS = {"default": chosen}
    channel_layers.backends.clear()
    request.addfinalizer(channel_layers.backends.clear)
    return str(request.param)


async def test_a_poke_says_sync_and_nothing_else(layer: str) -> None:
    world = await sync_to_async(build)()
    async with listening() as socket:
        assert await socket.connect() == "websocket.accept"
        await sync_to_async(push.poke_phones)([world.phone.pk])
        assert await socket.message() == SYNC
        await sync_to_async(push.poke_staff)([world.alice.pk])
        assert await socket.message() == SYNC


async def test_only_the_phones_concerned_hear_it(layer: str) -> None:
    world, other = await sync_to_async(build)(), await sync_to_async(build)("grannstad")
    async with listening() as socket, listening(TOKENS["grannstad"]) as foreign:
        await socket.connect()
        await foreign.connect()
        await sync_to_async(push.poke_staff)([other.alice.pk])
        assert await foreign.message() == SYNC
        assert await socket.is_silent()
        assert world.phone.pk != other.phone.pk


async def test_nobody_is_poked_about_what_did_not_happen() -> None:
    world = await sync_to_async(build)()

    def failing() -> None:
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            push.poke_staff([world.alice.pk])
            raise ZeroDivisionError

    async with listening() as socket:
        await socket.connect()
        await sync_to_async(failing)()
        assert await socket.is_silent()


@pytest.mark.parametrize("token", ["", "somebody-elses", "\xff\xfe", "x" * 4000])
async def test_strangers_are_turned_away(token: str) -> None:
    await sync_to_async(build)()
    async with listening(token) as socket:
        await socket.connect()
        closing = await socket.output()
    assert (closing["type"], closing["code"]) == ("websocket.close", UNKNOWN)


async def test_a_session_token_is_no_device_token() -> None:
    await sync_to_async(build)()
    async with listening(scheme="Bearer") as socket:
        await socket.connect()
        assert (await socket.output())["code"] == UNKNOWN


async def test_a_revoked_phone_is_turned_away() -> None:
    world = await sync_to_async(build)()
    await sync_to_async(revoke)(world)
    async with listening() as socket:
        await socket.connect()
        assert (await socket.output())["code"] == REVOKED


async def test_the_poke_that_tells_of_a_revocation_ends_the_connection() -> None:
    world = await sync_to_async(build)()
    async with listening() as socket:
        await socket.connect()
        await sync_to_async(revoke)(world)
        await sync_to_async(push.poke_phones)([world.phone.pk])
        assert (await socket.output())["code"] == REVOKED


async def test_a_revocation_that_nobody_told_of_ends_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.people.consumers.RECHECK_S", 0.02)
    world = await sync_to_async(build)()
    async with listening() as socket:
        await socket.connect()
        await sync_to_async(revoke)(world)
        assert (await socket.output())["code"] == REVOKED


async def test_rule_04_a_poke_that_was_lost_on_the_way_is_made_up_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def lost(*_: Any) -> None:
        """A full channel drops what is sent to it, and says nothing."""

    monkeypatch.setattr("server.people.consumers.RECHECK_S", 0.02)
    world = await sync_to_async(build)()
    await PhoneContact.unscoped.acreate(
        municipality=world.municipality, phone=world.phone, last_seen_at=AT, last_sync_at=AT
    )
    async with listening() as socket:
        await socket.connect()
        assert await socket.is_silent(), "no news, no word"
        monkeypatch.setattr(type(get_channel_layer()), "group_send", lost)
        await sync_to_async(push.poke_phones)([world.phone.pk])
        assert await socket.message() == SYNC
        assert await socket.is_silent(), "once is enough"
    assert consumers.RECHECK_S < 60


@pytest.mark.parametrize("said", [{"text": "{not json"}, {"text": "[" * 9000}, {"bytes": bytes(range(256))}])
async def test_what_a_phone_says_is_passed_over(said: dict[str, Any]) -> None:
    world = await sync_to_async(build)()
    async with listening() as socket:
        await socket.connect()
        await socket.wire.send_input({"type": "websocket.receive", **said})
        await sync_to_async(push.poke_phones)([world.phone.pk])
        assert await socket.message() == SYNC


async def test_a_phone_comes_from_no_page_and_a_browser_still_must() -> None:
    await sync_to_async(build)()
    board = Socket(application, "/ws/passages/", {"host": "localhost"})
    assert await board.connect() == "websocket.close"
    async with listening() as socket:
        assert await socket.connect() == "websocket.accept"


async def test_a_dead_channel_layer_undoes_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: Any) -> None:
        raise ConnectionError("Redis is away")

    world = await sync_to_async(build)()
    monkeypatch.setattr(type(get_channel_layer()), "group_send", broken)

    def decide() -> None:
        with transaction.atomic():
            revoke(world)
            push.poke_phones([world.phone.pk])

    with caplog.at_level(logging.ERROR):
        await sync_to_async(decide)()
    assert "Redis is away" in caplog.text
    assert await Phone.unscoped.filter(revoked_at=AT).aexists()


async def test_nobody_waits_long_for_pokes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push, "BUDGET_S", 0.0)
    world = await sync_to_async(build)()
    async with listening() as socket:
        await socket.connect()
        await sync_to_async(push.poke_phones)(range(world.phone.pk, world.phone.pk + 10_000))

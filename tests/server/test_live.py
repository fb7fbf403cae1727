"""The live board's websocket: on the memory layer and a real Redis, from threads, to those who may."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from asgiref.sync import sync_to_async
from channels.layers import channel_layers, get_channel_layer
from django.db import connection, transaction
from django.test import Client as Browser
from django_scopes import scope

from server.config.asgi import application
from server.passages import labels, live
from server.passages.models import Passage
from server.people.models import User
from server.tenancy.models import Municipality
from tests.server.fill import add_passages
from tests.server.pages import coordinator_of
from tests.server.socket import Socket
from tests.server.world import World, make_municipality, make_team, make_world

pytestmark = pytest.mark.django_db(transaction=True)
FORBIDDEN = 4403


def build(slug: str = "testköping") -> tuple[World, User]:
    municipality = make_municipality(slug)
    user = User.objects.create_superuser(f"chef-{slug}", municipality=municipality)
    TOTP.activate(user, "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    with scope(municipality=municipality):
        return make_world(municipality), user


def cookies_of(user: User | None, language: str = "") -> str:
    browser = Browser()
    if user is not None:
        browser.force_login(user)
    if language:
        browser.cookies["django_language"] = language
    return "; ".join(f"{name}={morsel.value}" for name, morsel in browser.cookies.items())


@asynccontextmanager
async def board(
    user: User | None, language: str = "", origin: str = "http://localhost"
) -> AsyncIterator[Socket]:
    cookies = await sync_to_async(cookies_of)(user, language)
    headers = {"cookie": cookies, "origin": origin, "host": "localhost"}
    socket = Socket(application, "/ws/passages/", headers)
    try:
        yield socket
    finally:
        await socket.close()


@pytest.fixture(params=["memory", "redis"])
def layer(request: pytest.FixtureRequest, settings: Any) -> str:
    """Run the test on both channel layers."""
    if request.param == "redis":
        config = {"hosts": [{"address": request.getfixturevalue("redis_url"), "socket_timeout": None}]}
        chosen = {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": config}
    else:
        chosen = {"BACKEND": "server.config.channel_layer.ThreadSafeChannelLayer"}
    settings.CHANNEL_LAYERS = {"default": chosen}
    channel_layers.backends.clear()
    request.addfinalizer(channel_layers.backends.clear)
    return str(request.param)


async def test_board_shows_what_is_known_then_what_is_new(layer: str) -> None:
    world, user = await sync_to_async(build)()
    await sync_to_async(add_passages)(world)
    async with board(user) as socket:
        assert await socket.connect() == "websocket.accept"
        first = await socket.message()
        assert (first["type"], len(first["passages"])) == ("latest", 1)
        await sync_to_async(add_passages)(world, refused=True)
        news = await socket.message()
    assert news["type"] == "new"
    (passage,) = news["passages"]
    assert passage["what"] == "Upplåsning: nekad – behörigheten har gått ut"
    assert (passage["tone"], passage["who"], passage["provider"]) == (
        "refused",
        "Alice Andersson",
        "Hemtjänst Norr",
    )
    assert passage["happened_at"] < passage["known_at"]


@pytest.mark.parametrize("said", [{"text": "{not json"}, {"text": "[" * 9000}, {"bytes": bytes(range(256))}])
async def test_what_a_board_says_is_passed_over(said: dict[str, Any]) -> None:
    world, user = await sync_to_async(build)()
    async with board(user) as socket:
        await socket.connect()
        await socket.message()
        await socket.wire.send_input({"type": "websocket.receive", **said})
        await sync_to_async(add_passages)(world)
        assert (await socket.message())["type"] == "new"


async def test_news_from_a_worker_thread_arrive(layer: str) -> None:
    world, user = await sync_to_async(build)()
    async with board(user) as socket:
        await socket.connect()
        assert (await socket.message())["passages"] == []

        def work() -> None:
            try:
                add_passages(world, count=3)
            finally:
                connection.close()

        worker = threading.Thread(target=work)
        worker.start()
        news = await socket.message()
        await asyncio.to_thread(worker.join)
    assert len(news["passages"]) == 3


async def test_rule_08_news_reach_the_own_municipality_only(layer: str) -> None:
    world, user = await sync_to_async(build)()
    other, other_user = await sync_to_async(build)("grannstad")
    async with board(user) as socket, board(other_user) as foreign:
        await socket.connect()
        await foreign.connect()
        await socket.message()
        await foreign.message()
        await sync_to_async(add_passages)(other)
        assert (await foreign.message())["type"] == "new"
        assert await socket.is_silent()
        # Even an id of another municipality, sent to the wrong group, shows nothing.
        ids = await sync_to_async(lambda: list(type(other.shift).unscoped.values_list("pk", flat=True)))()
        group = live.group_of(world.municipality.pk)
        await get_channel_layer().group_send(group, {"type": "passages.new", "ids": ids})
        assert await socket.is_silent(), "even an empty message would tell that somebody came"


async def test_board_speaks_the_chosen_language() -> None:
    world, user = await sync_to_async(build)()
    await sync_to_async(add_passages)(world)
    async with board(user, language="en") as socket:
        await socket.connect()
        first = await socket.message()
    assert first["passages"][0]["what"] == "Unlocking: granted"


def no_permission(municipality: Municipality) -> User:
    user = User.objects.create_user("bob", municipality=municipality, is_staff=True)
    TOTP.activate(user, "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    return user


def no_second_factor(municipality: Municipality) -> User:
    return User.objects.create_superuser("charlie", municipality=municipality)


def operator(_municipality: Municipality) -> User:
    user = User.objects.create_superuser("drift")
    TOTP.activate(user, "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    return user


@pytest.mark.parametrize("who", [None, no_permission, no_second_factor, operator])
async def test_others_are_turned_away(who: Any) -> None:
    world, _ = await sync_to_async(build)()
    user = await sync_to_async(who)(world.municipality) if who else None
    async with board(user) as socket:
        await socket.connect()
        closing = await socket.output()
    assert (closing["type"], closing["code"]) == ("websocket.close", FORBIDDEN)


async def test_another_sites_page_cannot_listen() -> None:
    _, user = await sync_to_async(build)()
    async with board(user, origin="https://evil.example") as socket:
        assert await socket.connect() == "websocket.close"


async def test_a_burst_goes_out_in_pieces(layer: str) -> None:
    channel = await listening()
    await sync_to_async(live.notify_passages)(1, range(live.IDS_PER_MESSAGE * 2 + 1))
    pieces = [await get_channel_layer().receive(channel) for _ in range(3)]
    assert [len(one["ids"]) for one in pieces] == [live.IDS_PER_MESSAGE, live.IDS_PER_MESSAGE, 1]


async def test_nothing_is_told_of_a_transaction_that_failed(layer: str) -> None:
    def failing() -> None:
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            live.notify_passages(1, [7])
            raise ZeroDivisionError

    channel = await listening()
    await sync_to_async(failing)()
    await sync_to_async(live.notify_passages)(1, [8])
    assert (await get_channel_layer().receive(channel))["ids"] == [8]


async def listening() -> str:
    """A channel that hears what is told to the boards of municipality 1."""
    channel: str = await get_channel_layer().new_channel()
    await get_channel_layer().group_add(live.group_of(1), channel)
    return channel


def test_every_protocol_name_has_words() -> None:
    from protocol.entries import EntryType
    from protocol.messages import OutcomeCode
    from protocol.reasons import Reason

    assert {kind.name.lower() for kind in EntryType} - labels.KINDS.keys() == set()
    judged = {reason.slug for reason in Reason if reason.value < 32} - {"granted", "handshake_failed"}
    assert (judged | {code.name.lower() for code in OutcomeCode}) - labels.REASONS.keys() == set()


def coordinators(world: World) -> tuple[User, User]:
    """Two providers' planners, whose staff share the gate."""
    other = make_team(world.municipality, "Omsorg Söder AB", "Grupp 9").provider
    people = []
    for provider in (world.provider, other):
        user = coordinator_of(provider)
        TOTP.activate(user, "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
        people.append(user)
    return people[0], people[1]


async def test_rule_08_a_coordinators_board_shows_own_passages_and_is_silent_about_others() -> None:
    world, _user = await sync_to_async(build)()

    def two() -> tuple[User, User]:
        with scope(municipality=world.municipality):
            return coordinators(world)

    own, foreign = await sync_to_async(two)()
    await sync_to_async(add_passages)(world)
    async with board(own) as socket, board(foreign) as other:
        assert await socket.connect() == await other.connect() == "websocket.accept"
        assert len((await socket.message())["passages"]) == 1
        assert (await other.message())["passages"] == []
        await sync_to_async(add_passages)(world)
        assert (await socket.message())["type"] == "new"
        assert await other.is_silent()


async def test_a_coordinator_who_changes_provider_sees_the_new_ones_from_then_on() -> None:
    world, _user = await sync_to_async(build)()

    def one() -> User:
        with scope(municipality=world.municipality):
            return coordinators(world)[0]

    person = await sync_to_async(one)()

    def move() -> None:
        with scope(municipality=world.municipality):
            other = type(world.provider).objects.get(name="Omsorg Söder AB")
        User.objects.filter(pk=person.pk).update(provider=other)

    async with board(person) as socket:
        await socket.connect()
        await socket.message()
        await sync_to_async(move)()
        await sync_to_async(add_passages)(world)
        assert await socket.is_silent()


def test_a_board_marks_openings_before_a_known_revocation(world: World) -> None:
    add_passages(world)
    Passage.objects.update(opened_before_known_revocation=True)
    (row,) = live.latest()
    assert (row["tone"], row["class"]) == ("meanwhile", "öppnad före känd spärr")

"""The crawl beyond pages: the API as a phone, and every websocket, with another provider beside.

Addresses come from the URL resolver, websockets from the lists that the ASGI application serves.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import time_machine
from asgiref.sync import sync_to_async
from django.test import Client as Http
from django_scopes import scope, scopes_disabled

from server.config import urls
from server.config.asgi import application
from server.passages.live import notify_passages
from server.passages.models import Passage
from server.people.models import StaffMember
from server.people.push import poke_staff
from tests.server.crawl.addresses import addresses
from tests.server.crawl.sides import Leak, added, all_rows, differences, keys_of, number_rows_apart
from tests.server.issuer import Issuer, Phone, found, give_sign_in, make_issuer
from tests.server.neighbours import MARKER, make_neighbours
from tests.server.pages import coordinator_of, fill_every_table
from tests.server.socket import Socket
from tests.server.test_live import cookies_of
from tests.server.world import HOUR, NOW, make_world

DURING_THE_SHIFT = NOW + HOUR


@dataclass
class Street:
    """Our provider's phone with real keys, and whose rows are whose."""

    issuer: Issuer
    phone: Phone
    own: dict[str, list[int]]
    foreign: dict[str, list[int]]

    @property
    def leak(self) -> Leak:
        return Leak(self.foreign)


@pytest.fixture
def street(db: None) -> Iterator[Street]:
    with time_machine.travel(DURING_THE_SHIFT, tick=False):
        number_rows_apart()
        municipality = found()
        with scope(municipality=municipality):
            issuer = make_issuer(municipality)
            give_sign_in(issuer.world.alice, "alice")
            with scopes_disabled():
                before = all_rows()
            make_neighbours(issuer.world)
        with scopes_disabled():
            after = all_rows()
        phone = Phone(Http(raise_request_exception=False), issuer.device_token)
        phone.sign_in()
        yield Street(issuer, phone, keys_of(before), added(before, after))


def test_rule_08_a_phone_hears_nothing_of_another_provider(street: Street) -> None:
    answer = street.phone.sync()
    assert answer.status_code == 200, answer.content
    assert {door["id"] for door in answer.json()["doors"]} <= set(street.own["places.door"])
    assert street.leak.in_text(answer.content.decode()) == []
    for one in (one for one in addresses() if one.route.startswith("api/") and "import" not in one.route):
        for path in one.paths(street.own):
            said = street.phone.post(path.removeprefix("/api/v1/"), {})
            assert said.status_code < 500, (path, said.content)
            assert street.leak.in_text(said.content.decode()) == [], path


def test_rule_08_a_phone_reaches_no_row_of_another_provider(street: Street) -> None:
    with scopes_disabled():
        untouched = all_rows()
    for one in (one for one in addresses() if one.route.startswith("api/") and one.stands_for_a_row):
        for path in one.paths(street.foreign):
            said = street.phone.post(path.removeprefix("/api/v1/"), {})
            assert 400 <= said.status_code < 500, (path, said.content)
            assert street.leak.in_text(said.content.decode()) == [], path
    with scopes_disabled():
        assert differences(untouched, all_rows(), but=HEARD_FROM) == []


HEARD_FROM = ("people.phonecontact", "people.user")
"""When a phone was last heard from is written whatever it asks."""


def websockets() -> list[str]:
    """Every websocket address that the ASGI application serves."""
    lists = [found for name, found in vars(urls).items() if name.endswith("websocket_urlpatterns")]
    return sorted({f"/{pattern.pattern}" for patterns in lists for pattern in patterns})


def build() -> tuple[Any, str]:
    municipality = found()
    with scope(municipality=municipality):
        ours = make_world(municipality)
        fill_every_table(ours)
        make_neighbours(ours)
        return ours, cookies_of(coordinator_of(ours.provider))


def tell_everybody(municipality_id: int) -> None:
    notify_passages(municipality_id, list(Passage.unscoped.values_list("pk", flat=True)))
    with scope(municipality=municipality_id):
        poke_staff(list(StaffMember.objects.values_list("pk", flat=True)))


@asynccontextmanager
async def connected(path: str, cookies: str) -> Any:
    socket = Socket(application, path, {"cookie": cookies, "origin": "http://localhost", "host": "localhost"})
    try:
        yield socket
    finally:
        await socket.close()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", websockets())
async def test_rule_08_no_websocket_tells_a_coordinator_of_another_provider(path: str, settings: Any) -> None:
    settings.SECOND_FACTOR_REQUIRED = False
    ours, cookies = await sync_to_async(build)()
    heard = []
    async with connected(path, cookies) as socket:
        await socket.connect()
        await sync_to_async(tell_everybody)(ours.municipality.pk)
        while not await socket.is_silent():
            heard.append(str(await socket.output()))
    assert [text for text in heard if MARKER in text] == []
    if path == "/ws/passages/":
        assert any(ours.alice.name in text for text in heard), "the own passages come"

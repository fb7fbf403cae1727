"""No page asks the database more when there are more rows, and none asks more than forty times.

Pages are found from the admin's registry and the URL resolver. Each is fetched with two copies of every row
and with twelve; the number of queries must be the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.db import connection
from django.db.models import Model
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, get_resolver
from django.urls.resolvers import URLResolver

from server.people.models import User
from server.people.roles import Role
from server.tenancy.base import TenantModel
from server.tenancy.models import Municipality
from tests.server.copies import copy_everything, originals
from tests.server.pages import QUERY_LIMIT, administrator_of
from tests.server.world import World

pytestmark = pytest.mark.once

FEW, MANY = 2, 12
ARGUMENT = re.compile(r"<(?:\w+:)?(\w+)>")
NOT_PAGES = re.compile(r"logout|password|/jsi18n|autocomplete|/r/|delete/$|passage/proof/")
"""Pages that end something, Django's own, what a form asks for as one types, and what needs real keys."""


def routes(resolver: URLResolver, prefix: str = "/") -> Iterator[str]:
    """Yield the route of every address below `resolver`."""
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from routes(entry, route)
        elif isinstance(entry, URLPattern):
            yield route


def admin_routes() -> list[str]:
    found = {route for route in routes(get_resolver()) if route.startswith("/admin/") and "(?" not in route}
    return sorted(route for route in found if not NOT_PAGES.search(route))


def model_of(route: str) -> type[Model] | None:
    """Return the model whose page a route is: /admin/<app>/<model>/…"""
    parts = route.split("/")
    for model in admin.site._registry:
        if parts[2:4] == [model._meta.app_label, model._meta.model_name]:
            return model
    return None


def addresses(world: World) -> list[str]:
    """Fill the routes in with the first row of the model that each belongs to."""
    found = []
    for route in admin_routes():
        arguments = ARGUMENT.findall(route)
        if not arguments:
            found.append(route)
            continue
        model = model_of(route)
        if model is None or len(arguments) > 1:
            continue
        row = world.municipality if model is Municipality else _first(model)
        if row is not None:
            found.append(ARGUMENT.sub(str(row.pk), route))
    found += [f"/admin/revoke/{target}/{pk}/" for target, pk in _revocable(world)]
    return found


def _first(model: type[Model]) -> Model | None:
    manager = model.unscoped if issubclass(model, TenantModel) else model._default_manager
    return manager.order_by("pk").first()


def _revocable(world: World) -> list[tuple[str, int]]:
    return [
        ("bearer", world.bearer.pk),
        ("phone", world.phone.pk),
        ("staff", world.alice.pk),
        ("provider", world.provider.pk),
    ]


def counts(browser: Browser, paths: list[str]) -> dict[str, int]:
    """Fetch every page; return the queries of those that answered with a page."""
    found = {}
    for path in paths:
        ContentType.objects.clear_cache()  # what one page remembered must not help the next crawl
        cache.clear()
        with CaptureQueriesContext(connection) as captured:
            answer = browser.get(path)
        if answer.status_code == 200:
            found[path] = len(captured)
    return found


def users(world: World) -> dict[str, User]:
    """Somebody who sees everything, and somebody who sees one provider's part of it."""
    coordinator = User.objects.create_user(
        "samordnaren", municipality=world.municipality, role=Role.COORDINATOR, provider=world.provider
    )
    return {"administrator": administrator_of(world.municipality), "coordinator": coordinator}


@pytest.mark.parametrize("who", ["administrator", "coordinator"])
def test_no_page_asks_more_when_there_are_more_rows(everything: World, client: Browser, who: str) -> None:
    client.force_login(users(everything)[who])
    rows = originals(everything.municipality.pk)
    copy_everything(rows, 1)
    paths = addresses(everything)
    few = counts(client, paths)
    for number in range(FEW, MANY):
        copy_everything(rows, number)
    many = counts(client, paths)
    assert len(few) > len(admin.site._registry), "the crawl must meet the lists and more"
    assert {path: (few.get(path), many.get(path)) for path in few if few[path] != many.get(path)} == {}
    assert {path: count for path, count in many.items() if count > QUERY_LIMIT} == {}

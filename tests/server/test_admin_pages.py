"""Every admin page, found from the registry: it answers, in Swedish, without secrets or foreign rows."""

from __future__ import annotations

from typing import Any

import pytest
from babel.messages.pofile import read_po
from django.contrib import admin
from django.db.models import Model
from django.test import Client as Browser
from django.utils import translation

from server.tenancy.base import TenantModel
from server.tenancy.models import Municipality
from tests.server.pages import QUERY_LIMIT, REGISTERED, SECRET, address, administrator_of, name_of
from tests.server.world import World

pytestmark = pytest.mark.once

SHOWN_ELSEWHERE = {
    "passages.batchhead": "the page that proves a log whole",
    "passages.lockclock": "the correction on the lock's page",
    "switches.switchedclient": "a provider switch's own page",
    "switches.switcheddoor": "a provider switch's proof",
    "switches.gateneighbour": "a provider switch's proof",
}
"""Models without a page of their own, and which page shows their rows."""


def test_every_model_has_a_page() -> None:
    from django.apps import apps

    ours = {model._meta.label_lower for model in apps.get_models() if model.__module__.startswith("server.")}
    assert ours - {model._meta.label_lower for model in REGISTERED} == set(SHOWN_ELSEWHERE)


@pytest.mark.parametrize("model", REGISTERED, ids=name_of)
def test_list_is_searchable_and_bounded(
    desk: Browser, beside: World, model: type[Model], django_assert_max_num_queries: Any
) -> None:
    assert admin.site._registry[model].search_fields
    with django_assert_max_num_queries(QUERY_LIMIT):
        answer = desk.get(address(model, "changelist"))
    assert answer.status_code == 200
    assert answer.context["cl"].result_count >= 1, "the crawl must meet a row of every model"
    for query in ("Alice", "Främling", "%", "'"):
        assert desk.get(address(model, "changelist"), {"q": query}).status_code == 200


@pytest.mark.parametrize("model", REGISTERED, ids=name_of)
def test_rule_08_no_page_shows_another_municipality(desk: Browser, beside: World, model: type[Model]) -> None:
    paths = [address(model, "changelist"), address(model, "changelist") + "?q=Fr%C3%A4mling"]
    rows = model._base_manager.filter(pk__in=desk.get(paths[0]).context["cl"].queryset.values("pk"))
    paths += [address(model, "change", row.pk) for row in rows]
    if admin.site._registry[model].has_add_permission(desk.get(paths[0]).wsgi_request):
        paths.append(address(model, "add"))
    for path in paths:
        page = desk.get(path).content.decode()
        own_query = page.replace('value="Främling"', "")
        assert "Främling" not in own_query and "Grannstad" not in own_query, path


@pytest.mark.parametrize("model", REGISTERED, ids=name_of)
def test_rule_08_another_municipalitys_row_is_not_found(
    desk: Browser, beside: World, model: type[Model]
) -> None:
    if issubclass(model, TenantModel):
        foreign = model.unscoped.filter(municipality=beside.municipality).first()
    elif model is Municipality:
        foreign = beside.municipality
    else:
        foreign = administrator_of(beside.municipality)
    assert foreign is not None
    for page in ("change", "delete", "history"):
        answer = desk.get(address(model, page, foreign.pk))
        # The admin answers a row it cannot see with a redirect home and a message, never with the row.
        assert answer.status_code in (302, 403, 404), page


@pytest.mark.parametrize("model", REGISTERED, ids=name_of)
def test_pages_never_show_secrets(desk: Browser, model: type[Model]) -> None:
    for row in desk.get(address(model, "changelist")).context["cl"].queryset[:3]:
        page = desk.get(address(model, "change", row.pk)).content.decode()
        assert "secret bytes" not in page
        assert SECRET.hex() not in page
        assert "b&#x27;" not in page, "bytes are shown as hexadecimal, not as Python writes them"


@pytest.mark.parametrize("model", REGISTERED, ids=name_of)
def test_pages_speak_swedish(desk: Browser, model: type[Model]) -> None:
    with translation.override("en"):
        english = {str(model._meta.verbose_name), str(model._meta.verbose_name_plural)}
        english |= {str(field.verbose_name) for field in model._meta.concrete_fields}
    with translation.override("sv"):
        swedish = {str(model._meta.verbose_name), str(model._meta.verbose_name_plural)}
        swedish |= {str(field.verbose_name) for field in model._meta.concrete_fields}
    same_in_both = {"status", "version", "id", "passage", "passages", "SHA-256", "ID", "start"}
    assert (english & swedish) - same_in_both == set()
    assert 'lang="sv"' in desk.get(address(model, "changelist")).content.decode()


def test_catalogue_is_complete(settings: Any) -> None:
    with (settings.LOCALE_PATHS[0] / "sv" / "LC_MESSAGES" / "django.po").open("rb") as source:
        catalogue = read_po(source)
    assert [message.id for message in catalogue if message.id and not message.string] == []
    assert [message.id for message in catalogue if message.id and message.fuzzy] == []


@pytest.mark.parametrize(
    "address",
    [
        "/admin/passages/passage/?kind=%00",
        "/admin/audit/auditentry/?action=a%00b",
        "/admin/places/door/?q=%00",
        "/admin/who-may-open/?q=%00",
        "/admin/autocomplete/?app_label=care&model_name=client&field_name=door&term=%00",
        "/admin/people/staffmember/?provider__id__exact=%00",
    ],
)
def test_a_search_that_no_database_takes_is_refused(desk: Browser, address: str) -> None:
    assert desk.get(address).status_code == 400

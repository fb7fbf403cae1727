"""Every address of the server, visited by a coordinator and an owner's contact with another provider beside.

The pages, endpoints and lists are found from the URL resolver and the admin registry, never from a list here:
a new one is visited as soon as it exists. Three things are asked of each answer: it says nothing that belongs
to the other provider, it is the same to the letter as if the other provider did not exist, and asking for it
changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

import pytest
import time_machine
from django.contrib import admin
from django.db.models import CharField, Field, ForeignKey, Model
from django.forms import ModelChoiceField
from django.test import Client as Browser
from django.urls import reverse
from django_scopes import scope, scopes_disabled

from server.audit.models import AuditEntry
from server.care.models import Client
from server.config.visibility import SIGHTS, nothing
from server.people.models import User
from tests.server.crawl.addresses import Address, addresses
from tests.server.crawl.sides import Leak, added, all_rows, differences, keys_of, number_rows_apart
from tests.server.crawl.visitor import Page, Visitor
from tests.server.issuer import found
from tests.server.neighbours import MARKER, make_neighbours
from tests.server.pages import (
    address,
    administrator_of,
    auditor_of,
    coordinator_of,
    fill_every_table,
    installer_of,
    owner_contact_of,
)
from tests.server.world import HOUR, NOW, World, make_world

pytestmark = pytest.mark.once

DURING_THE_SHIFT = NOW + HOUR
READING_IS_RECORDED = ("audit.auditentry",)
REFUSED = (302, 401, 403, 404, 405)
SENT: list[dict[str, str]] = [
    {},
    {"post": "yes", "sure": "on", "confirm": "on", "reason": "other", "_save": "1"},
]
ASKS_FOR_MORE = ("alarms_alarm_assign",)
"""Answers 404 until a person is chosen too."""
OWN_ACCOUNT = ("/admin/password_change", "/admin/logout", "/admin/login")
NEVER_THE_SAME = ("/accounts/2fa/",)
"""Setting up a second factor begins with a new secret each time."""

Who = Callable[[World], User]
NARROW: dict[str, Who] = {
    "coordinator": lambda ours: coordinator_of(ours.provider),
    "owner_contact": lambda ours: owner_contact_of(ours.owner),
}


@dataclass
class Town:
    """A municipality with one provider's rows, where another's can be put beside."""

    ours: World
    own: dict[str, list[int]]
    foreign: dict[str, list[int]]

    def put_another_beside(self) -> Leak:
        with scopes_disabled():
            before = all_rows()
        with scope(municipality=self.ours.municipality):
            make_neighbours(self.ours)
        with scopes_disabled():
            self.foreign = added(before, all_rows())
        return Leak(self.foreign)


@pytest.fixture
def town(db: None, settings: Any) -> Iterator[Town]:
    settings.SECOND_FACTOR_REQUIRED = False
    with time_machine.travel(DURING_THE_SHIFT, tick=False):
        number_rows_apart()
        municipality = found()
        with scope(municipality=municipality):
            ours = make_world(municipality)
            fill_every_table(ours)
            ours.alice.user = User.objects.create_user("alice", municipality=municipality)
            ours.alice.save()
        with scopes_disabled():
            yield Town(ours, keys_of(all_rows()), {})


def browser_of(user: User) -> Browser:
    browser = Browser(raise_request_exception=False)
    browser.force_login(user)
    return browser


def paths_of(keys: dict[str, list[int]]) -> list[str]:
    return [path for one in addresses() for path in one.paths(keys)]


def for_rows() -> list[Address]:
    """Addresses that stand for one row each."""
    return [one for one in addresses() if one.stands_for_a_row and not one.route.startswith("accounts/")]


def test_the_crawl_meets_a_row_of_every_model(town: Town) -> None:
    town.put_another_beside()
    partly_seen = sorted(label for label, sight in SIGHTS.items() if sight.provider is not nothing)
    assert [label for label in partly_seen if not town.own[label]] == [], "see fill_every_table in pages.py"
    assert [label for label in partly_seen if not town.foreign[label]] == [], "see neighbours.py"


def test_the_crawl_reaches_every_page_about_a_row(town: Town) -> None:
    """What it fills in is right: the administrator, who may see everything, gets an answer."""
    browser = browser_of(administrator_of(town.ours.municipality))
    unreached = {}
    for one in (one for one in for_rows() if one.name not in ASKS_FOR_MORE):
        answers = {path: browser.get(path).status_code for path in one.paths(town.own)}
        if answers and not {200, 302, 401, 403, 405} & set(answers.values()):
            unreached[one.name or one.route] = answers
    assert unreached == {}, "teach the crawl what stands there: TAUGHT in crawl/addresses.py"


@pytest.mark.parametrize("who", NARROW)
def test_rule_08_no_page_says_anything_of_another_provider(town: Town, who: str) -> None:
    user = NARROW[who](town.ours)
    alone, beside = Visitor(browser_of(user)), Visitor(browser_of(user))
    paths = paths_of(keys_of(all_rows()))
    alone.go_round(paths)
    leak = town.put_another_beside()
    untouched = all_rows()
    beside.go_round(paths)
    assert [(page.path, page.status) for page in beside.pages.values() if page.status >= 500] == []
    assert [(page.path, found) for page in beside.pages.values() if (found := leak.in_text(page.text))] == []
    assert beside.pages.keys() == alone.pages.keys(), "links that only the other provider brought"
    differing = [
        path
        for path, page in beside.pages.items()
        if page.steady != alone.pages[path].steady and not path.startswith(NEVER_THE_SAME)
    ]
    assert differing == [], "these pages count or order by what must not be seen"
    assert differences(untouched, all_rows(), but=READING_IS_RECORDED) == []


@pytest.mark.parametrize("who", NARROW)
def test_rule_08_no_row_of_another_provider_is_reached(town: Town, who: str) -> None:
    user = NARROW[who](town.ours)
    leak = town.put_another_beside()
    visitor, untouched = Visitor(browser_of(user)), all_rows()
    for one in for_rows():
        for path in one.paths(town.foreign):
            page = visitor.get(path)
            assert page.status in REFUSED, f"{path} answers {page.status}"
            assert leak.in_text(page.text.partition("\n")[2]) == [], path
            for sent in SENT:
                answer = visitor.browser.post(path, sent)
                assert answer.status_code in REFUSED, f"POST {path} answers {answer.status_code}"
        assert differences(untouched, all_rows()) == [], f"/{one.route}"


@pytest.mark.parametrize("who", NARROW)
def test_rule_08_no_search_filter_or_choice_finds_another_provider(town: Town, who: str) -> None:
    """Asking for what is another's answers the same as asking for what does not exist."""
    user = NARROW[who](town.ours)
    leak = town.put_another_beside()
    visitor = Visitor(browser_of(user))
    shut: dict[str, bool] = {}
    found = []
    for path, name, word, nobodys in questions(town.foreign):
        if path not in shut:
            shut[path] = visitor.get(path).status != 200
        if shut[path]:
            continue
        page, none = visitor.get(path, {name: word}), visitor.get(path, {name: nobodys})
        differs = without(page.steady, word) != without(none.steady, nobodys)
        if page.status >= 500 or differs or leak.in_text(page.text, asked=[word]):
            found.append((path, name, word, page.status))
    assert found == []


@pytest.mark.parametrize("who", NARROW)
def test_rule_08_no_form_takes_in_a_row_of_another_provider(town: Town, who: str) -> None:
    user = NARROW[who](town.ours)
    town.put_another_beside()
    visitor, untouched, tried = Visitor(browser_of(user)), all_rows(), 0
    for path in paths_of(town.own):
        for form in forms_of(visitor.get(path)):
            for name, choice in form.fields.items():
                for pk in foreign_choices(choice, town.foreign):
                    assert not choice.queryset.filter(pk=pk).exists(), f"{path}: {name} offers {pk}"
                    visitor.browser.post(path, {**said_by(form), form.add_prefix(name): pk})
                    tried += 1
        assert differences(untouched, all_rows(), but=READING_IS_RECORDED) == [], path
    assert tried or who == "owner_contact"


def test_an_auditor_sees_the_trail_and_changes_nothing(town: Town) -> None:
    visitor = Visitor(browser_of(auditor_of(town.ours.municipality)))
    visitor.visit(paths_of(town.own))
    assert [(page.path, page.status) for page in visitor.pages.values() if page.status >= 500] == []
    untouched = all_rows()
    for path in visitor.pages:
        if path.startswith("/admin/") and not path.startswith(OWN_ACCOUNT):
            for sent in SENT:
                visitor.browser.post(path, sent)
    assert differences(untouched, all_rows(), but=READING_IS_RECORDED) == []
    assert visitor.pages[address(AuditEntry, "changelist")].status == 200


def test_an_installer_meets_no_broken_page_and_no_clients(town: Town) -> None:
    visitor = Visitor(browser_of(installer_of(town.ours.municipality)))
    visitor.visit(paths_of(town.own))
    assert [(page.path, page.status) for page in visitor.pages.values() if page.status >= 500] == []
    assert visitor.pages[address(Client, "changelist")].status == 403
    told = [path for path, page in visitor.pages.items() if town.ours.alice.name in page.text]
    assert told == []


Question = tuple[str, str, object, object]
"""Where to ask, which parameter, for what of another's, and for what that nobody has."""
NOBODY, NO_NUMBER = "Nobody-99", 99_999_999


def questions(foreign: dict[str, list[int]]) -> Iterator[Question]:
    """What somebody might ask lists, choosers and pages of our own, to find out about others."""
    for model in admin.site._registry:
        yield address(model, "changelist"), "q", MARKER, NOBODY
        for field in model._meta.get_fields():
            related = field.related_model
            if isinstance(related, type) and foreign.get(related._meta.label_lower):
                yield from questions_about(model, field, foreign[related._meta.label_lower][0])
    subjects = ("door", "client", "staff", "provider", "team", "lock", "owner", "property")
    labels = {key: next(label for label in foreign if key in label.split(".")[1]) for key in subjects}
    for one in (one for one in addresses() if one.route.startswith("admin/") and not one.arguments):
        if one.name.endswith("_changelist"):
            continue  # asked above
        for key in ("q", "code", "alarm_code"):
            yield "/" + one.route, key, MARKER, NOBODY
        for key, label in labels.items():
            yield "/" + one.route, key, foreign[label][0], NO_NUMBER


def questions_about(model: type[Model], field: Field[Any, Any], pk: int) -> Iterator[Question]:
    """Ask a list for rows that belong to a foreign row, by its number and by what is written in it."""
    assert isinstance(field.related_model, type)
    yield address(model, "changelist"), f"{field.name}__id__exact", pk, NO_NUMBER
    for column, value in texts_of(field.related_model, pk).items():
        yield address(model, "changelist"), f"{field.name}__{column}", value, NOBODY
    if isinstance(field, ForeignKey):
        names = {"app_label": model._meta.app_label, "model_name": model._meta.model_name}
        chooser = f"{reverse('admin:autocomplete')}?{urlencode({**names, 'field_name': field.name})}"
        yield chooser, "term", MARKER, NOBODY


def without(text: str, word: object) -> str:
    """Return a page without the question it repeats."""
    for written in {str(word), quote(str(word)), quote_plus(str(word))}:
        text = text.replace(written, "")
    return text


def texts_of(model: Any, pk: int) -> dict[str, str]:
    row = model._base_manager.get(pk=pk)
    names = [one.name for one in model._meta.concrete_fields if isinstance(one, CharField)]
    return {name: value for name in names if MARKER in (value := str(getattr(row, name)))}


def forms_of(page: Page) -> list[Any]:
    """Return the Django forms that a page shows."""
    if page.status != 200 or page.context is None:
        return []
    found = [page.context[name] for name in ("form", "adminform") if name in page.context]
    forms = [getattr(one, "form", one) for one in found]
    return [one for one in forms if hasattr(one, "fields")]


def said_by(form: Any) -> dict[str, Any]:
    """Return what a form would send as it stands."""
    said = {form.add_prefix(name): form.get_initial_for_field(one, name) for name, one in form.fields.items()}
    return {name: value for name, value in said.items() if value is not None}


def foreign_choices(choice: Any, foreign: dict[str, list[int]]) -> list[int]:
    """Return foreign rows of the kind that a field lets choose."""
    if not isinstance(choice, ModelChoiceField) or choice.queryset is None:
        return []
    return foreign.get(choice.queryset.model._meta.label_lower, [])

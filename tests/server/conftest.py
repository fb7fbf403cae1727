"""Fixtures of the server's tests: a municipality in scope, and one beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client as Http
from django_scopes import scope

from server.people.models import User
from server.tenancy.models import Municipality
from tests.server.issuer import Issuer, Phone, found, give_sign_in, make_issuer
from tests.server.neighbours import Neighbours, make_neighbours
from tests.server.pages import administrator_of, fill_every_table
from tests.server.world import World, make_municipality, make_staff, make_world


@pytest.fixture(autouse=True)
def fresh_cache() -> Iterator[None]:
    """Rate limits of one test must not reach the next."""
    cache.clear()
    yield


@pytest.fixture
def municipality(db: None) -> Municipality:
    return make_municipality()


@pytest.fixture
def world(municipality: Municipality) -> Iterator[World]:
    """A municipality where everything is in order; the test runs within its scope."""
    with scope(municipality=municipality):
        yield make_world(municipality)


@pytest.fixture
def other_world(world: World) -> World:
    """A second municipality that must never show; built outside the test's scope."""
    other = make_municipality("grannstad")
    with scope(municipality=other):
        return make_world(other)


@pytest.fixture
def issuer(db: None) -> Iterator[Issuer]:
    """The same with real keys and locks that can log; the test runs within its scope."""
    municipality = found()
    with scope(municipality=municipality):
        yield make_issuer(municipality)


@pytest.fixture
def other_issuer(issuer: Issuer) -> Issuer:
    """A second municipality with keys of its own."""
    other = found("grannstad")
    with scope(municipality=other):
        return make_issuer(other, "grannens-telefon")


@pytest.fixture
def phone(issuer: Issuer, client: Http) -> Phone:
    """Alice's phone: enrolled, and Alice can sign in on it."""
    give_sign_in(issuer.world.alice, "alice")
    return Phone(client, issuer.device_token)


@pytest.fixture
def ivar(issuer: Issuer) -> User:
    """An installer, who may sign in."""
    return give_sign_in(make_staff(issuer.world.team, "Ivar Installatör"), "ivar", role="installer")


@pytest.fixture
def installer(ivar: User, client: Http) -> Phone:
    """His phone, signed in."""
    phone = Phone(client)
    phone.sign_in("ivar")
    return phone


@pytest.fixture
def everything(world: World, settings: Any) -> World:
    """The world with a row in every table, and no second factor asked for."""
    settings.SECOND_FACTOR_REQUIRED = False
    fill_every_table(world)
    return world


@pytest.fixture
def neighbours(everything: World) -> Neighbours:
    """Another provider in the same municipality, sharing our gate, whose rows stand out."""
    return make_neighbours(everything)


@pytest.fixture
def desk(everything: World, client: Http) -> Http:
    """A browser in which the municipality's administrator is signed in."""
    client.force_login(administrator_of(everything.municipality))
    return client


@pytest.fixture
def beside(everything: World) -> World:
    """A neighbouring municipality whose rows carry names that stand out."""
    municipality = make_municipality("grannstad")
    with scope(municipality=municipality):
        other = make_world(municipality)
        fill_every_table(other)
        for row, column in (
            (other.provider, "name"),
            (other.team, "name"),
            (other.alice, "name"),
            (other.owner, "name"),
            (other.property, "designation"),
            (other.gate, "address"),
            (other.apartment, "address"),
            (other.gate_binding.lock, "name"),
            (other.apartment_binding.lock, "name"),
            (other.client, "alarm_code"),
            (other.phone, "label"),
        ):
            setattr(row, column, f"Främling {row.pk} {column}"[:20])
            row.save()
    return other

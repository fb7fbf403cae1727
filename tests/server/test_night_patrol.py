"""A night patrol whose standing right covers many doors: issued, synced and shown without growing."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import time_machine
from django.test import Client as Http
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from server.access.domain.issue import issue_ahead, issue_for_bearer, issue_for_clients
from server.access.models import StandingRight, Token
from server.care.models import Client, Consent
from server.locks.models import Binding, Lock
from server.people.models import Bearer
from server.places.models import Door
from tests.server.issuer import Issuer, Phone, give_sign_in, real_phone
from tests.server.pages import patrol_of
from tests.server.world import LONG_AGO, NOW, SHIFT_END, World, make_bearer, make_shift, make_staff, make_team

DOORS = 300
DEVICE = "nattens-telefon"


def add_doors(world: World, count: int) -> None:
    """Make apartments with locks, and clients who consented and have an alarm, but no assignment."""
    m = {"municipality": world.municipality}
    doors = Door.objects.bulk_create(
        Door(
            **m,
            property=world.property,
            kind="apartment",
            address="Långgatan 1",
            number=str(number),
            must_sign=Door.Signatory.RESIDENT,
        )
        for number in range(count)
    )
    locks = Lock.objects.bulk_create(
        Lock(
            **m,
            name=f"N{number}",
            lock_id=secrets.token_bytes(8),
            static_public_key=secrets.token_bytes(32),
            log_public_key=secrets.token_bytes(32),
            seal_public_key=secrets.token_bytes(32),
            state=Lock.State.MOUNTED,
        )
        for number in range(count)
    )
    sealed = bytes(world.gate_binding.sealed_adv_key)
    record = bytes(world.gate_binding.lock_record or b"")
    Binding.objects.bulk_create(
        Binding(
            **m,
            binding_id=secrets.token_bytes(8),
            lock=lock,
            door=door,
            starts_at=LONG_AGO,
            commissioned_at=LONG_AGO,
            sealed_adv_key=sealed,
            lock_record=record,
        )
        for lock, door in zip(locks, doors, strict=True)
    )
    clients = Client.objects.bulk_create(
        Client(**m, alarm_code=f"N{number}", door=door) for number, door in enumerate(doors)
    )
    Consent.objects.bulk_create(
        Consent(**m, scope="client", client=client, signed_by="resident", valid_from=LONG_AGO)
        for client in clients
    )


def make_patrol(issuer: Issuer, doors: int) -> Bearer:
    """Give Nils of the night patrol a shift, a phone, and a standing right everywhere."""
    world = issuer.world
    add_doors(world, doors)
    team = make_team(world.municipality, "Trygghetsjouren", "Nattpatrullen")
    StandingRight.objects.create(
        municipality=world.municipality, team=team, everywhere=True, starts_at=LONG_AGO
    )
    nils = make_staff(team, "Nils Natt")
    make_shift(nils, team)
    bearer = make_bearer(nils)
    real_phone(bearer, DEVICE)
    return bearer


def test_every_door_has_its_key_and_the_phone_fetches_them_all(issuer: Issuer, client: Http) -> None:
    bearer = make_patrol(issuer, DOORS)
    give_sign_in(bearer.staff, "nils")
    phone = Phone(client, DEVICE)
    with time_machine.travel(NOW, tick=False):
        phone.sign_in("nils")
        answer = phone.sync().json()
        assert len(answer["rights"]) == DOORS + 2
        assert phone.sync(answer["cursor"]).json()["rights"] == []


def test_issuing_again_and_one_pause_touch_little(
    issuer: Issuer, django_assert_max_num_queries: Callable[[int], CaptureQueriesContext]
) -> None:
    bearer = make_patrol(issuer, DOORS)
    assert issue_for_bearer(bearer=bearer, at=NOW).signed == DOORS + 2
    with django_assert_max_num_queries(20):
        assert issue_for_bearer(bearer=bearer, at=NOW).signed == 0
    paused = Client.objects.get(alarm_code="N7")
    Client.objects.filter(pk=paused.pk).update(paused_at=NOW)
    with django_assert_max_num_queries(60):
        done = issue_for_clients(municipality=issuer.municipality, client_ids=[paused.pk], at=NOW)
    assert (done.revoked, done.signed) == (1, 0)


def test_pages_about_the_patrol_show_a_piece_at_a_time(
    issuer: Issuer,
    client: Http,
    settings: Any,
    django_assert_max_num_queries: Callable[[int], CaptureQueriesContext],
) -> None:
    settings.SECOND_FACTOR_REQUIRED = False
    bearer = make_patrol(issuer, DOORS)
    issue_ahead(municipality=issuer.municipality, at=NOW)
    with time_machine.travel(NOW, tick=False):
        client.force_login(patrol_of(issuer.municipality))
        for path in (
            f"{reverse('admin:who_may_open')}?staff={bearer.staff_id}",
            reverse("admin:revoke", args=["phone", bearer.phone_id]),
        ):
            with django_assert_max_num_queries(35):
                page = client.get(path).content.decode()
            assert page.count('<th scope="row">') in (50, 100)
    assert Token.objects.filter(bearer=bearer, expires__gt=SHIFT_END).count() == DOORS + 2

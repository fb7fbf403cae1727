"""The pages of a provider switch: choosing, preview, proof, and who may see what of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client as Http
from django.urls import reverse

from server.care.models import CareAssignment
from server.locks.models import LockStatus
from server.people.models import User
from server.people.roles import Role
from server.switches.domain.renewing import renew_all
from server.switches.models import ProviderSwitch
from tests.server.issuer import Issuer
from tests.server.pages import administrator_of
from tests.server.switchworld import SwitchWorld, make_switch_world, more_care
from tests.server.world import HOUR, NOW, SHIFT_START

pytestmark = pytest.mark.once

NOON = SHIFT_START + 4 * HOUR
ADD = "admin:switches_providerswitch_add"
CHANGE = "admin:switches_providerswitch_change"


@pytest.fixture
def here(issuer: Issuer, settings: Any) -> Iterator[SwitchWorld]:
    settings.SECOND_FACTOR_REQUIRED = False
    made = make_switch_world(issuer)
    made.issue()
    with time_machine.travel(NOW, tick=False):
        yield made


@pytest.fixture
def patrol(here: SwitchWorld, client: Http) -> Http:
    user = User.objects.create_user("jour", municipality=here.issuer.municipality, role=Role.PATROL)
    user.is_staff = True
    user.save()
    client.force_login(user)
    return client


def coordinator(here: SwitchWorld, provider: Any) -> Http:
    user = User.objects.create_user(
        f"samordnare-{provider.pk}",
        municipality=here.issuer.municipality,
        role=Role.COORDINATOR,
        provider=provider,
        is_staff=True,
    )
    http = Http()
    http.force_login(user)
    return http


def chosen(here: SwitchWorld, **fields: Any) -> dict[str, Any]:
    return {
        "step": "choose",
        "from_provider": here.norr.pk,
        "to_provider": here.syd.provider_id,
        "who": "codes",
        "codes": "4711",
        "when": "at",
        "at": "2026-11-23T12:00",
        **fields,
    }


def hidden(page: Any) -> dict[str, str]:
    return {"draft": page.context["draft"], "form_key": page.context.get("form_key", "")}


def test_one_client_from_choice_to_proof(here: SwitchWorld, patrol: Http) -> None:
    shown = patrol.post(reverse(ADD), chosen(here))  # Syd has one team: no second step
    assert shown.context["step"] == 3
    assert not ProviderSwitch.objects.exists()
    done = patrol.post(reverse(ADD), {"step": "confirm", "sure": "yes", **hidden(shown)}, follow=True)
    switch = ProviderSwitch.objects.get()
    assert done.redirect_chain[-1][0] == reverse(CHANGE, args=[switch.pk])
    assert switch.at == NOON  # noon in Sweden
    renew_all(here.issuer.municipality, at=NOW)  # where a worker does it, it may not have come to it yet
    switch.refresh_from_db()
    assert switch.issued_at == NOW
    assert "4711" in done.content.decode()
    again = patrol.post(reverse(ADD), {"step": "confirm", "sure": "yes", **hidden(shown)}, follow=True)
    assert again.redirect_chain[-1][0] == reverse(CHANGE, args=[switch.pk])
    assert CareAssignment.objects.filter(client=here.issuer.world.client).count() == 2


def test_nothing_is_switched_without_the_tick_or_with_a_changed_draft(
    here: SwitchWorld, patrol: Http
) -> None:
    shown = patrol.post(reverse(ADD), chosen(here))
    assert patrol.post(reverse(ADD), {"step": "confirm", **hidden(shown)}).context["step"] == 3
    forged = {**hidden(shown), "draft": hidden(shown)["draft"] + "x", "sure": "yes"}
    assert patrol.post(reverse(ADD), {"step": "confirm", **forged}).status_code == 302
    assert not ProviderSwitch.objects.exists()


def test_every_bad_code_is_listed_and_nothing_is_chosen(here: SwitchWorld, patrol: Http) -> None:
    codes = "larmkod;namn\n4711;x\n4712\n9999\n4711\n=1+1"
    shown = patrol.post(reverse(ADD), chosen(here, codes=codes))
    assert [(bad.line, bad.code) for bad in shown.context["form"].bad_codes] == [
        (3, "4712"),
        (4, "9999"),
        (5, "4711"),
        (6, "=1+1"),
    ]


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("2027-03-28T02:30", "Det finns inget 02:30"),
        ("2027-10-31T02:30", "02:30 kommer två gånger"),
        ("2026-11-23T07:00", "Tidpunkten har passerat"),
        ("snart", "Skriv datum och tid"),
    ],
)
def test_an_instant_that_is_none_is_refused_in_words(
    here: SwitchWorld, patrol: Http, at: str, said: str
) -> None:
    shown = patrol.post(reverse(ADD), chosen(here, at=at))
    assert shown.context["step"] == 1
    assert said in " ".join(shown.context["form"].errors["at"])


def test_all_clients_of_a_provider_a_team_or_an_area(here: SwitchWorld, patrol: Http) -> None:
    world = here.issuer.world
    more_care(here, world.team, here.neighbour)
    world.property.area = "Centrum"
    world.property.save()
    for who in (
        {"who": "all"},
        {"who": "team", "team": world.team.pk},
        {"who": "area", "area": "Centrum"},
    ):
        shown = patrol.post(reverse(ADD), chosen(here, codes="", **who))
        codes = [one.plan.client.alarm_code for one in shown.context["shown"].clients]
        assert codes == ["4711", "4712"], who


def test_what_changed_since_the_preview_is_shown_with_a_new_one(here: SwitchWorld, patrol: Http) -> None:
    shown = patrol.post(reverse(ADD), chosen(here))
    CareAssignment.objects.filter(client=here.issuer.world.client).update(ends_at=NOON + HOUR)
    refused = patrol.post(reverse(ADD), {"step": "confirm", "sure": "yes", **hidden(shown)})
    assert refused.context["refused"].details[0][0] == "4711"
    assert not ProviderSwitch.objects.exists()
    done = patrol.post(reverse(ADD), {"step": "confirm", "sure": "yes", **hidden(refused)})
    assert done.status_code == 302


def test_a_planned_switch_is_taken_back_with_one_click(here: SwitchWorld, patrol: Http) -> None:
    switch = here.switch(at=NOON)
    shown = patrol.post(reverse("admin:switches_cancel", args=[switch.pk]), follow=True)
    assert "återtaget" in shown.content.decode()
    assert CareAssignment.objects.filter(client=here.issuer.world.client, ends_at=None).count() == 1


def test_the_files_cannot_make_a_spreadsheet_compute(here: SwitchWorld, patrol: Http) -> None:
    world = here.issuer.world
    world.client.alarm_code = "=4711"
    world.client.save()
    switch = here.switch(at=NOON)
    proof = patrol.get(reverse("admin:switches_proof_file", args=[switch.pk])).content.decode("utf-8-sig")
    assert proof.splitlines()[1].startswith("'=4711;")


def test_coordinators_see_their_own_switches_and_change_none(here: SwitchWorld) -> None:
    more_care(here, here.issuer.world.team, here.neighbour)
    switch = here.switch(at=NOON)
    for provider in (here.norr, here.syd.provider):
        http = coordinator(here, provider)
        page = http.get(reverse(CHANGE, args=[switch.pk]))
        assert page.status_code == 200
        assert page.context["neighbours"] is None
        assert "Hemtjänst Väst" not in page.content.decode()
        assert http.get(reverse(ADD)).status_code == 403
        assert http.post(reverse("admin:switches_cancel", args=[switch.pk])).status_code == 403
    outsider = coordinator(here, here.vast.provider)
    assert outsider.get(reverse(CHANGE, args=[switch.pk])).status_code == 404
    assert outsider.get(reverse("admin:switches_proof_file", args=[switch.pk])).status_code == 404
    assert outsider.get(reverse("admin:switches_proof_part", args=[switch.pk])).status_code == 404


def test_the_new_provider_does_not_learn_of_the_old_ones_other_clients(here: SwitchWorld) -> None:
    more_care(here, here.issuer.world.team, here.neighbour)
    switch = here.switch(at=NOON)
    for provider, sees in ((here.norr, True), (here.syd.provider, False)):
        http = coordinator(here, provider)
        for name in ("admin:switches_providerswitch_change", "admin:switches_proof_file"):
            text = http.get(reverse(name, args=[switch.pk])).content.decode()
            assert ("4712" in text) is sees, (provider, name)


def test_the_pages_ask_no_more_for_many_clients(
    here: SwitchWorld, client: Http, django_assert_max_num_queries: Any
) -> None:
    client.force_login(administrator_of(here.issuer.municipality))
    with time_machine.travel(NOW + timedelta(seconds=1), tick=False):
        switch = here.switch(at=NOON)
        with django_assert_max_num_queries(40):
            assert client.post(
                reverse(ADD), chosen(here, codes="", who="all", to_provider=here.vast.provider_id)
            )
        with django_assert_max_num_queries(40):
            assert client.get(reverse(CHANGE, args=[switch.pk])).status_code == 200
        with django_assert_max_num_queries(40):
            assert client.get(reverse("admin:switches_providerswitch_changelist")).status_code == 200


def test_a_lock_that_lost_the_time_is_named_and_not_called_done(here: SwitchWorld, patrol: Http) -> None:
    switch = here.switch(at=SHIFT_START + 4 * HOUR)
    lock = here.issuer.world.apartment_binding.lock
    LockStatus.objects.update_or_create(
        municipality=lock.municipality, lock=lock, defaults={"clock_uncertain": True}
    )
    with time_machine.travel(SHIFT_START + 30 * HOUR, tick=False):
        patrol.force_login(User.objects.get(username="jour"))
        shown = patrol.get(reverse(CHANGE, args=[switch.pk])).content.decode()
    assert "1 lås har tappat tiden" in shown
    assert "den sista nyckeln har gått ut, men öppnar tills" in shown

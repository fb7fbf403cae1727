"""Two switches of one client at the same instant, and one form sent twice at once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django_scopes import scope

from server.care.models import CareAssignment
from server.switches.domain.drafts import Draft
from server.switches.domain.switching import SwitchRefusedError, decide_switch
from server.switches.models import ProviderSwitch
from tests.server.issuer import Issuer, found, make_issuer
from tests.server.switchworld import SwitchWorld, make_switch_world
from tests.server.test_concurrency import at_once
from tests.server.world import HOUR, NOW, SHIFT_START

pytestmark = pytest.mark.django_db(transaction=True)
NOON = SHIFT_START + 4 * HOUR


@pytest.fixture
def issuer(transactional_db: None) -> Iterator[Issuer]:
    """The keyed world, committed, so that other connections see it."""
    municipality = found()
    with scope(municipality=municipality):
        yield make_issuer(municipality)


@pytest.fixture
def here(issuer: Issuer) -> SwitchWorld:
    return make_switch_world(issuer)


def decide(draft: Draft, form_key: str) -> ProviderSwitch:
    return decide_switch(draft=draft, form_key=form_key, at=NOW, actor=None)


def test_of_two_switches_at_once_one_wins_and_the_other_hears_why(here: SwitchWorld) -> None:
    to_syd = here.draft(at=NOON)
    to_vast = here.draft(at=NOON, to_provider=here.vast.provider_id, teams={"": here.vast.pk})
    results = at_once(here.issuer, lambda: decide(to_syd, "a"), lambda: decide(to_vast, "b"))
    refused = [one for one in results if isinstance(one, SwitchRefusedError)]
    assert len(refused) == 1, results
    assert [code for code, _why in refused[0].details] == ["4711"]
    assert ProviderSwitch.objects.count() == 1
    assert CareAssignment.objects.filter(client=here.issuer.world.client).count() == 2


def test_one_form_sent_twice_at_once_is_one_switch(here: SwitchWorld) -> None:
    draft = here.draft(at=NOON)
    results = at_once(here.issuer, *[lambda: decide(draft, "a")] * 4)
    assert len({one.pk for one in results}) == 1
    assert CareAssignment.objects.filter(client=here.issuer.world.client).count() == 2

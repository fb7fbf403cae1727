"""May the metal keys go back: the rule, the list in the database that says the same, and the verb."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django_scopes import scope

from server.audit.models import AuditEntry
from server.care.domain import clients
from server.care.metal_keys import KeyFacts, judge, may_go_back, ready, with_live_locks
from server.care.models import CareAssignment, Client, Consent
from server.care.overview import overview
from server.locks.models import Binding, LockStatus
from server.passages.models import Deviation, Passage
from server.people.models import Bearer, CareProvider, Phone
from server.places.models import Door
from server.problems import Problem
from server.tenancy.scoping import Viewer
from tests.server.pages import coordinator_of, patrol_of
from tests.server.shared_gate import share_gate
from tests.server.world import LONG_AGO, NOW, World, make_team

DAY = timedelta(days=1)


def opened(world: World, binding: Binding, provider: CareProvider, seq: int = 1) -> Passage:
    return Passage.objects.create(
        municipality=world.municipality,
        lock=binding.lock,
        epoch=1,
        seq=seq,
        binding=binding,
        provider=provider,
        happened_at=NOW - DAY,
        known_at=NOW - DAY,
        kind="outcome",
        reason="moved",
        entry_bytes=b"",
        entry_hash=bytes([seq]) * 32,
    )


@pytest.fixture
def rolled_out(world: World) -> World:
    """Everything as it should be for the client of the world."""
    Door.objects.update(fallback_kind="reserve_key")
    for binding in (world.gate_binding, world.apartment_binding):
        LockStatus.objects.create(
            municipality=world.municipality, lock=binding.lock, last_contact_at=NOW - DAY, battery_percent=80
        )
    opened(world, world.apartment_binding, world.provider)
    return world


def nothing(_world: World) -> None: ...


def second_provider(world: World) -> CareProvider:
    team = make_team(world.municipality, "Privat Vård AB", "Grupp 9")
    CareAssignment.objects.create(
        municipality=world.municipality,
        client=world.client,
        provider=team.provider,
        team=team,
        starts_at=NOW + DAY,
    )
    return team.provider


def silent_gate(world: World) -> None:
    LockStatus.objects.filter(lock=world.gate_binding.lock).update(last_contact_at=NOW - 15 * DAY)


def dead_gate(world: World) -> None:
    Deviation.objects.create(
        municipality=world.municipality,
        kind="dead_lock",
        door=world.gate,
        lock=world.gate_binding.lock,
        opened_at=NOW,
    )


LOSSES: dict[str, Callable[[World], object]] = {
    "no fallback at the apartment": lambda w: Door.objects.filter(pk=w.apartment.pk).update(fallback_kind=""),
    "no fallback at the gate": lambda w: Door.objects.filter(pk=w.gate.pk).update(fallback_kind=""),
    "no lock at the gate": lambda w: Binding.objects.filter(pk=w.gate_binding.pk).update(ends_at=NOW - DAY),
    "not confirmed": lambda w: Binding.objects.filter(pk=w.apartment_binding.pk).update(commissioned_at=None),
    "never heard": lambda w: LockStatus.objects.filter(lock=w.apartment_binding.lock).delete(),
    "silent": silent_gate,
    "dead": dead_gate,
    "no consent at the gate": lambda w: Consent.objects.filter(pk=w.owner_consent.pk).delete(),
    "no consent at the apartment": lambda w: Consent.objects.filter(pk=w.client_consent.pk).delete(),
    "no provider": lambda w: CareAssignment.objects.all().delete(),
    "nobody has opened": lambda w: Passage.objects.all().delete(),
    "the opening was refused": lambda w: Passage.objects.update(kind="refused", reason="expired"),
    "the opening was at an earlier lock": lambda w: Passage.objects.update(binding=w.gate_binding),
    "no phone": lambda w: Phone.objects.update(revoked_at=NOW),
    "no key": lambda w: Bearer.objects.update(revoked_at=NOW),
    "provider inactive": lambda w: CareProvider.objects.update(active=False),
    "another provider to begin": second_provider,
    "no door": lambda w: Client.objects.filter(pk=w.client.pk).update(door=None),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_each_thing_missing_keeps_the_keys_and_rule_and_list_agree(rolled_out: World, loss: str) -> None:
    assert may_go_back(rolled_out.client, at=NOW).yes
    assert list(ready(NOW)) == [rolled_out.client]
    LOSSES[loss](rolled_out)
    client = Client.objects.get(pk=rolled_out.client.pk)
    verdict = may_go_back(client, at=NOW)
    assert not verdict.yes
    assert list(ready(NOW)) == []
    said = [
        reason for check in [*verdict.doors, *verdict.ways_in, *verdict.providers] for reason in check.reasons
    ]
    assert said or not verdict.doors or not verdict.providers, "every no has a reason"


def test_every_provider_must_be_live(rolled_out: World) -> None:
    other = second_provider(rolled_out)
    reasons = {
        check.subject: len(check.reasons) for check in may_go_back(rolled_out.client, at=NOW).providers
    }
    assert reasons == {"Hemtjänst Norr": 0, other.name: 2}


def test_a_locks_state_is_told_apart_in_the_rollout(rolled_out: World) -> None:
    assert list(with_live_locks(NOW)) == [rolled_out.client]
    silent_gate(rolled_out)
    assert list(with_live_locks(NOW)) == []


def test_after_the_end_the_keys_go_back_whatever_else(world: World) -> None:
    clients.hand_out_keys(client=world.client, at=NOW - DAY, actor=None)
    assert list(ready(NOW)) == []
    clients.end(client=world.client, at=NOW, actor=None)
    assert may_go_back(Client.objects.get(), at=NOW).yes
    assert list(ready(NOW)) == [world.client]
    assert judge(KeyFacts(ended=True, doors=(), providers=())).yes


def test_the_verb_records_a_date_and_refuses_while_they_are_needed(world: World) -> None:
    with pytest.raises(Problem, match="keys_still_needed"):
        clients.return_keys(client=world.client, at=NOW, actor=None)
    assert Client.objects.get().metal_keys == ""


def test_returned_keys_leave_the_list_and_the_trail_says_when(rolled_out: World) -> None:
    actor = patrol_of(rolled_out.municipality)
    clients.return_keys(client=rolled_out.client, at=NOW, actor=actor)
    client = Client.objects.get()
    assert (client.metal_keys, client.metal_keys_at) == ("returned", NOW)
    assert list(ready(NOW)) == []
    entry = AuditEntry.objects.get(action="care.keys_gone_back")
    assert (entry.actor, entry.before, entry.after) == (actor, {"metal_keys": ""}, {"metal_keys": "returned"})
    with pytest.raises(Problem, match="keys_already_so"):
        clients.return_keys(client=client, at=NOW, actor=actor)


def test_rule_08_a_coordinator_learns_that_another_is_not_ready_but_not_who(rolled_out: World) -> None:
    second_provider(rolled_out)
    user = coordinator_of(rolled_out.provider)
    with scope(municipality=rolled_out.municipality, viewer=Viewer(provider=rolled_out.provider.pk)):
        seen = overview(rolled_out.client, user=user, at=NOW)
    assert not seen.keys.yes
    assert [(str(check.subject), check.ok) for check in seen.keys.providers] == [
        ("Hemtjänst Norr", True),
        ("annan utförare", False),
    ]
    assert [str(reason) for reason in seen.keys.providers[1].reasons] == ["inte klar än"]


def test_the_list_and_its_button(rolled_out: World, settings: Any) -> None:
    settings.SECOND_FACTOR_REQUIRED = False
    import time_machine

    other = share_gate(rolled_out)
    Door.objects.update(fallback_kind="reserve_key")
    LockStatus.objects.create(
        municipality=rolled_out.municipality, lock=other.binding.lock, last_contact_at=NOW
    )
    opened(rolled_out, other.binding, other.provider)
    patrol, coordinator = Browser(), Browser()
    with time_machine.travel(NOW, tick=False):
        patrol.force_login(patrol_of(rolled_out.municipality))
        coordinator.force_login(coordinator_of(rolled_out.provider))
        path = reverse("admin:care_client_metal_keys")
        everybody, own = patrol.get(path).content.decode(), coordinator.get(path).content.decode()
        assert "4711" in everybody and "8888" in everybody
        assert "4711" in own and "8888" not in own
        do = reverse("admin:care_client_do", args=[rolled_out.client.pk, "keys_back"])
        assert coordinator.post(do, {"to": "metal_keys"})["Location"] == path
        assert "4711" not in patrol.get(path).content.decode()
    assert Client.objects.get(pk=rolled_out.client.pk).metal_keys == "returned"


def test_queries_do_not_grow_with_clients(rolled_out: World) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from server.care.metal_keys import facts_of

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            facts_of(list(Client.objects.all()), at=NOW)
        return len(captured)

    few = queries()
    for number in range(8):
        share_gate(rolled_out, f"77{number}", f"3{number}")
    assert queries() == few <= 20
    assert LONG_AGO < NOW


def test_a_lock_that_was_heard_at_its_old_door_only_is_not_live_at_this_one(rolled_out: World) -> None:
    Binding.objects.filter(pk=rolled_out.gate_binding.pk).update(
        starts_at=NOW - DAY / 2, commissioned_at=NOW - DAY / 2
    )
    assert not may_go_back(rolled_out.client, at=NOW).yes
    assert not ready(NOW).exists()
    assert not with_live_locks(NOW).exists()

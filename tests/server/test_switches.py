"""A provider switch: previewed, decided at once or not at all, taken back, and proved."""

from __future__ import annotations

from datetime import timedelta

import pytest

from protocol import bulletin
from server.access.models import Token
from server.audit.models import AuditEntry
from server.care.models import CareAssignment, Visit
from server.locks.domain.bulletins import build_bulletins
from server.locks.domain.commission import confirm, move_lock
from server.locks.models import Binding, Bulletin, LockStatus
from server.locks.queries import mark_known
from server.switches.domain.deaths import Death, deaths
from server.switches.domain.preview import preview
from server.switches.domain.proof import proof_of
from server.switches.domain.renewing import renew_all
from server.switches.domain.switching import SwitchRefusedError, decide_switch
from server.switches.domain.undoing import cancel_switch
from server.switches.models import GateNeighbour, ProviderSwitch, SwitchedDoor
from server.switches.queries import doors_of_switch
from tests.server.issuer import Issuer
from tests.server.switchworld import SwitchWorld, make_switch_world, more_care
from tests.server.world import HOUR, NOW, SHIFT_END, SHIFT_START, make_client, make_door

NOON = SHIFT_START + 4 * HOUR
MINUTE = timedelta(minutes=1)
Cause = SwitchedDoor.Cause


@pytest.fixture
def here(issuer: Issuer) -> SwitchWorld:
    return make_switch_world(issuer)


def keys(here: SwitchWorld, staff: object, binding: Binding, **live: object) -> list[Token]:
    found = {"revoked_at": None, "replaced_at": None, **live}
    return list(Token.objects.filter(bearer__staff=staff, binding=binding, **found))


def proof(switch: ProviderSwitch, at: object) -> dict[str, Death]:
    """The deaths by door kind."""
    doors = list(doors_of_switch(switch))
    found = deaths(switch, doors, at=at)  # type: ignore[arg-type]
    return {door.door.kind: found[door.pk] for door in doors}


def test_at_the_instant_one_providers_keys_end_and_the_others_begin(here: SwitchWorld) -> None:
    world = here.issuer.world
    here.issue()
    here.switch(at=NOON)
    for binding in (world.apartment_binding, world.gate_binding):
        assert [one.expires for one in keys(here, world.alice, binding)] == [NOON]
        assert [one.not_before for one in keys(here, here.bo, binding)] == [NOON]
    old, new = CareAssignment.objects.filter(client=world.client).order_by("starts_at")
    assert (old.ends_at, new.starts_at, new.ends_at) == (NOON, NOON, None)
    assert (new.provider_id, new.team_id) == (here.syd.provider_id, here.syd.pk)


def test_the_lock_is_told_to_refuse_keys_that_reached_beyond(here: SwitchWorld) -> None:
    world = here.issuer.world
    here.issue()
    (old,) = keys(here, world.alice, world.apartment_binding)
    here.switch(at=NOON)
    said = bulletin.parse(
        bytes(Bulletin.objects.filter(binding=world.apartment_binding).latest("seq").document)
    ).body
    assert said.revokes(bytes(old.token_id))


def test_the_same_form_twice_is_one_switch(here: SwitchWorld) -> None:
    draft = here.draft(at=NOON)
    first = decide_switch(draft=draft, form_key="k", at=NOW, actor=None)
    again = decide_switch(draft=draft, form_key="k", at=NOW + MINUTE, actor=None)
    assert first == again
    assert CareAssignment.objects.filter(client=here.issuer.world.client).count() == 2


def test_an_assignment_changed_since_the_preview_refuses_all_of_it(here: SwitchWorld) -> None:
    world = here.issuer.world
    more_care(here, world.team, here.neighbour)
    draft = here.draft(at=NOON, clients=(world.client.pk, here.neighbour.pk))
    world.assignment.ends_at = NOON + HOUR
    world.assignment.save()
    with pytest.raises(SwitchRefusedError) as refused:
        decide_switch(draft=draft, form_key="k", at=NOW, actor=None)
    assert [code for code, _why in refused.value.details] == ["4711"]
    assert not ProviderSwitch.objects.exists()
    assert not CareAssignment.objects.filter(provider=here.syd.provider).exists()


def test_a_client_in_a_switch_to_come_is_refused_by_name(here: SwitchWorld) -> None:
    here.switch(at=NOON)
    with pytest.raises(SwitchRefusedError) as refused:
        here.switch(at=NOON + HOUR)
    assert [code for code, _why in refused.value.details] == ["4711"]


def test_an_instant_that_has_passed_is_refused(here: SwitchWorld) -> None:
    draft = here.draft(at=NOON)
    with pytest.raises(SwitchRefusedError):
        decide_switch(draft=draft, form_key="k", at=NOON + MINUTE, actor=None)


def test_taking_it_back_restores_everything_exactly(here: SwitchWorld) -> None:
    world = here.issuer.world
    world.assignment.ends_at = SHIFT_END + 100 * HOUR
    world.assignment.save()
    before = list(CareAssignment.objects.values().order_by("pk"))
    here.issue()
    switch = here.switch(at=NOON)
    cancel_switch(switch=switch, at=NOW + MINUTE, actor=None)
    renew_all(here.issuer.municipality, at=NOW + MINUTE)
    assert list(CareAssignment.objects.values().order_by("pk")) == before
    assert [one.expires for one in keys(here, world.alice, world.apartment_binding)] == [SHIFT_END + HOUR / 2]
    assert not keys(here, here.bo, world.apartment_binding)
    switch.refresh_from_db()
    assert switch.state_at(NOON + HOUR) == ProviderSwitch.State.CANCELLED
    cancel_switch(switch=switch, at=NOW + 2 * MINUTE, actor=None)  # a second click does nothing


def test_after_the_instant_nothing_is_taken_back(here: SwitchWorld) -> None:
    switch = here.switch(at=NOON)
    with pytest.raises(SwitchRefusedError):
        cancel_switch(switch=switch, at=NOON, actor=None)


def test_taking_back_is_refused_when_an_assignment_was_changed_since(here: SwitchWorld) -> None:
    switch = here.switch(at=NOON)
    CareAssignment.objects.filter(client=here.issuer.world.client, ends_at=NOON).update(ends_at=NOON + HOUR)
    with pytest.raises(SwitchRefusedError) as refused:
        cancel_switch(switch=switch, at=NOW, actor=None)
    assert [code for code, _why in refused.value.details] == ["4711"]


def test_every_changed_row_stands_in_the_audit_trail(here: SwitchWorld) -> None:
    here.switch(at=NOON)
    said = AuditEntry.objects.filter(action__startswith="switches.").values_list("action", flat=True)
    assert sorted(said) == ["switches.assignment_begun", "switches.assignment_ended", "switches.decided"]


# --- proof -----------------------------------------------------------------------------------------------


def test_rule_04_a_revocation_no_lock_has_heard_of_kills_nothing(here: SwitchWorld) -> None:
    here.issue()
    switch = here.switch(at=NOON)
    found = proof(switch, NOON + MINUTE)
    assert {one.cause for one in found.values()} == {Cause.ALIVE}
    assert {one.alive_until for one in found.values()} == {SHIFT_END + HOUR / 2}


def test_the_proof_names_the_bulletin_that_the_lock_knows(here: SwitchWorld) -> None:
    world = here.issuer.world
    here.issue()
    switch = here.switch(at=NOON)
    seq = Bulletin.objects.filter(binding=world.apartment_binding).latest("seq").seq
    mark_known(world.apartment_binding.pk, up_to_seq=seq, at=NOON + HOUR)
    found = proof(switch, NOON + 2 * HOUR)
    apartment = found["apartment"]
    assert (apartment.cause, apartment.at, apartment.bulletin_seq) == (Cause.LOCK_KNOWS, NOON + HOUR, seq)
    assert found["gate"].cause == Cause.ALIVE


def test_what_the_lock_knew_before_the_instant_dies_with_the_short_key(here: SwitchWorld) -> None:
    world = here.issuer.world
    here.issue()
    switch = here.switch(at=NOON)
    mark_known(world.apartment_binding.pk, up_to_seq=99, at=NOW + HOUR)
    died = proof(switch, NOON + MINUTE)["apartment"]
    assert (died.cause, died.at) == (Cause.EXPIRED, NOON)


def test_without_contact_the_right_dies_with_the_key(here: SwitchWorld) -> None:
    here.issue()
    switch = here.switch(at=NOON)
    died = proof(switch, SHIFT_END + HOUR)["apartment"]
    assert (died.cause, died.at) == (Cause.EXPIRED, SHIFT_END + HOUR / 2)


def test_rule_07_a_lock_that_lost_the_time_may_still_take_a_key_that_has_ended(here: SwitchWorld) -> None:
    world = here.issuer.world
    here.issue()
    switch = here.switch(at=NOON)
    lost = LockStatus.objects.get_or_create(
        municipality=world.municipality, lock=world.apartment_binding.lock
    )
    LockStatus.objects.filter(pk=lost[0].pk).update(clock_uncertain=True)
    over = SHIFT_END + HOUR
    died = proof(switch, over)["apartment"]
    assert (died.cause, died.clock_lost, died.alive_until) == (Cause.ALIVE, True, None)
    shown = proof_of(switch, at=over)
    assert (shown.alive, shown.alive_until, shown.is_over) == (1, None, False)
    build_bulletins(world.municipality, [world.apartment_binding.pk], at=over + 13 * HOUR)
    newest = Bulletin.objects.filter(binding=world.apartment_binding).latest("seq").seq
    mark_known(world.apartment_binding.pk, up_to_seq=newest, at=over + 14 * HOUR)
    died = proof(switch, over + 14 * HOUR)["apartment"]
    assert (died.cause, died.at) == (Cause.EXPIRED, SHIFT_END + HOUR / 2)


def test_what_was_never_issued_is_said_to_be_never_issued(here: SwitchWorld) -> None:
    switch = here.switch(at=NOW)
    assert {one.cause for one in proof(switch, NOW).values()} == {Cause.NEVER}


def test_a_lock_moved_away_ends_the_rights(here: SwitchWorld) -> None:
    world = here.issuer.world
    here.issue()
    switch = here.switch(at=NOON)
    Binding.objects.filter(pk=world.apartment_binding.pk).update(ends_at=NOON + MINUTE)
    died = proof(switch, NOON + HOUR)["apartment"]
    assert (died.cause, died.at) == (Cause.MOVED, NOON + MINUTE)


def test_a_move_that_the_lock_has_not_confirmed_ends_nothing(here: SwitchWorld) -> None:
    world = here.issuer.world
    here.issue()
    switch = here.switch(at=NOON)
    door = make_door(world.property, "apartment", number="1301")
    make_client(door, here.vast, "4713")
    moved = move_lock(lock=world.apartment_binding.lock, door=door, at=NOON + MINUTE)
    renew_all(here.issuer.municipality, at=NOON + 2 * MINUTE)
    waiting = proof(switch, NOON + 2 * MINUTE)["apartment"]
    assert (waiting.cause, waiting.alive) == (Cause.ALIVE, 1)
    confirm(binding=moved, at=NOON + 3 * MINUTE)
    died = proof(switch, NOON + HOUR)["apartment"]
    assert (died.cause, died.at) == (Cause.MOVED, NOON + 3 * MINUTE)


def test_a_gate_with_another_client_of_the_old_provider_keeps_its_right(here: SwitchWorld) -> None:
    more_care(here, here.issuer.world.team, here.neighbour)
    here.issue()
    switch = here.switch(at=NOON)
    gate = proof(switch, NOON + MINUTE)["gate"]
    assert (gate.cause, gate.kept_for) == (Cause.KEPT, ("4712",))


def test_the_proof_stays_when_the_bulletins_are_gone(here: SwitchWorld) -> None:
    world = here.issuer.world
    here.issue()
    switch = here.switch(at=NOON)
    mark_known(world.apartment_binding.pk, up_to_seq=99, at=NOON + HOUR)
    renew_all(here.issuer.municipality, at=NOON + 2 * HOUR)
    Bulletin.objects.all().delete()
    assert proof(switch, NOON + 3 * HOUR)["apartment"].cause == Cause.LOCK_KNOWS


def test_the_others_behind_the_gate_lose_nothing(here: SwitchWorld) -> None:
    here.issue()
    switch = here.switch(at=NOON)
    rows = {row.provider_id: row for row in GateNeighbour.objects.filter(switch=switch)}
    kept = rows[here.vast.provider_id]
    assert len(kept.before) == 1
    assert kept.before == kept.after


# --- preview ---------------------------------------------------------------------------------------------


def kinds(here: SwitchWorld, **fields: object) -> list[str]:
    shown = preview(here.draft(at=NOON, **fields), now=NOW)  # type: ignore[arg-type]
    return [one.key for one in shown.clients[0].warnings]


def test_the_preview_tells_what_dies_and_what_is_born(here: SwitchWorld) -> None:
    here.issue()
    shown = preview(here.draft(at=NOON), now=NOW)
    (client,) = shown.clients
    gate, apartment = client.doors
    assert {fate.value: count for fate, count in shown.fates.items()} == {"cut": 2}
    assert [(one.who, one.opens_from, one.has_phone) for one in apartment.born] == [("Bo Berg", NOON, True)]
    assert gate.must_learn and apartment.alive_until == SHIFT_END + HOUR / 2
    assert apartment.learns_at is not None
    assert ProviderSwitch.objects.count() == 0


def test_the_preview_says_when_a_planned_visit_brings_the_news(here: SwitchWorld) -> None:
    world = here.issuer.world
    here.issue()
    Visit.objects.create(
        municipality=world.municipality,
        shift=world.shift,
        client=world.client,
        starts_at=NOW + HOUR,
        ends_at=NOW + 2 * HOUR,
    )
    shown = preview(here.draft(at=NOON), now=NOW)
    assert {line.learns_at for line in shown.doors} == {NOW + HOUR}


def test_a_gate_kept_for_another_client_is_shown_as_kept(here: SwitchWorld) -> None:
    more_care(here, here.issuer.world.team, here.neighbour)
    here.issue()
    shown = preview(here.draft(at=NOON), now=NOW)
    gate = shown.clients[0].doors[0]
    assert (gate.kept_for, gate.fates["kept"], gate.dying) == (["4712"], 1, 0)


def test_everything_in_order_warns_of_nothing_but_the_new_area(here: SwitchWorld) -> None:
    assert kinds(here) == ["new_area"]


def test_gaps_and_overlaps_are_warned_of(here: SwitchWorld) -> None:
    world = here.issuer.world
    world.assignment.ends_at = NOON - HOUR
    world.assignment.save()
    more_care(here, here.syd, world.client)
    assert kinds(here) == ["gap", "already_there"]


def test_what_keeps_the_new_provider_out_is_told_by_the_decision_function(here: SwitchWorld) -> None:
    world = here.issuer.world
    world.client_consent.delete()
    world.client.paused_at = NOW
    world.client.save()
    assert "client_paused" in kinds(here)
    world.client.paused_at = None
    world.client.save()
    assert "no_client_consent" in kinds(here)


def test_a_new_team_without_shifts_or_phones_is_warned_of(here: SwitchWorld) -> None:
    here.bo_bearer.revoked_at = NOW
    here.bo_bearer.save()
    assert "no_phone" in kinds(here)
    here.bo.shifts.all().delete()
    assert "no_shift" in kinds(here)


def test_visits_that_the_old_provider_still_plans_are_counted(here: SwitchWorld) -> None:
    world = here.issuer.world
    Visit.objects.create(
        municipality=world.municipality,
        shift=world.shift,
        client=world.client,
        starts_at=NOON + HOUR,
        ends_at=NOON + 2 * HOUR,
    )
    shown = preview(here.draft(at=NOON), now=NOW)
    (said,) = [one for one in shown.clients[0].warnings if one.key == "old_visits"]
    assert said.number == 1

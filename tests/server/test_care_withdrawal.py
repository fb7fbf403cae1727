"""Withdrawing consents, pausing and ending: what dies, what stays, and what is restored, with real keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django_scopes import scope

from protocol import bulletin
from server.access.domain.issue import issue_ahead
from server.access.models import Revocation, Token
from server.audit.models import AuditEntry
from server.care.domain import clients, consents
from server.care.models import Client, Consent
from server.care.tasks import settle_withdrawals
from server.care.ways_in import consequences
from server.locks.models import Binding, Bulletin
from server.people.models import User
from server.places.models import Door
from server.problems import Problem
from server.tenancy.scoping import Viewer
from tests.server.device import Device
from tests.server.issuer import Issuer
from tests.server.pages import coordinator_of, patrol_of
from tests.server.shared_gate import share_gate
from tests.server.world import NOW, SHIFT_END, World, make_client

LATEST = NOW + timedelta(days=14)
MINUTE = timedelta(minutes=1)


def newest(binding: Binding, lock: Device) -> bulletin.Bulletin:
    return lock.read_bulletin(bytes(Bulletin.objects.filter(binding=binding).latest("seq").document))


def live(issuer: Issuer) -> set[int]:
    rows = Token.objects.filter(revoked_at=None, replaced_at=None)
    return set(rows.values_list("binding_id", flat=True))


@pytest.fixture
def issued(issuer: Issuer) -> Issuer:
    issue_ahead(municipality=issuer.municipality, at=NOW)
    return issuer


def withdraw(consent: Consent, **fields: Any) -> Consent:
    return consents.withdraw(**{"consent": consent, "at": NOW, "latest": LATEST, "actor": None, **fields})


class TestWithdrawal:
    def test_it_waits_while_somebody_is_left_without_a_way_in(self, issued: Issuer) -> None:
        world = issued.world
        said = withdraw(world.client_consent)
        assert (said.withdrawal_waits, said.withdrawn_at) == (True, LATEST)
        assert live(issued) == {world.gate_binding.pk, world.apartment_binding.pk}
        assert consents.settle(municipality=issued.municipality, at=NOW + MINUTE) == 0

    def test_rule_03_no_key_is_issued_beyond_the_latest_day(self, issuer: Issuer) -> None:
        world = issuer.world
        withdraw(world.client_consent, at=NOW - timedelta(days=2), latest=SHIFT_END - timedelta(hours=1))
        issue_ahead(municipality=issuer.municipality, at=NOW)
        assert issuer.token_at(world.apartment_binding).expires == SHIFT_END - timedelta(hours=1)
        assert issuer.token_at(world.gate_binding).expires > SHIFT_END

    @pytest.mark.parametrize("way_in", ["fallback", "metal keys"])
    def test_rule_04_another_way_in_lets_it_take_effect_and_the_key_dies(
        self, issued: Issuer, way_in: str
    ) -> None:
        world, token = issued.world, issued.token_at(issued.world.apartment_binding)
        withdraw(world.client_consent)
        if way_in == "fallback":
            Door.objects.filter(pk=world.apartment.pk).update(fallback_kind="reserve_key")
        else:
            clients.hand_out_keys(client=world.client, at=NOW, actor=None)
        later = NOW + MINUTE
        assert consents.settle(municipality=issued.municipality, at=later) == 1
        assert consents.settle(municipality=issued.municipality, at=later + MINUTE) == 0
        consent = Consent.objects.get(pk=world.client_consent.pk)
        assert (consent.withdrawn_at, consent.withdrawal_waits) == (later, False)
        # The apartment's consent never takes the gate's right away.
        assert live(issued) == {world.gate_binding.pk}
        assert newest(world.apartment_binding, issued.apartment_lock).revokes(bytes(token.token_id))
        assert Revocation.objects.get(token=token).reason == "consent_withdrawn"
        assert AuditEntry.objects.filter(action="care.withdrawal_effective", reason="another_way_in").exists()

    def test_a_gates_consent_never_takes_the_apartment_away(self, issued: Issuer) -> None:
        world = issued.world
        Door.objects.filter(pk=world.gate.pk).update(fallback_kind="caretaker")
        said = withdraw(world.owner_consent)
        assert (said.withdrawn_at, said.withdrawal_waits) == (NOW, False)
        assert live(issued) == {world.apartment_binding.pk}

    def test_the_latest_day_comes_though_nothing_was_recorded(self, issued: Issuer) -> None:
        withdraw(issued.world.client_consent)
        with scope(municipality=issued.municipality):
            assert consents.settle(municipality=issued.municipality, at=LATEST) == 1
        consent = Consent.objects.get(pk=issued.world.client_consent.pk)
        assert (consent.withdrawn_at, consent.withdrawal_waits) == (LATEST, False)
        assert AuditEntry.objects.filter(action="care.withdrawal_effective", reason="latest_day").exists()

    def test_the_task_goes_through_every_municipality(self, issued: Issuer) -> None:
        withdraw(issued.world.client_consent)
        Door.objects.filter(pk=issued.world.apartment.pk).update(fallback_kind="patrol")
        assert settle_withdrawals() == 1

    def test_only_the_patrol_orders_it_at_once(self, issued: Issuer) -> None:
        world = issued.world
        with pytest.raises(Problem, match="not_permitted"):
            withdraw(world.client_consent, at_once=True, actor=coordinator_of(world.provider))
        said = withdraw(world.client_consent, at_once=True, actor=patrol_of(world.municipality))
        assert (said.withdrawn_at, said.withdrawal_waits) == (NOW, False)
        assert live(issued) == {world.gate_binding.pk}
        entry = AuditEntry.objects.get(action="care.consent_withdrawn")
        assert (entry.reason, entry.acting_as) == ("at_once", "patrol")

    @pytest.mark.parametrize("days", [None, 0, 0.9, 91])
    def test_the_latest_day_must_leave_time_and_be_bounded(self, world: World, days: float | None) -> None:
        latest = None if days is None else NOW + timedelta(days=days)
        with pytest.raises(Problem, match="withdrawal_day_unfit"):
            withdraw(world.client_consent, latest=latest)
        assert Consent.objects.get(pk=world.client_consent.pk).withdrawn_at is None

    def test_taking_it_back_restores_and_afterwards_it_is_too_late(self, issued: Issuer) -> None:
        consent = issued.world.client_consent
        withdraw(consent)
        kept = consents.keep(consent=consent, at=NOW, actor=None)
        assert (kept.withdrawn_at, kept.withdrawal_asked_at, kept.withdrawal_waits) == (None, None, False)
        with pytest.raises(Problem, match="withdrawal_missing"):
            consents.keep(consent=consent, at=NOW, actor=None)
        withdraw(consent, at_once=True)
        with pytest.raises(Problem, match="consent_ended"):
            consents.keep(consent=consent, at=NOW + MINUTE, actor=None)

    def test_another_consent_that_holds_leaves_nobody_stranded(self, world: World) -> None:
        Consent.objects.create(
            municipality=world.municipality,
            scope="portfolio",
            owner=world.owner,
            signed_by="owner",
            valid_from=NOW - timedelta(days=1),
        )
        found = consequences(world.owner_consent, at=NOW)
        assert (found.doors, found.clients, found.stranded) == (0, 0, 0)

    def test_rule_08_own_clients_are_named_and_the_others_counted(self, world: World) -> None:
        other = share_gate(world)
        with scope(municipality=world.municipality, viewer=Viewer(provider=world.provider.pk)):
            found = consequences(world.owner_consent, at=NOW)
        assert [one.client for one in found.shown] == [world.client]
        assert (found.doors, found.clients, found.stranded, found.others) == (1, 2, 2, 1)
        # A way in for one of them leaves the other waiting.
        Door.objects.filter(pk=other.apartment.pk).update(fallback_kind="reserve_key")
        assert [one.client for one in consequences(world.owner_consent, at=NOW).shown] == [world.client]
        assert withdraw(world.owner_consent).withdrawal_waits


class TestPauseAndEnd:
    @pytest.mark.parametrize(
        ("stop", "back", "column"),
        [(clients.pause, clients.resume, "paused_at"), (clients.end, clients.revive, "ended_at")],
    )
    def test_keys_die_at_once_and_come_back_exactly(
        self, issued: Issuer, stop: Any, back: Any, column: str
    ) -> None:
        world = issued.world
        before = {token.binding_id: (token.not_before, token.expires) for token in issued.tokens()}
        token = issued.token_at(world.apartment_binding)
        stop(client=world.client, at=NOW + MINUTE, actor=None)
        assert live(issued) == set()
        assert newest(world.apartment_binding, issued.apartment_lock).revokes(bytes(token.token_id))
        back(client=world.client, at=NOW + 2 * MINUTE, actor=None)
        assert getattr(Client.objects.get(), column) is None
        rows = Token.objects.filter(revoked_at=None, replaced_at=None)
        assert {row.binding_id: (row.not_before, row.expires) for row in rows} == before
        actions = AuditEntry.objects.filter(object_type="care.client").values_list("action", flat=True)
        assert len(actions) == 2

    def test_undo_brings_back_a_stay_that_was_planned(self, world: World) -> None:
        planned = NOW + timedelta(days=3)
        Client.objects.update(paused_at=planned)
        clients.pause(client=world.client, at=NOW, actor=None)
        assert Client.objects.get().paused_at == NOW
        clients.resume(client=world.client, at=NOW + MINUTE, actor=None)
        assert Client.objects.get().paused_at == planned

    def test_undo_does_not_bring_back_what_somebody_changed_since(self, world: World) -> None:
        Client.objects.update(paused_at=NOW + timedelta(days=3))
        clients.pause(client=world.client, at=NOW, actor=None)
        Client.objects.update(paused_at=NOW - timedelta(days=1))
        clients.resume(client=world.client, at=NOW + MINUTE, actor=None)
        assert Client.objects.get().paused_at is None

    def test_twice_is_said_to_be_so_already(self, world: World) -> None:
        clients.pause(client=world.client, at=NOW, actor=None)
        with pytest.raises(Problem, match="client_already_so"):
            clients.pause(client=world.client, at=NOW + MINUTE, actor=None)
        with pytest.raises(Problem, match="client_not_so"):
            clients.revive(client=world.client, at=NOW, actor=None)

    def test_a_spouse_behind_the_same_door_keeps_the_keys_there(self, issued: Issuer) -> None:
        world = issued.world
        make_client(world.apartment, world.team, "4712")
        clients.end(client=world.client, at=NOW + MINUTE, actor=None)
        assert live(issued) == {world.gate_binding.pk, world.apartment_binding.pk}

    def test_a_coordinators_pause_reaches_the_other_providers_keys_too(self, issued: Issuer) -> None:
        from server.care.models import CareAssignment
        from tests.server.issuer import second_phone
        from tests.server.world import make_shift, make_staff, make_team

        world = issued.world
        team = make_team(world.municipality, "Privat Vård AB", "Grupp 9")
        bert = make_staff(team, "Bert Berg")
        second_phone(issued, bert, "berts-telefon")
        make_shift(bert, team)
        CareAssignment.objects.create(
            municipality=world.municipality,
            client=world.client,
            provider=team.provider,
            team=team,
            starts_at=NOW - timedelta(days=1),
        )
        issue_ahead(municipality=issued.municipality, at=NOW)
        actor: User = coordinator_of(world.provider)
        with scope(municipality=world.municipality, viewer=Viewer(provider=world.provider.pk)):
            clients.pause(client=world.client, at=NOW + MINUTE, actor=actor)
        assert live(issued) == set()

"""Is a door's log complete? Real locks' logs, the page, the file, and the offline verdict on it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.test import Client as Http
from django.urls import reverse

from protocol.entries import EntryType
from protocol.proof import Verdict, judge
from server.access.domain.issue import issue_ahead
from server.audit.models import AuditEntry
from server.passages.domain.completeness import Examination, TooLongError, examine
from server.passages.domain.intake import take_in
from server.passages.domain.proving import prove
from server.passages.domain.sweeping import sweep
from server.passages.models import BatchHead, Passage, PassageCount
from server.people.models import User
from server.people.roles import Role
from server.tenancy.domain.keyring import root_set
from tests.server.device import Device
from tests.server.issuer import Issuer, mount
from tests.server.world import HOUR, NOW
from verify.__main__ import main

DAY = timedelta(days=1)


@pytest.fixture
def lock(issuer: Issuer) -> Device:
    """The apartment lock after an opening a day for five days: entries 1 (bound) to 11."""
    issue_ahead(municipality=issuer.municipality, at=NOW)
    device = issuer.apartment_lock
    token = issuer.token_at(issuer.world.apartment_binding)
    for day in range(5):
        at = int((NOW + day * DAY).timestamp())
        device.opened(token.token_id, bytes(issuer.world.bearer.fingerprint), at=at)
    return device


def hand_in(issuer: Issuer, *documents: bytes, at: datetime = NOW + 5 * DAY) -> None:
    take_in(documents=documents, courier=issuer.world.phone, at=at)


def look(issuer: Issuer, start: datetime, end: datetime, at: datetime = NOW + 6 * DAY) -> Examination:
    return examine(door=issuer.world.apartment, start=start, end=end, at=at)


def verdict_on(issuer: Issuer, examined: Examination) -> Verdict:
    return judge(prove(examined, actor=None), roots=root_set(issuer.municipality).fingerprint)


def test_a_period_with_entries_on_both_sides_is_complete_and_provable(issuer: Issuer, lock: Device) -> None:
    for first, last in ((1, 4), (5, 8), (9, 11)):
        hand_in(issuer, lock.sealed(lock.batch(first, last)))
    examined = look(issuer, NOW + DAY - HOUR, NOW + 2 * DAY + HOUR)
    (stretch,) = examined.stretches
    assert (stretch.span.first, stretch.span.last, stretch.span.count) == (4, 7, 4)
    assert (stretch.first, stretch.last) == (3, 8), "the neighbours belong to the proof"
    assert (examined.complete, stretch.received) == (True, 11)
    verdict = verdict_on(issuer, examined)
    assert verdict.findings == []
    assert verdict.stretches[0].signed >= set(range(3, 9))


def test_the_newest_entries_leave_open_what_the_lock_has_logged_since(issuer: Issuer, lock: Device) -> None:
    hand_in(issuer, lock.sealed())
    examined = look(issuer, NOW + 3 * DAY, NOW + 6 * DAY)
    assert (examined.complete, examined.stretches[0].tight) == (False, True)
    assert verdict_on(issuer, examined).holds


def test_a_day_without_passages_is_proven_empty(issuer: Issuer, lock: Device) -> None:
    hand_in(issuer, lock.sealed())
    examined = look(issuer, NOW + DAY + HOUR, NOW + DAY + 3 * HOUR)
    (stretch,) = examined.stretches
    assert (examined.count, stretch.first, stretch.last, examined.complete) == (0, 5, 6, True)
    assert verdict_on(issuer, examined).holds


def test_rule_05_overwritten_numbers_are_named_under_the_locks_signature(
    issuer: Issuer, lock: Device
) -> None:
    hand_in(issuer, lock.sealed(lock.batch(1, 3)))
    hand_in(issuer, lock.sealed(lock.batch(8, 11, gap=lock.gap(4, 7))))
    examined = look(issuer, NOW - DAY, NOW + 5 * DAY)
    (stretch,) = examined.stretches
    assert [one.as_array() for one in stretch.missing] == [[4, 7, 1]]
    assert not examined.complete
    assert verdict_on(issuer, examined).holds


def test_rule_05_numbers_we_lost_are_named_as_ours(issuer: Issuer, lock: Device) -> None:
    hand_in(issuer, lock.sealed(lock.batch(1, 3)))
    hand_in(issuer, lock.sealed(lock.batch(8, 11, acked=7)))
    (stretch,) = look(issuer, NOW - DAY, NOW + 5 * DAY).stretches
    assert [one.as_array() for one in stretch.missing] == [[4, 7, 2]]


def test_numbers_not_come_home_yet_are_awaited(issuer: Issuer, lock: Device) -> None:
    hand_in(issuer, lock.sealed(lock.batch(1, 3)), lock.sealed(lock.batch(8, 11)))
    (stretch,) = look(issuer, NOW - DAY, NOW + 5 * DAY).stretches
    assert (stretch.awaited, stretch.received) == ((4, 7), 3)


def test_a_lock_that_lost_its_log_is_two_stretches_the_first_ended(issuer: Issuer, lock: Device) -> None:
    hand_in(issuer, lock.sealed())
    lock.lose_log()
    lock.add(EntryType.BOOT, (2, 0), at=int((NOW + 4 * DAY + HOUR).timestamp()))
    hand_in(issuer, lock.sealed())
    first, second = look(issuer, NOW, NOW + 6 * DAY).stretches
    assert (first.ended, first.received, second.span.epoch) == (True, 11, 2)


def test_a_moved_lock_proves_each_door_its_own_part(issuer: Issuer, lock: Device) -> None:
    hand_in(issuer, lock.sealed())
    other = issuer.world.gate
    issuer.world.gate_binding.ends_at = NOW + 5 * DAY
    issuer.world.gate_binding.save()
    issuer.world.apartment_binding.ends_at = NOW + 5 * DAY
    issuer.world.apartment_binding.save()
    binding = mount(other, lock, at=NOW + 5 * DAY, name="Lås 2")
    hand_in(issuer, lock.sealed(lock.batch(12, 12)), at=NOW + 5 * DAY + HOUR)
    examined = look(issuer, NOW - DAY, NOW + 6 * DAY)
    assert [(one.span.first, one.span.last, one.last) for one in examined.stretches] == [(2, 11, 12)]
    there = examine(door=other, start=NOW + 5 * DAY - HOUR, end=NOW + 6 * DAY, at=NOW + 6 * DAY)
    assert binding in there.bindings
    assert [(one.binding, one.span.first) for one in there.stretches if one.span.count] == [(binding, 12)]


def test_too_long_a_period_is_refused(issuer: Issuer) -> None:
    with pytest.raises(TooLongError):
        look(issuer, NOW - 400 * DAY, NOW)
    with pytest.raises(TooLongError):
        look(issuer, NOW, NOW)


def test_batches_that_bring_nothing_new_leave_no_head(issuer: Issuer, lock: Device) -> None:
    hand_in(issuer, lock.sealed(lock.batch(1, 5)))
    hand_in(issuer, lock.sealed(lock.batch(1, 5, courier=b"another8")))
    hand_in(issuer, lock.sealed(lock.batch(4, 11)))
    assert list(BatchHead.objects.values_list("first_seq", "last_seq")) == [(1, 5), (4, 11)]
    assert verdict_on(issuer, look(issuer, NOW - DAY, NOW + 6 * DAY)).holds


class TestAfterErasure:
    """Passages older than they may be are counts; what remains is still provable."""

    def erase(self, issuer: Issuer, up_to: datetime) -> int:
        issuer.municipality.retention_months = 1
        issuer.municipality.save()
        return sweep(issuer.municipality, at=up_to + timedelta(days=30.44))

    def test_erased_passages_become_counts_and_twice_changes_nothing(
        self, issuer: Issuer, lock: Device
    ) -> None:
        hand_in(issuer, lock.sealed(), at=NOW)
        assert self.erase(issuer, NOW + DAY + HOUR) == 5
        assert self.erase(issuer, NOW + DAY + HOUR) == 0
        counts = PassageCount.objects.values_list("door", "provider", "month", "kind", "count")
        world, november = issuer.world, datetime(2026, 11, 1, tzinfo=UTC).date()
        own = world.apartment.pk, world.provider.pk, november
        assert set(counts) == {
            (world.apartment.pk, None, datetime(2026, 1, 1, tzinfo=UTC).date(), "bound", 1),
            (*own, "granted", 2),
            (*own, "outcome", 2),
        }
        assert self.erase(issuer, NOW + 2 * DAY + HOUR) == 2
        assert PassageCount.objects.get(kind="granted").count == 3

    def test_rule_08_what_was_erased_does_not_come_back_with_a_late_courier(
        self, issuer: Issuer, lock: Device
    ) -> None:
        hand_in(issuer, lock.sealed(lock.batch(1, 7)), at=NOW)
        assert self.erase(issuer, NOW + 3 * DAY + HOUR) == 7
        counted = list(PassageCount.objects.order_by("pk").values())
        hand_in(issuer, lock.sealed(lock.batch(1, 9)), at=NOW + 60 * DAY)
        assert sorted(Passage.objects.values_list("seq", flat=True)) == [8, 9]
        hand_in(issuer, lock.sealed(lock.batch(3, 6)), at=NOW + 60 * DAY)
        assert sorted(Passage.objects.values_list("seq", flat=True)) == [8, 9]
        assert list(PassageCount.objects.order_by("pk").values()) == counted

    def test_piece_by_piece_counts_the_same(
        self, issuer: Issuer, lock: Device, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hand_in(issuer, lock.sealed(), at=NOW)
        monkeypatch.setattr("server.passages.domain.sweeping.PIECE", 2)
        monkeypatch.setattr("server.passages.domain.sweeping.MOST_PIECES", 2)
        assert self.erase(issuer, NOW + 3 * DAY + HOUR) == 4, "the rest is for the next run"
        assert self.erase(issuer, NOW + 3 * DAY + HOUR) == 4
        assert self.erase(issuer, NOW + 3 * DAY + HOUR) == 1
        assert sum(PassageCount.objects.values_list("count", flat=True)) == 9
        assert PassageCount.objects.get(kind="granted").count == 4

    def test_what_remains_is_still_chained_and_signed(self, issuer: Issuer, lock: Device) -> None:
        for first, last in ((1, 4), (5, 8), (9, 11)):
            hand_in(issuer, lock.sealed(lock.batch(first, last)), at=NOW)
        self.erase(issuer, NOW + 2 * DAY)  # entries 1 to 5: the second batch is cut
        assert list(Passage.objects.order_by("seq").values_list("seq", flat=True)) == list(range(6, 12))
        assert BatchHead.objects.count() == 2
        examined = look(issuer, NOW, NOW + 5 * DAY)
        (stretch,) = examined.stretches
        assert (stretch.first, [one.as_array() for one in stretch.only_issuer]) == (6, [])
        verdict = verdict_on(issuer, examined)
        assert verdict.findings == []
        assert verdict.stretches[0].signed == set(range(7, 12)), "the first left has nothing to be chained to"

    def test_a_cut_batch_without_a_later_one_rests_on_our_word(self, issuer: Issuer, lock: Device) -> None:
        hand_in(issuer, lock.sealed(), at=NOW)
        self.erase(issuer, NOW + 2 * DAY)
        examined = look(issuer, NOW, NOW + 5 * DAY)
        assert [one.as_array() for one in examined.stretches[0].only_issuer] == [[6, 11, 2]]
        verdict = verdict_on(issuer, examined)
        assert verdict.findings == []
        assert verdict.stretches[0].signed == set()


@pytest.fixture
def auditor(issuer: Issuer, client: Http, settings: Any) -> Http:
    settings.SECOND_FACTOR_REQUIRED = False
    user = User.objects.create_user(
        "granskare", municipality=issuer.municipality, role=Role.AUDITOR, is_staff=True
    )
    with time_machine.travel(NOW + 6 * DAY, tick=False):
        client.force_login(user)
    return client


def test_the_auditor_reads_the_page_takes_the_file_and_verifies_it_offline(
    issuer: Issuer, lock: Device, auditor: Http, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hand_in(issuer, lock.sealed())
    asked = {"start": "2026-11-24", "end": "2026-11-25"}
    with time_machine.travel(NOW + 6 * DAY, tick=False):
        page = auditor.get(reverse("admin:passages_proof", args=[issuer.world.apartment.pk]), asked)
        file = auditor.get(reverse("admin:passages_proof_export", args=[issuer.world.apartment.pk]), asked)
    assert page.context["verdict"].tone == "ok"
    assert page.context["fingerprint"] == root_set(issuer.municipality).fingerprint.hex()
    saved = tmp_path / "bevis.cbor"
    saved.write_bytes(file.content)
    assert main([str(saved), "--roots", page.context["fingerprint"]]) == 0
    assert "HOLDS" in capsys.readouterr().out
    assert AuditEntry.objects.filter(action="passages.proven").count() == 1


def test_rule_08_a_coordinator_gets_no_proof_for_numbers_tell_of_others(
    issuer: Issuer, client: Http, settings: Any
) -> None:
    settings.SECOND_FACTOR_REQUIRED = False
    user = User.objects.create_user(
        "samordnare",
        municipality=issuer.municipality,
        role=Role.COORDINATOR,
        provider=issuer.world.provider,
        is_staff=True,
    )
    client.force_login(user)
    for name in ("passages_proof", "passages_proof_export"):
        assert client.get(reverse(f"admin:{name}", args=[issuer.world.apartment.pk])).status_code == 403

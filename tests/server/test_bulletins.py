"""Bulletins: made when something changed or grows stale, and only then; and the tasks that make them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import time_machine
from django.core.cache import cache
from django_scopes import scopes_disabled

from protocol.settings import DoorKind
from server.access.models import Token
from server.access.tasks import issue_ahead
from server.locks.domain.bulletins import CHUNK, build_due
from server.locks.models import Binding, Bulletin, LockStatus
from server.locks.tasks import build_bulletins
from server.passages.domain.intake import take_in
from server.passages.models import Passage, SealedBatch
from server.passages.tasks import sweep
from server.tenancy.models import Manifest, Municipality
from tests.server.device import Device
from tests.server.issuer import Issuer, mount
from tests.server.world import HOUR, LONG_AGO, NOW, make_door


def seqs(issuer: Issuer) -> list[int]:
    rows = Bulletin.objects.filter(binding=issuer.world.gate_binding).order_by("seq")
    return list(rows.values_list("seq", flat=True))


def newest(issuer: Issuer) -> Any:
    row = Bulletin.objects.filter(binding=issuer.world.gate_binding).latest("seq")
    return issuer.gate_lock.read_bulletin(bytes(row.document))


def test_nothing_is_made_while_nothing_changes(issuer: Issuer) -> None:
    assert build_due(issuer.municipality, at=NOW) == 2
    assert build_due(issuer.municipality, at=NOW + 11 * HOUR) == 0
    assert seqs(issuer) == [1, 2]


def test_a_fresh_one_comes_long_before_the_lock_would_ask(issuer: Issuer) -> None:
    build_due(issuer.municipality, at=NOW)
    assert build_due(issuer.municipality, at=NOW + 12 * HOUR) == 2
    assert newest(issuer).time == int((NOW + 12 * HOUR).timestamp())


def test_settings_follow_door_and_clock(issuer: Issuer) -> None:
    build_due(issuer.municipality, at=NOW)
    LockStatus.objects.filter(lock=issuer.world.gate_binding.lock).update(clock_ppm=-5000)
    assert build_due(issuer.municipality, at=NOW + HOUR) == 1
    said = newest(issuer).settings
    assert (said.door_kind, said.relock_after, said.clock_ppm) == (DoorKind.GATE, 0, -1000)


def test_a_newer_manifest_rides_along_and_is_no_burden_otherwise(issuer: Issuer) -> None:
    build_due(issuer.municipality, at=NOW)
    assert newest(issuer).manifest is None
    held = Manifest.unscoped.get(municipality=issuer.municipality)
    Binding.unscoped.update(manifest_version=0)
    assert build_due(issuer.municipality, at=NOW + HOUR) == 2
    assert newest(issuer).manifest == bytes(held.document)


def test_a_host_whose_clock_lags_never_sends_a_lock_back_in_time(issuer: Issuer) -> None:
    build_due(issuer.municipality, at=NOW)
    first = newest(issuer).time
    LockStatus.objects.filter(lock=issuer.world.gate_binding.lock).update(clock_ppm=7)
    assert build_due(issuer.municipality, at=NOW - HOUR) == 1
    assert newest(issuer).time == first


def test_old_ones_are_forgotten_but_never_the_newest(issuer: Issuer) -> None:
    with time_machine.travel(NOW):
        build_bulletins()
    cache.clear()  # once an hour is often enough, and this hour's turn is taken
    with time_machine.travel(NOW + timedelta(days=31)):
        build_bulletins()
    assert seqs(issuer) == [3]


def test_queries_do_not_grow_with_the_number_of_locks(issuer: Issuer, django_assert_num_queries: Any) -> None:
    for number in range(7):
        mount(make_door(issuer.world.property, "gate", entrance=str(number)), Device(), at=LONG_AGO)
    assert CHUNK > 9
    with django_assert_num_queries(26):
        assert build_due(issuer.municipality, at=NOW) == 9
    with django_assert_num_queries(13):
        assert build_due(issuer.municipality, at=NOW + HOUR) == 0


class TestTasks:
    def test_they_serve_every_municipality_that_has_keys(self, issuer: Issuer, other_issuer: Issuer) -> None:
        with scopes_disabled():
            Municipality.objects.create(slug="utan", name="Utan nycklar")
            with time_machine.travel(NOW, tick=False):
                assert issue_ahead() == 4
                assert issue_ahead() == 0
                assert build_bulletins() == 0
            assert Token.unscoped.values("municipality").distinct().count() == 2

    def test_sweep_forgets_what_is_older_than_it_may_be(self, issuer: Issuer) -> None:
        lock = issuer.gate_lock
        take_in(documents=[lock.sealed()], courier=issuer.world.phone, at=NOW)
        month = timedelta(days=31)
        with time_machine.travel(NOW + 23 * month):
            assert sweep() == 0
        assert not SealedBatch.objects.exists()
        with time_machine.travel(NOW + 25 * month):
            assert sweep() == 1
            assert sweep() == 0
        assert not Passage.objects.exists()

"""What is wrong in one municipality, one lock or one batch must not stop the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ValidationError

from protocol.entries import EntryType
from server.access.models import Token
from server.access.tasks import issue_ahead
from server.locks.models import Bulletin
from server.locks.tasks import build_bulletins
from server.passages.models import LogGap, Passage, SealedBatch
from server.passages.tasks import sweep
from server.tenancy.models import RoleKey
from tests.server.issuer import Issuer, Phone
from tests.server.world import NOW


@pytest.mark.parametrize(
    ("role", "task", "made"), [("token", issue_ahead, Token), ("bulletin", build_bulletins, Bulletin)]
)
def test_a_municipality_without_keys_stops_no_other(
    issuer: Issuer, other_issuer: Issuer, role: str, task: Callable[[], int], made: Any
) -> None:
    assert other_issuer.municipality.name < issuer.municipality.name, "the broken one comes first"
    RoleKey.unscoped.filter(municipality=other_issuer.municipality, role=role).update(retired_at=NOW)
    before = set(made.objects.values_list("pk", flat=True))
    with time_machine.travel(NOW, tick=False), pytest.raises(ExceptionGroup) as told:
        task()
    assert made.objects.exclude(pk__in=before).count() == 2
    assert [note for error in told.value.exceptions for note in error.__notes__] == ["municipality grannstad"]


def test_passages_survive_a_slip_in_the_months_they_are_kept(issuer: Issuer, phone: Phone) -> None:
    phone.hand_in(issuer.gate_lock.sealed())
    for months in (0, 32_767):
        issuer.municipality.retention_months = months
        with pytest.raises(ValidationError) as refused:
            issuer.municipality.clean_fields()
        assert "retention_months" in refused.value.message_dict
        issuer.municipality.save()
        assert sweep() == 0
    assert Passage.objects.count() == 1


def test_a_later_locks_entry_with_any_text_is_stored(issuer: Issuer, phone: Phone) -> None:
    issuer.gate_lock.add(200, ("nul\0", b"\0", -5, 2**64 - 1, ["x\0"], None, True))
    answer = phone.hand_in(issuer.gate_lock.sealed())
    assert [one["status"] for one in answer.json()["results"]] == ["stored"]
    passage = Passage.objects.get(kind="type_200")
    assert passage.detail["values"][0] == "nul\ufffd"
    assert b"nul\0" in passage.entry_bytes


def test_a_held_batch_that_cannot_be_opened_stands_in_nobodys_way(issuer: Issuer, phone: Phone) -> None:
    lock = issuer.gate_lock
    for percent in (30, 20, 10):
        lock.add(EntryType.LOW_BATTERY, (percent,))
    phone.hand_in(lock.sealed(lock.batch(first=4)))
    whole = bytes(SealedBatch.objects.get().document)
    SealedBatch.objects.update(document=b"\xff" + whole[1:])
    answer = phone.hand_in(lock.sealed(lock.batch(first=1, last=2)))
    assert [one["status"] for one in answer.json()["results"]] == ["stored"]
    assert SealedBatch.objects.filter(status="held").count() == 1
    SealedBatch.objects.filter(status="held").update(document=whole)
    phone.hand_in(lock.sealed(lock.batch(first=3, last=3)))
    assert list(Passage.objects.order_by("seq").values_list("seq", flat=True)) == [1, 2, 3, 4]


def test_what_fills_a_hole_must_fit_what_came_after_it(issuer: Issuer, phone: Phone) -> None:
    lock = issuer.gate_lock
    for percent in range(9, 0, -1):
        lock.add(EntryType.LOW_BATTERY, (percent,))
    true = lock.sealed(lock.batch(first=1, last=5))
    phone.hand_in(lock.sealed(lock.batch(first=6, acked=5)))
    lock.entries[3] = replace(lock.entries[3], detail=(99,))
    [told] = phone.hand_in(lock.sealed(lock.batch(first=1, last=5))).json()["results"]
    assert (told["status"], told["code"]) == ("rejected", "history_forked")
    assert phone.hand_in(true).json()["results"][0]["new_passages"] == 5
    assert LogGap.objects.get().closed_at is not None

"""The outbox: order, bounds, twice is harmless."""

from __future__ import annotations

from pathlib import Path

import pytest

from mobile.engine import courier
from mobile.engine.courier import Courier
from mobile.engine.http import Http
from mobile.engine.keyring import Keyring
from mobile.engine.storage.outbox import MAX_BATCH_BYTES, Outbox


def test_oldest_first_across_restarts(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    for number in range(12):
        assert outbox.put(b"batch %d" % number)
    again = Outbox(tmp_path)
    assert [batch.sealed for batch in again.oldest(3)] == [b"batch 0", b"batch 1", b"batch 2"]
    assert again.put(b"last")
    assert again.oldest(99)[-1].sealed == b"last"


def test_twice_is_once_and_done_is_gone(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    assert outbox.put(b"same")
    assert outbox.put(b"same")
    assert (outbox.waiting, outbox.used_bytes) == (1, 4)
    [batch] = outbox.oldest(10)
    outbox.done(batch.name)
    outbox.done(batch.name)
    assert (outbox.waiting, outbox.oldest(10), list(tmp_path.iterdir())) == (0, [], [])


def test_bounded_in_bytes(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, max_bytes=100)
    assert outbox.put(b"a" * 60)
    assert not outbox.put(b"b" * 60)
    assert outbox.put(b"c" * 40)
    assert not Outbox(tmp_path).put(b"d" * (MAX_BATCH_BYTES + 1))
    assert not Outbox(tmp_path).put(b"")


def test_a_spoilt_batch_is_dropped_and_the_others_go_on(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    outbox.put(b"first")
    outbox.put(b"second")
    spoilt = sorted(tmp_path.iterdir())[0]
    spoilt.write_bytes(b"fIrst")
    assert [batch.sealed for batch in Outbox(tmp_path).oldest(10)] == [b"second"]


def test_leftovers_of_a_power_cut_are_swept(tmp_path: Path) -> None:
    (tmp_path / "000000000001-half.batch.new").write_bytes(b"half")
    assert Outbox(tmp_path).waiting == 0
    assert list(tmp_path.iterdir()) == []


def test_no_more_is_promised_to_a_lock_than_there_is_room_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courier, "MAX_TOTAL_BYTES", 6000)
    outbox = Outbox(tmp_path)
    http = Http(transport=None, on_contact=lambda _online: None)
    carrying = Courier(outbox=outbox, http=http, keyring=Keyring(), on_waiting=lambda _waiting: None)
    assert carrying.room == 4096
    outbox.put(bytes(3000))
    assert carrying.room == 6000 - 3000 - 1024
    outbox.put(bytes(2500))
    assert carrying.room == 0

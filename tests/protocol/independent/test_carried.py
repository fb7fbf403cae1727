"""The independent reader reads the vectors of bulletins and logs as the page says."""

from typing import Any

import pytest

from tests.protocol.independent import carried, sealing, trust
from tests.protocol.independent.bench import REFUSALS, V, each, first_manifest, raw, trusted
from tests.protocol.independent.form import MalformedError
from tests.protocol.vectors import files


def _held() -> carried.Held:
    said = V["bulletin"]["held"]
    seal_private = raw(V["bulletin"]["lock_seal_private"])
    held = trust.manifest(raw(said["manifest"]), trusted())
    return carried.Held(raw(said["binding"]), raw(said["lock_id"]), said["seq"], held, seal_private)


@each("bulletin")
def test_bulletin(case: dict[str, str]) -> None:
    reason, taken = carried.take(raw(case["bytes"]), _held())
    assert reason == case["reason"]
    assert (taken is not None) == (reason == "granted")


def test_bulletin_with_everything() -> None:
    said = V["bulletin"]["full"]
    _, taken = carried.take(raw(said["bytes"]), _held())
    assert taken is not None and taken.adv_keys is not None
    assert taken.manifest.version == 2
    assert files.plain(taken.adv_keys) == said["adv_keys"]
    body, fields = taken.body, said["fields"]
    assert files.plain([body[1], body[2], body[3], body[4], body[5], body[6], body[7]]) == [
        fields[name]
        for name in ("binding", "lock_id", "seq", "time", "revoked", "grp_not_before", "not_before")
    ]
    assert list(body[8].values()) == [int(value) for value in fields["settings"].values()]


@each("fresh-time")
def test_fresh_time(case: dict[str, str]) -> None:
    said = V["fresh-time"]
    reason = carried.fresh_time(
        raw(case["bytes"]), first_manifest(), raw(said["binding"]), raw(said["m0_hash"]), said["now"]
    )
    assert reason == case["reason"]


def test_log_chain() -> None:
    said = V["log"]
    digest = carried.genesis(raw(said["lock_id"]), said["epoch"])
    assert digest.hex() == said["hashes"][0]
    for data, expected in zip(said["entries"], said["hashes"][1:], strict=True):
        carried.entry(raw(data))
        digest = carried.link(digest, raw(data))
        assert digest.hex() == expected


@each("log", "refused_entries")
def test_log_entries_refused(case: dict[str, str]) -> None:
    with pytest.raises(MalformedError):
        carried.entry(raw(case["bytes"]))


@each("log", "batches")
def test_batches(case: dict[str, Any]) -> None:
    said = V["log"]
    body = carried.batch(raw(case["bytes"]), raw(said["lock_id"]), raw(said["log_public"]))
    fields = case["fields"]
    names = ("lock_id", "epoch", "boot", "ran", "now", "courier", "acked", "first", "h_start", "gap")
    assert files.plain(body[1:11]) == [fields[name] for name in names]
    assert len(body[11]) == fields["entries"]


@each("log", "refused_batches")
def test_batches_refused(case: dict[str, str]) -> None:
    said = V["log"]
    with pytest.raises(REFUSALS):
        carried.batch(raw(case["bytes"]), raw(said["lock_id"]), raw(said["log_public"]))


def test_sealed() -> None:
    batch, secrets = V["sealed"]["log"], V["sealed"]["secrets"]
    kid, opened = sealing.open_log(raw(batch["bytes"]), raw(batch["private"]))
    assert (kid.hex(), opened.hex()) == (batch["kid"], batch["batch"])
    keys = sealing.open_adv_keys(
        raw(secrets["bytes"]), raw(secrets["private"]), raw(secrets["binding"]), secrets["seq"]
    )
    assert files.plain(keys) == secrets["adv_keys"]


@each("sealed", "refused_log")
def test_sealed_refused(case: dict[str, str]) -> None:
    with pytest.raises(REFUSALS):
        sealing.open_log(raw(case["bytes"]), raw(V["sealed"]["log"]["private"]))


@each("receipt")
def test_receipts(case: dict[str, str]) -> None:
    said, log = V["receipt"], V["log"]
    hashes = [raw(one) for one in log["hashes"]]
    own = carried.Log(raw(said["lock_id"]), said["epoch"], said["acked"], hashes)
    assert carried.read_receipt(raw(case["bytes"]), first_manifest(), own) == case["verdict"]

"""The lock's own judgement, bulletin check and receipt reading give the answers of the vectors."""

from typing import Any

import pytest

from lockagent.core import bulletins, judge
from lockagent.core.bulletins import BulletinRefusedError
from lockagent.core.clock import Anchor, Clock, RtcReading
from lockagent.core.context import RESERVE_PERCENT
from lockagent.core.memory import Binding
from lockagent.core.requests import KnownRequest, KnownRequests, RequestKey
from lockagent.core.uncertain import UncertainUse
from protocol import bulletin, manifest
from protocol.keys import holder_key
from tests.protocol.vectors import files, world


def cases(name: str) -> list[Any]:
    return [pytest.param(one, id=one["name"]) for one in files.load(name)["cases"]]


def _binding(data: bytes) -> Binding:
    held = manifest.verify(world.MANIFEST_BYTES, world.TRUSTED)
    return Binding(held, world.MANIFEST_BYTES, bulletin.parse(data).body, data, (world.ADV_KEY,))


def _known() -> KnownRequests:
    """A lock that granted the vectors' request before."""
    known = KnownRequests()
    key = RequestKey(world.PHONE_KEY.fingerprint, 1, world.REQUEST_ID)
    known.granted(key, KnownRequest(granted_seq=4, token_id=world.CLAIMS.token_id, epoch=1))
    return known


@pytest.mark.parametrize("case", cases("judgement"))
def test_judgement(case: dict[str, Any]) -> None:
    knows = case["lock"]
    now, used = knows["now"], UncertainUse()
    for _ in range(knows["openings"]):
        used.opened(world.CLAIMS.token_id, 0.0)
        used.opened(world.REVOKED_TOKEN_ID, 0.0)
    bench = judge.Bench(
        binding=_binding(bytes.fromhex(knows["bulletin"])),
        clock=Clock(Anchor(now, 0, now, knows["certain"]), RtcReading(0), 0.0),
        mono=0.0,
        known=_known() if knows["known"] else KnownRequests(),
        uncertain=used,
        busy_with=RequestKey(bytes(8), 1, bytes(8)) if knows["busy"] else None,
        reserve_only=_reserve_only(bytes.fromhex(knows["bulletin"]), knows["battery"]),
    )
    holder = world.PHONE_KEY
    assert holder == holder_key(1, holder.public)
    hearing = judge.judge(judge.Hearing(bench, holder, bytes.fromhex(case["request"])))
    assert hearing.reason.slug == case["reason"]


def _reserve_only(data: bytes, battery: int | None) -> bool:
    opens = bulletin.parse(data).body.settings.open_with_last_energy
    return battery is not None and battery <= RESERVE_PERCENT and not opens


@pytest.mark.parametrize("case", cases("bulletin"))
def test_bulletin(case: dict[str, str]) -> None:
    held = _binding(world.BULLETIN_BYTES)
    try:
        bulletins.examine(bytes.fromhex(case["bytes"]), held, world.LOCK.lock_id, world.LOCK_SEAL)
        reason = "granted"
    except BulletinRefusedError as refused:
        reason = refused.reason.slug
    assert reason == case["reason"]


class _Journal:
    """The log of log.json, as far as reading a receipt looks."""

    def __init__(self) -> None:
        said = files.load("log")
        self.epoch, self.acked = said["epoch"], files.load("receipt")["acked"]
        self._hashes = [bytes.fromhex(one) for one in said["hashes"]]
        self.head = len(self._hashes) - 1

    def hash_after(self, seq: int) -> bytes:
        return self._hashes[seq]


@pytest.mark.parametrize("case", cases("receipt"))
def test_receipt(case: dict[str, str]) -> None:
    reading = bulletins.read_receipt(
        bytes.fromhex(case["bytes"]),
        world.MANIFEST,
        world.LOCK.lock_id,
        _Journal(),  # type: ignore[arg-type]
    )
    assert reading.verdict.value == case["verdict"]

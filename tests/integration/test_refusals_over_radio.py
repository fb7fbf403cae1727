"""What a lock refuses and what the phone makes of it: the lock's own reason, cured where that can be."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from lockagent.bolt import Bolt, Order
from mobile.engine.state import OpeningState as S
from protocol.entries import EntryType, Granted
from protocol.manifest import Role, RoleKey
from protocol.token import Scope
from simulation.faults import CutLink, phone_writes
from simulation.radio import Packet, Verdict
from simulation.virtualtime import virtual_time
from tests.integration.radioworld import PhoneInHand, world
from tests.lockagent.world import role_signer

HOUR = 3600


@virtual_time
async def test_rule_01_no_right_and_nothing_is_even_sent(tmp_path: Path) -> None:
    w = world(tmp_path)
    lock = await w.lock()
    phone = await w.phone()
    await phone.engine.sync()
    recording = w.ether.record()
    opening = await phone.engine.open_door(lock.door_id)
    assert (opening.state, opening.reason) == (S.REFUSED, "no_right")
    unknown = await phone.engine.open_door("no such door")
    assert (unknown.state, unknown.reason) == (S.REFUSED, "no_right")
    assert recording.packets == []
    await phone.engine.settled()
    assert [entry.reason for entry in await phone.engine.history()] == ["no_right", "no_right"]
    await w.close()


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"begins": -10 * HOUR, "hours": 8.0}, "expired"),
        ({"begins": 2 * HOUR, "hours": 8.0}, "not_yet_valid"),
        ({"scope": Scope.LOCK}, "not_permitted"),
    ],
)
def test_rule_01_the_lock_refuses_and_its_reason_is_shown(
    tmp_path: Path, how: dict[str, object], reason: str
) -> None:
    @virtual_time
    async def story() -> None:
        w = world(tmp_path)
        if "begins" in how:
            begins = w.wall() + int(str(how["begins"]))
            lock, phone = await w.at_the_door(**(how | {"begins": begins}))
        else:
            lock, phone = await w.at_the_door(**how)
        opening = await phone.engine.open_door(lock.door_id)
        assert (opening.state, opening.reason) == (S.REFUSED, reason)
        await phone.engine.settled()
        assert lock.kinds() == ["REFUSED"], "logged, once"
        assert lock.motor.runs == []
        assert S.GRANTED_UNLOCKING not in phone.states(lock.door_id)
        await w.close()

    story()


@virtual_time
async def test_rule_01_a_copied_vault_entry_does_not_open_with_another_phones_key(tmp_path: Path) -> None:
    """Bo's phone gets hold of Anna's token and lock record, whole."""
    w = world(tmp_path)
    lock, anna = await w.at_the_door()
    w.server.away = False
    bo = await w.phone("bo")
    await bo.engine.sync()
    stolen = anna.engine._keyring.content
    await bo.engine._keyring.change(
        lambda content: replace(content, rights=stolen.rights, locks=stolen.locks, doors=stolen.doors)
    )
    bo.engine._content_changed()
    opening = await bo.engine.open_door(lock.door_id)
    assert (opening.state, opening.reason) == (S.REFUSED, "token_invalid")
    assert lock.motor.runs == []
    await w.close()


@virtual_time
async def test_a_revocation_reaches_the_lock_with_any_phone(tmp_path: Path) -> None:
    """Bo carries the news; Anna, who is offline and still holds her token, is then refused."""
    w = world(tmp_path)
    lock, anna = await w.at_the_door()
    w.server.away = False
    bo = await w.phone("bo")
    w.server.grant(lock.ware, to="device-2")
    revoked = next(key for key, right in w.server.rights.items() if right["device"] == "device-1")
    w.server.news(lock.ware, revoked=(revoked,))
    await bo.engine.sync()
    w.server.away = True
    assert (await bo.engine.open_door(lock.door_id)).state is S.OPEN
    await bo.engine.settled()
    opening = await anna.engine.open_door(lock.door_id)
    assert (opening.state, opening.reason) == (S.REFUSED, "revoked")
    await w.close()


@virtual_time
async def test_a_refused_phone_still_hands_over_the_news(tmp_path: Path) -> None:
    """Anna herself carries the bulletin that says that Bo's token is dead; her own is refused as expired."""
    w = world(tmp_path)
    lock = await w.lock()
    anna, bo = await w.phone("anna"), await w.phone("bo")
    w.server.grant(lock.ware, begins=w.wall() - 10 * HOUR)
    bos = w.server.grant(lock.ware, to="device-2")
    await bo.engine.sync()
    w.server.news(lock.ware, revoked=(bos,))
    await anna.engine.sync()
    assert (await anna.engine.open_door(lock.door_id)).reason == "expired"
    await anna.engine.settled()
    assert (await bo.engine.open_door(lock.door_id)).reason == "revoked"
    await w.close()


@virtual_time
async def test_need_update_is_cured_in_the_same_session(tmp_path: Path) -> None:
    """The lock has heard nothing for two days; the phone has the news with it."""
    w = world(tmp_path)
    lock = await w.lock()
    phone = await w.phone()
    later = w.wall() + 30 * HOUR
    w.server.grant(lock.ware, begins=w.wall() + 24 * HOUR, hours=20, issued_at=later)
    w.server.news(lock.ware, time=later)
    await phone.engine.sync()
    w.server.away = True
    recording = w.ether.record()
    opening = await phone.engine.open_door(lock.door_id)
    await phone.engine.settled()
    assert opening.state is S.OPEN
    assert len({packet.link for packet in recording.packets}) == 1
    await w.close()


@virtual_time
async def test_an_unknown_key_is_cured_in_the_same_session(tmp_path: Path) -> None:
    """The municipality has a new token key since the lock heard anything; the phone has the news with it."""
    w = world(tmp_path)
    lock = await w.lock()
    phone = await w.phone()
    issuer, new = w.server.issuer, role_signer("another token key", b"t2")
    issuer.version, issuer.extra = 2, [RoleKey(Role.TOKEN, b"t2", new.public)]
    w.server.news(lock.ware, with_manifest=issuer.manifest_bytes())
    old, issuer.token_key = issuer.token_key, new
    w.server.grant(lock.ware)
    issuer.token_key = old
    await phone.engine.sync()
    w.server.away = True
    recording = w.ether.record()
    shown: list[S] = []
    phone.engine.subscribe(lambda state: shown.extend(tap.state for tap in state.openings.values()))
    opening = await phone.engine.open_door(lock.door_id)
    await phone.engine.settled()
    assert opening.state is S.OPEN
    assert S.REFUSED not in shown, "the person notices nothing"
    assert len({packet.link for packet in recording.packets}) == 1
    await w.close()


@pytest.mark.parametrize("delivered", [False, True])
def test_rule_10_a_cure_that_nobody_answers_is_not_told_as_a_refusal(tmp_path: Path, delivered: bool) -> None:
    """The lock asks for news and is never heard again: it may have taken them, and have opened."""

    @virtual_time
    async def story() -> None:
        w = world(tmp_path)
        lock = await w.lock()
        phone = await w.phone()
        later = w.wall() + 30 * HOUR
        w.server.grant(lock.ware, begins=w.wall() + 24 * HOUR, hours=20, issued_at=later)
        w.server.news(lock.ware, time=later)
        await phone.engine.sync()
        w.server.away = True
        cut = CutLink(phone_writes, nth=2, deliver=delivered)

        def cut_and_silent(packet: Packet) -> Verdict | None:
            verdict = cut(packet)
            if verdict is not None:
                asyncio.get_running_loop().call_later(0.02, lock.power_off)
            return verdict

        w.ether.add_rule(cut_and_silent)
        opening = await phone.engine.open_door(lock.door_id)
        assert (opening.state, opening.reason) == (S.NO_ANSWER, "no_answer")
        assert lock.motor.runs == ([Order.UNLOCK] if delivered else [])
        await w.close()

    story()


@virtual_time
async def test_news_that_a_colleague_hands_over_at_the_same_moment_cure_both(tmp_path: Path) -> None:
    """Both are refused, both bring the same bulletin; the lock calls the later one old, and judges anew."""
    w = world(tmp_path)
    w.ether.conditions.connection_interval = 0.03
    lock = await w.lock()
    anna, bo = await w.phone("anna"), await w.phone("bo")
    later = w.wall() + 30 * HOUR
    for device in ("device-1", "device-2"):
        begins = w.wall() + 24 * HOUR
        w.server.grant(lock.ware, to=device, begins=begins, hours=20, issued_at=later)
    w.server.news(lock.ware, time=later)
    for phone in (anna, bo):
        await phone.engine.sync()
    w.server.away = True
    for offset in (0.0, 0.03, 0.06, 0.09):
        lock.power_off()
        lock.disk.durable.clear()
        await lock.power_on()
        lock.motor.turn_by_hand(Bolt.LOCKED, asyncio.get_running_loop().time())
        await asyncio.sleep(2)

        async def come_after(phone: PhoneInHand, seconds: float) -> S:
            await asyncio.sleep(seconds)
            return (await phone.engine.open_door(lock.door_id)).state

        ended = await asyncio.gather(come_after(anna, 0), come_after(bo, offset))
        assert set(ended) <= {S.OPEN, S.ALREADY_OPEN}
        for phone in (anna, bo):
            await phone.engine.settled()
    await w.close()


@virtual_time
async def test_need_update_without_news_is_cured_by_a_sync_when_online(tmp_path: Path) -> None:
    w = world(tmp_path)
    lock = await w.lock()
    phone = await w.phone()
    later = w.wall() + 30 * HOUR
    w.server.grant(lock.ware, begins=w.wall() + 24 * HOUR, hours=20, issued_at=later)
    await phone.engine.sync()
    w.server.away = True
    opening = await phone.engine.open_door(lock.door_id)
    assert (opening.state, opening.reason) == (S.REFUSED, "need_update")
    w.server.away = False
    w.server.news(lock.ware, time=later)
    assert (await phone.engine.open_door(lock.door_id)).state is S.OPEN
    await w.close()


@virtual_time
async def test_a_second_token_is_tried_when_the_first_is_refused(tmp_path: Path) -> None:
    """Two shifts, one withdrawn at the lock: what the phone thinks best need not be what the lock accepts."""
    w = world(tmp_path)
    lock = await w.lock()
    anna, bo = await w.phone("anna"), await w.phone("bo")
    longest = w.server.grant(lock.ware, hours=20)
    w.server.grant(lock.ware, hours=8)
    await anna.engine.sync()
    w.server.grant(lock.ware, to="device-2")
    w.server.news(lock.ware, revoked=(longest,))
    await bo.engine.sync()
    w.server.away = True
    await bo.engine.open_door(lock.door_id)
    await bo.engine.lock_door(lock.door_id)
    await bo.engine.settled()
    assert (await anna.engine.open_door(lock.door_id)).state is S.OPEN
    assert lock.kinds()[-3:] == ["REFUSED", "GRANTED", "OUTCOME"]
    await w.close()


@virtual_time
async def test_rule_07_a_phone_with_a_wrong_clock_opens_all_the_same(tmp_path: Path) -> None:
    """The phone's clock is set a week ahead after the sync, and the app restarted."""
    w = world(tmp_path)
    lock, phone = await w.at_the_door()
    await phone.engine.stop()
    true_time = w.wall
    w.wall = lambda: true_time() + 7 * 24 * HOUR  # type: ignore[assignment]
    engine = w.engine("anna", phone.radio)
    w.wall = true_time
    phone.engine = engine
    await engine.start()
    await engine.unlock("493817")
    assert (await engine.open_door(lock.door_id)).state is S.OPEN
    assert lock.motor.runs == [Order.UNLOCK]
    await w.close()


@virtual_time
async def test_a_lock_that_lost_its_clock_gets_fresh_time_from_a_phone_with_coverage(tmp_path: Path) -> None:
    w = world(tmp_path)
    lock, phone = await w.at_the_door()
    w.server.away = False
    lock.power_off()
    await lock.power_on(rtc_lost=True)
    assert (await phone.engine.open_door(lock.door_id)).state is S.OPEN
    await phone.engine.settled()
    assert "POST /api/v1/fresh-time" in w.server.calls
    flags = [Granted.parse(entry.detail).flags for entry in lock.entries() if entry.kind == EntryType.GRANTED]
    assert flags == [1], "granted while the lock did not know the time, and marked so"
    await phone.engine.open_door(lock.door_id)
    flags = [Granted.parse(entry.detail).flags for entry in lock.entries() if entry.kind == EntryType.GRANTED]
    assert flags == [1, 0], "since then it knows"
    await w.close()


@virtual_time
async def test_a_lock_that_lost_its_clock_refuses_at_once_a_phone_without_coverage(tmp_path: Path) -> None:
    """Its token has used up what may be accepted meanwhile; there is nothing to wait for."""
    w = world(tmp_path)
    lock, phone = await w.at_the_door()
    lock.power_off()
    await lock.power_on(rtc_lost=True)
    loop = asyncio.get_running_loop()
    for _ in range(40):
        before = loop.time()
        opening = await phone.engine.open_door(lock.door_id)
        if opening.state is S.REFUSED:
            break
        await phone.engine.settled()
    assert (opening.state, opening.reason) == (S.REFUSED, "time_uncertain")
    assert loop.time() - before < 3
    w.server.away = False
    assert (await phone.engine.open_door(lock.door_id)).state in (S.OPEN, S.ALREADY_OPEN)
    await w.close()


@virtual_time
async def test_an_unauthenticated_no_is_never_told_as_the_truth_about_the_door(tmp_path: Path) -> None:
    """The phone's lock record is for another lock: the handshake fails, which is all that can be known."""
    w = world(tmp_path)
    lock, phone = await w.at_the_door()
    content = phone.engine._keyring.content
    known = content.locks[lock.ware.place.binding]
    wrong = replace(known, static_public=bytes([9]) + bytes(31))
    await phone.engine._keyring.change(lambda c: replace(c, locks={wrong.binding: wrong}))
    opening = await phone.engine.open_door(lock.door_id)
    assert opening.state in (S.FAILED, S.NO_ANSWER)
    assert opening.reason in ("handshake_failed", "no_answer")
    assert S.REFUSED not in phone.states(lock.door_id)
    assert lock.motor.runs == []
    await w.close()

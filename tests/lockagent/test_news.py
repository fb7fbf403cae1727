"""Bulletins: taken from anybody who can shake hands, never back, and what they change."""

from __future__ import annotations

import pytest

from lockagent.storage.port import StorageProblem
from protocol import advert, manifest
from protocol.keys import SigningKey
from protocol.manifest import Role, RoleKey
from protocol.messages import BulletinOffer, BulletinResult, Command
from protocol.reasons import Reason
from protocol.settings import DoorKind, LockSettings
from tests.lockagent.bench import Attempt, Bench, Phone, commissioned
from tests.lockagent.crashdisk import CrashDisk
from tests.lockagent.world import HOUR, Issuer, secret

DAY = 24 * HOUR


def result(attempt: Attempt) -> BulletinResult | None:
    return next((one for one in attempt.said if isinstance(one, BulletinResult)), None)


def held_seq(bench: Bench) -> int:
    assert bench.core.binding is not None
    return bench.core.binding.bulletin.seq


def force(bench: Bench, phone: Phone, news: bytes) -> Attempt:
    """Hand over a bulletin even if an honest phone would not think it newer."""
    attempt = phone.attempt(bench, phone.right(bench), Command.LOCK).run(2.0)
    attempt.session._results_due = 1
    for frame in attempt.session._frames(BulletinOffer(news)):
        bench.write(attempt.link, frame)
    return attempt.run()


def test_rule_04_a_newer_bulletin_is_taken_in_from_any_phone() -> None:
    bench, anna = commissioned(), Phone()
    news = bench.place.bulletin(time=int(bench.wall))
    assert result(anna.open(bench, news=news)) == BulletinResult(Reason.GRANTED, 2)
    assert held_seq(bench) == 2
    bench.power_cut()
    assert held_seq(bench) == 2


def test_rule_04_even_from_a_phone_whose_token_is_refused() -> None:
    bench, anna = commissioned(), Phone()
    news = bench.place.bulletin(time=int(bench.wall), revoked=(b"whatever",))
    refused = anna.open(bench, anna.right(bench, binding=b"binding0"), news=news)
    assert refused.reason is Reason.WRONG_BINDING
    assert result(refused) == BulletinResult(Reason.GRANTED, 2)


def test_rule_04_an_older_bulletin_never_comes_back() -> None:
    bench, anna, bo = commissioned(), Phone("anna"), Phone("bo")
    held = anna.right(bench)
    older = bench.place.bulletin(time=int(bench.wall))
    newer = bench.place.bulletin(time=int(bench.wall), revoked=(held.claims.token_id,))
    bo.open(bench, news=newer, command=Command.LOCK)
    for _ in range(2):
        assert result(force(bench, bo, older)) == BulletinResult(Reason.BULLETIN_OLD, 3)
        assert result(force(bench, bo, newer)) == BulletinResult(Reason.BULLETIN_OLD, 3)
        assert anna.open(bench, held).reason is Reason.REVOKED
        bench.power_cut()


def test_another_doors_bulletin_is_refused() -> None:
    bench, anna = commissioned(), Phone()
    news = bench.place.bulletin(time=int(bench.wall), binding=b"binding9")
    assert result(force(bench, anna, news)) == BulletinResult(Reason.BULLETIN_WRONG_BINDING, 1)


@pytest.mark.parametrize("key", [b"b1", b"b9"])
def test_a_bulletin_nobody_trusted_signed_is_refused(key: bytes) -> None:
    bench, anna = commissioned(), Phone()
    news = bench.place.bulletin(time=int(bench.wall), key=SigningKey.from_seed(key, secret("forger")))
    assert result(force(bench, anna, news)) == BulletinResult(Reason.BULLETIN_INVALID, 1)
    assert result(force(bench, anna, b"no bulletin at all")) == BulletinResult(Reason.BULLETIN_INVALID, 1)


def test_a_newer_bulletin_cures_a_stale_lock_in_the_same_session() -> None:
    bench, anna = commissioned(), Phone()
    bench.advance(3 * DAY)
    news = bench.place.bulletin(time=int(bench.wall))
    attempt = anna.open(bench, news=news)
    decisions = [one.reason for one in attempt.said if hasattr(one, "bulletin_seq") and hasattr(one, "epoch")]
    assert decisions == [Reason.NEED_UPDATE, Reason.GRANTED]
    assert bench.kinds()[-3:] == ["REFUSED", "GRANTED", "OUTCOME"]


def test_a_bulletin_that_comes_too_late_does_not_reopen_the_judgement() -> None:
    bench, anna = commissioned(), Phone()
    bench.advance(3 * DAY)
    attempt = anna.attempt(bench, anna.right(bench), news=bench.place.bulletin(time=int(bench.wall)))
    attempt.step()
    frames = attempt.session.receive(bench.inbox[attempt.link].pop(0)).send
    bench.advance(6)
    for frame in frames:
        bench.write(attempt.link, frame)
    attempt.run(2.0)
    assert held_seq(bench) == 2
    assert bench.motor.runs == []


def test_a_refused_request_is_judged_once_more_and_never_a_third_time() -> None:
    bench, anna = commissioned(), Phone()
    bench.advance(3 * DAY)
    too_old = bench.place.bulletin(time=int(bench.wall) - 2 * DAY)
    attempt = anna.attempt(bench, anna.right(bench), news=too_old).run()
    for frame in attempt.session._frames(BulletinOffer(bench.place.bulletin(time=int(bench.wall)))):
        bench.write(attempt.link, frame)
    bench.advance(2.0)
    assert held_seq(bench) == 3
    assert bench.kinds().count("REFUSED") == 2
    assert bench.motor.runs == []


def test_a_courier_that_keeps_bulletins_back_locks_itself_out() -> None:
    bench, anna = commissioned(), Phone()
    for _ in range(3):
        bench.advance(DAY)
        attempt = anna.open(bench)
    assert attempt.reason is Reason.NEED_UPDATE


def test_a_rotated_token_key_arrives_with_its_manifest_and_cures_key_unknown() -> None:
    bench, anna = commissioned(), Phone()
    new_key = SigningKey.from_seed(b"t2", secret("kommun/token 2"))
    issuer = Issuer(version=2, extra=[RoleKey(Role.TOKEN, b"t2", new_key.public)])
    news = bench.place.bulletin(time=int(bench.wall), with_manifest=issuer.manifest_bytes())
    assert anna.open(bench, anna.right(bench, key=new_key), news=news).reason is Reason.GRANTED
    bench.power_cut()
    assert anna.open(bench, anna.right(bench, key=new_key)).reason is Reason.GRANTED


def test_a_manifest_too_few_roots_signed_spoils_its_bulletin() -> None:
    bench, anna = commissioned(), Phone()
    issuer = Issuer(version=2)
    news = bench.place.bulletin(time=int(bench.wall), with_manifest=issuer.manifest_bytes(signers=1))
    assert result(force(bench, anna, news)) == BulletinResult(Reason.MANIFEST_INVALID, 1)


def test_a_manifest_of_another_municipality_is_not_followed() -> None:
    bench, anna = commissioned(), Phone()
    other = Issuer(name="granne", version=9)
    news = bench.place.bulletin(
        time=int(bench.wall), with_manifest=other.manifest_bytes(), key=other.bulletin_key
    )
    assert result(force(bench, anna, news)) == BulletinResult(Reason.MANIFEST_INVALID, 1)


def test_an_older_manifest_inside_does_not_bring_a_retired_key_back() -> None:
    bench, anna = commissioned(), Phone()
    old = bench.place.issuer.manifest_bytes()
    replaced = Issuer(version=2, token_name="token 2")
    anna.open(bench, news=bench.place.bulletin(time=int(bench.wall), with_manifest=replaced.manifest_bytes()))
    news = bench.place.bulletin(time=int(bench.wall), with_manifest=old)
    Phone("bo").open(bench, news=news)
    assert bench.core.binding is not None
    assert bench.core.binding.manifest.version == 2
    assert manifest.verify(bench.core.binding.manifest_bytes, replaced.root_set).version == 2
    assert anna.open(bench).reason is Reason.TOKEN_INVALID


def test_a_new_adv_key_changes_the_advert_at_once() -> None:
    bench, anna = commissioned(), Phone()
    new = secret("adv 2")
    anna.open(bench, news=bench.place.bulletin(time=int(bench.wall), adv_keys=(new,)))
    assert advert.Resolver([(b"binding1", new)]).resolve(advert.parse(bench.adverts[-1])) is not None
    old_key = anna.attempt(bench, anna.right(bench)).run()
    assert old_key.decision is None
    assert anna.open(bench, adv_key=new).reason is Reason.GRANTED


def test_settings_travel_with_the_bulletin() -> None:
    bench, anna = commissioned(), Phone()
    settings = LockSettings(DoorKind.APARTMENT, relock_after=60)
    news = bench.place.bulletin(time=int(bench.wall), settings=settings)
    anna.open(bench, news=news)
    assert bench.kinds().count("BULLETIN") == 1
    bench.advance(70)
    assert bench.kinds()[-1] == "RELOCKED"


def test_a_bulletin_that_cannot_be_saved_is_not_lived_by() -> None:
    bench, anna = commissioned(), Phone()
    held = anna.right(bench)
    news = bench.place.bulletin(time=int(bench.wall), revoked=(held.claims.token_id,))
    bench.disk.fail = lambda operation, name: (
        StorageProblem.FULL if (operation, name) == ("write", "state") else None
    )
    said = result(anna.open(bench, news=news))
    assert said == BulletinResult(Reason.LOCK_FAULT, 1)
    bench.disk.fail = CrashDisk().fail
    assert held_seq(bench) == 1
    assert result(anna.open(bench, news=news)) == BulletinResult(Reason.GRANTED, 2)

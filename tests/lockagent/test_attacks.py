"""What a reviewer tried against the lock, each once successfully: kept so that it stays mended."""

from __future__ import annotations

from dataclasses import replace

from lockagent.bolt import Bolt
from protocol import commission, manifest
from protocol.keys import SigningKey
from protocol.manifest import Manifest, Role, RootSet
from protocol.messages import Carry, OutcomeCode, TimeResult
from protocol.reasons import Reason
from tests.lockagent.bench import Attempt, Bench, Phone, commissioned
from tests.lockagent.world import APARTMENT, HOUR, right

DAY = 24 * HOUR


def offer_time(bench: Bench, attempt: Attempt, statement: bytes) -> None:
    for frame in attempt.session.offer_time(statement):
        bench.write(attempt.link, frame)
    attempt.run()


def keep_talking(bench: Bench, attempt: Attempt) -> None:
    for frame in attempt.session._frames(Carry(0)):
        bench.write(attempt.link, frame)
    attempt.run()


def test_rule_01_a_genuine_bulletin_under_somebody_elses_roots_binds_nothing() -> None:
    bench = commissioned()
    held = bench.core.binding
    assert held is not None
    root = manifest.root_signing_key(b"\x66" * 32)
    own_token_key = SigningKey.from_seed(b"t1", b"\x67" * 32)
    roles = tuple(
        replace(key, public=own_token_key.public) if key.role is Role.TOKEN else key
        for key in held.manifest.role_keys
    )
    roots = RootSet((root.public,), 1)
    forged = Manifest(
        held.manifest.version, held.manifest.municipality, held.manifest.issued_at, roots, roles
    )
    package = commission.encode(roots, manifest.sign(forged, [root]), held.bulletin_bytes)
    assert bench.commission(package) is Reason.COMMISSION_ROOT_MISMATCH
    mallory = Phone("mallory")
    assert mallory.open(bench, mallory.right(bench, key=own_token_key)).reason is Reason.TOKEN_INVALID


def test_rule_07_a_fresh_time_statement_cannot_be_kept_for_later() -> None:
    bench, anna = commissioned(), Phone()
    held = anna.right(bench, hours=1)
    first = anna.open(bench, held)
    assert first.session.m0_hash is not None
    statement = bench.place.fresh_time(first.session.m0_hash, int(bench.wall))
    bench.advance(11)
    offer_time(bench, first, statement)
    assert first.said[-1] == TimeResult(Reason.TIME_NOT_FOR_SESSION)


def test_rule_07_one_session_takes_fresh_time_once() -> None:
    bench, anna = commissioned(), Phone()
    first = anna.open(bench)
    assert first.session.m0_hash is not None
    statement = bench.place.fresh_time(first.session.m0_hash, int(bench.wall))
    offer_time(bench, first, statement)
    offer_time(bench, first, statement)
    results = [one for one in first.said if isinstance(one, TimeResult)]
    assert [one.reason for one in results] == [Reason.GRANTED, Reason.TIME_NOT_FOR_SESSION]


def test_a_session_that_has_had_its_say_ends_however_much_it_talks() -> None:
    bench, former = commissioned(), Phone("former colleague")
    now = int(bench.wall)
    dead = former.right(bench, hours=1, not_before=now - 2 * DAY, issued_at=now - 2 * DAY)
    attempts = [former.open(bench, dead) for _ in range(4)]
    for _ in range(2):
        bench.advance(20)
        for attempt in attempts:
            keep_talking(bench, attempt)
    assert {attempt.link for attempt in attempts} <= set(bench.ended)


def test_rule_10_the_end_of_relocking_is_not_an_opening() -> None:
    bench, anna = commissioned(settings=replace(APARTMENT, relock_after=10)), Phone()
    held = anna.right(bench)
    anna.open(bench, held)
    while bench.motor._run is None:
        bench.advance(0.125)
    again = anna.attempt(bench, held)
    bench.wall = bench._booted + bench.motor._run.ends_at + 1 / 64
    again.run()
    bench.poll()
    again.run()
    assert again.outcome is None
    again.run(2.0)
    assert again.code is OutcomeCode.MOVED
    assert bench.motor.bolt is Bolt.UNLOCKED


def test_rule_07_the_same_package_again_does_not_make_the_clock_certain() -> None:
    bench, anna = commissioned(), Phone()
    held = bench.core.binding
    assert held is not None
    package = commission.encode(held.manifest.roots, held.manifest_bytes, held.bulletin_bytes)
    right_now = anna.right(bench)
    bench.advance(60)
    bench.rtc_lost = True
    bench.power_cut(3 * DAY)
    assert bench.commission(package) is Reason.GRANTED
    assert not bench.core._context.clock.certain
    opened = anna.open(bench, right_now)
    assert opened.decision is not None
    assert opened.decision.flags


def test_rule_07_tokens_from_the_future_never_hold_the_clock_more_than_a_day_ahead() -> None:
    bench, mallory, anna = commissioned(), Phone("mallory"), Phone("anna")
    far = right(bench.place, mallory.private, now=int(bench.wall) + 3650 * DAY)
    for _ in range(10):
        mallory.open(bench, far).drop()
        bench.power_cut()
    assert bench.core._context.now() - bench.wall <= DAY + 10
    honest = anna.open(bench)
    assert honest.session.m0_hash is not None
    offer_time(bench, honest, bench.place.fresh_time(honest.session.m0_hash, int(bench.wall)))
    assert anna.open(bench).reason is Reason.GRANTED


def test_rule_07_an_rtc_that_leaps_ahead_is_not_believed() -> None:
    bench, anna = commissioned(), Phone()
    bench.rtc_offset += 10 * 365 * DAY
    bench.power_cut()
    first = anna.open(bench)
    assert first.reason is Reason.GRANTED
    assert first.session.m0_hash is not None
    offer_time(bench, first, bench.place.fresh_time(first.session.m0_hash, int(bench.wall)))
    assert bench.core._context.clock.certain
    assert anna.open(bench).reason is Reason.GRANTED


def test_rule_10_the_last_uncertain_opening_is_repeated_like_any_other() -> None:
    bench, anna = commissioned(), Phone()
    bench.rtc_lost = True
    bench.power_cut()
    held = anna.right(bench)
    for _ in range(15):
        assert anna.open(bench, held).reason is Reason.GRANTED
    request_id = anna.request_id()
    anna.open(bench, held, request_id=request_id).drop()
    again = anna.open(bench, held, request_id=request_id)
    assert (again.reason, again.code) == (Reason.GRANTED, OutcomeCode.ALREADY)
    assert anna.open(bench, held).reason is Reason.TIME_UNCERTAIN


def test_phones_that_have_had_their_say_make_room_when_places_are_short() -> None:
    """A former colleague still knows the door's adv_key; four links of theirs must not be a wall."""
    bench, former, anna = commissioned(), Phone("former colleague"), Phone()
    now = int(bench.wall)
    dead = former.right(bench, hours=1, not_before=now - 2 * DAY, issued_at=now - 2 * DAY)
    attempts = [former.attempt(bench, dead).run() for _ in range(4)]
    bench.advance(2.5)
    assert attempts[0].link in bench.ended
    assert attempts[3].link not in bench.ended
    assert anna.open(bench).code is OutcomeCode.MOVED

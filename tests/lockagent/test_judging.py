"""Rule 1 and 2: who is refused, for which reason, in which order, and that nothing moves then."""

from __future__ import annotations

import socket

import pytest

from lockagent.bolt import Bolt, Order
from protocol.entries import EntryType, Refused
from protocol.keys import SigningKey
from protocol.messages import Command
from protocol.reasons import Reason
from protocol.token import MAX_LIFETIME, Scope
from tests.lockagent.bench import Attempt, Bench, Phone, commissioned
from tests.lockagent.world import HOUR, Right, secret

DAY = 24 * HOUR


def tampered(held: Right) -> Right:
    encoded = bytearray(held.encoded)
    encoded[-1] ^= 1
    return Right(held.claims, bytes(encoded))


def assert_refused(bench: Bench, attempt: Attempt, reason: Reason) -> None:
    """The exact reason in m2, in the log, and a motor at rest."""
    assert attempt.reason is reason
    assert attempt.outcome is None
    assert bench.motor.runs == []
    assert bench.motor.bolt is Bolt.LOCKED
    last = bench.entries()[-1]
    assert last.kind == EntryType.REFUSED
    assert Refused.parse(last.detail).reason == reason
    assert attempt.decision is not None
    assert attempt.decision.seq == last.seq


def test_rule_01_a_valid_token_opens() -> None:
    bench = commissioned()
    assert Phone().open(bench).reason is Reason.GRANTED
    assert bench.motor.runs == [Order.UNLOCK]


def test_rule_01_another_phones_token_is_invalid() -> None:
    bench, anna, mallory = commissioned(), Phone("anna"), Phone("mallory")
    assert_refused(bench, mallory.open(bench, anna.right(bench)), Reason.TOKEN_INVALID)


def test_rule_01_a_tampered_token_is_invalid_with_the_same_word() -> None:
    bench, anna = commissioned(), Phone()
    assert_refused(bench, anna.open(bench, tampered(anna.right(bench))), Reason.TOKEN_INVALID)


def test_rule_01_an_expired_token_is_refused_after_the_tolerance() -> None:
    bench, anna = commissioned(), Phone()
    now = int(bench.wall)
    held = anna.right(bench, not_before=now - 8 * HOUR, hours=8, issued_at=now - 8 * HOUR)
    bench.advance(299)
    assert anna.open(bench, held).reason is Reason.GRANTED
    bench.motor.runs.clear()
    bench.motor.turn_by_hand(Bolt.LOCKED, bench.mono)
    bench.poll()
    bench.advance(10)
    assert_refused(bench, anna.open(bench, held), Reason.EXPIRED)


def test_rule_01_an_early_token_is_refused_until_the_tolerance() -> None:
    bench, anna = commissioned(), Phone()
    held = anna.right(bench, not_before=int(bench.wall) + 310)
    assert_refused(bench, anna.open(bench, held), Reason.NOT_YET_VALID)
    bench.advance(15)
    assert anna.open(bench, held).reason is Reason.GRANTED


def test_rule_01_another_bindings_token_is_refused() -> None:
    bench, anna = commissioned(), Phone()
    held = anna.right(bench, binding=b"binding0")
    assert_refused(bench, anna.open(bench, held), Reason.WRONG_BINDING)


def test_rule_01_an_unknown_issuer_key_is_refused() -> None:
    bench, anna = commissioned(), Phone()
    held = anna.right(bench, key=SigningKey.from_seed(b"t9", secret("nobody")))
    assert_refused(bench, anna.open(bench, held), Reason.KEY_UNKNOWN)


def test_rule_01_a_forged_signature_under_a_known_key_id_is_refused() -> None:
    bench, anna = commissioned(), Phone()
    held = anna.right(bench, key=SigningKey.from_seed(b"t1", secret("forger")))
    assert_refused(bench, anna.open(bench, held), Reason.TOKEN_INVALID)


def test_rule_01_a_token_signed_by_another_role_is_refused() -> None:
    bench, anna = commissioned(), Phone()
    held = anna.right(bench, key=bench.place.issuer.bulletin_key)
    assert_refused(bench, anna.open(bench, held), Reason.KEY_UNKNOWN)


def test_rule_01_a_revoked_token_is_refused() -> None:
    bench, anna = commissioned(), Phone()
    held = anna.right(bench)
    news = bench.place.bulletin(time=int(bench.wall), revoked=(held.claims.token_id,))
    Phone("bo").open(bench, news=news, command=Command.LOCK)
    assert_refused(bench, anna.open(bench, held), Reason.REVOKED)


def test_rule_01_a_provider_that_has_ended_opens_nothing() -> None:
    bench, anna = commissioned(), Phone()
    old = anna.right(bench, grp=7)
    bench.advance(60)
    news = bench.place.bulletin(time=int(bench.wall), grp_not_before={7: int(bench.wall)})
    Phone("bo").open(bench, news=news, command=Command.LOCK)
    assert_refused(bench, anna.open(bench, old), Reason.PROVIDER_ENDED)
    assert anna.open(bench, anna.right(bench, grp=8)).reason is Reason.GRANTED
    assert anna.open(bench, anna.right(bench, grp=7)).reason is Reason.GRANTED


def test_rule_01_after_a_leaked_token_key_every_earlier_token_is_dead() -> None:
    bench, anna = commissioned(), Phone()
    old = anna.right(bench)
    bench.advance(60)
    news = bench.place.bulletin(time=int(bench.wall), not_before=int(bench.wall))
    Phone("bo").open(bench, news=news, command=Command.LOCK)
    assert_refused(bench, anna.open(bench, old), Reason.PROVIDER_ENDED)


@pytest.mark.parametrize(
    ("scope", "command"),
    [(Scope.LOCK, Command.OPEN), (Scope.SERVICE, Command.OPEN), (Scope.OPEN, Command.LOCK)],
)
def test_rule_01_another_operation_than_the_token_permits_is_refused(scope: Scope, command: Command) -> None:
    bench, anna = commissioned(), Phone()
    held = anna.right(bench, scope=scope)
    assert_refused(bench, anna.open(bench, held, command=command), Reason.NOT_PERMITTED)


def test_rule_01_a_lock_with_old_news_asks_for_an_update() -> None:
    bench, anna = commissioned(), Phone()
    bench.advance(DAY + 60)
    assert_refused(bench, anna.open(bench), Reason.NEED_UPDATE)


def test_malformed_requests_get_an_exact_reason() -> None:
    bench, anna = commissioned(), Phone()
    held = anna.right(bench)
    assert_refused(bench, anna.open(bench, Right(held.claims, held.encoded[:-3])), Reason.MALFORMED)
    assert bench.entries()[-1].token_id is None


def test_rule_01_refusals_follow_the_order_of_checks() -> None:
    """A token wrong in everything from a check on is refused by that check."""
    bench, anna = commissioned(), Phone()
    bench.advance(3 * DAY)
    now = int(bench.wall)
    dead = anna.right(bench, token_id=b"revoked!", not_before=now - 9 * HOUR, issued_at=now - 9 * HOUR)
    news = bench.place.bulletin(time=now - 2 * DAY, revoked=(b"revoked!",), grp_not_before={1: now})
    Phone("bo").open(bench, news=news, command=Command.LOCK)
    stranger = SigningKey.from_seed(b"t9", secret("nobody"))
    forger = SigningKey.from_seed(b"t1", secret("forger"))
    expired = {"token_id": b"revoked!", "not_before": now - 9 * HOUR, "issued_at": now - 9 * HOUR}
    stale = {"token_id": b"revoked!", "issued_at": now, "scope": Scope.LOCK}
    fresh_enough = now - 2 * DAY + HOUR
    revoked = {
        "token_id": b"revoked!",
        "issued_at": fresh_enough,
        "scope": Scope.LOCK,
        "not_before": now - HOUR,
    }
    ended = {"issued_at": fresh_enough, "scope": Scope.LOCK, "not_before": now - HOUR}
    other_grp = ended | {"grp": 2}
    cases = [
        (expired | {"key": stranger, "binding": b"binding0"}, Reason.KEY_UNKNOWN),
        (expired | {"key": forger, "binding": b"binding0"}, Reason.WRONG_BINDING),
        (expired | {"key": forger}, Reason.TOKEN_INVALID),
        (expired, Reason.EXPIRED),
        (stale | {"not_before": now + HOUR}, Reason.NOT_YET_VALID),
        (stale, Reason.NEED_UPDATE),
        (revoked, Reason.REVOKED),
        (ended, Reason.PROVIDER_ENDED),
        (other_grp, Reason.NOT_PERMITTED),
    ]
    for how, reason in cases:
        assert anna.open(bench, anna.right(bench, **how)).reason is reason, how
    assert dead.claims.expires - dead.claims.not_before <= MAX_LIFETIME
    assert bench.motor.runs == []


def test_rule_02_everything_is_decided_with_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_: object, **__: object) -> None:
        raise OSError("no network here")

    monkeypatch.setattr(socket, "socket", no_network)
    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    bench, anna = commissioned(), Phone()
    held = anna.right(bench)
    assert anna.open(bench, held).reason is Reason.GRANTED
    assert anna.open(bench, tampered(held)).reason is Reason.TOKEN_INVALID


def test_a_refused_phone_gets_no_log_to_carry() -> None:
    bench, anna = commissioned(), Phone()
    refused = anna.open(bench, anna.right(bench, binding=b"binding0"))
    assert refused.batches == []


def test_two_phones_one_acts_and_the_other_is_told_busy() -> None:
    bench, anna, bo = commissioned(), Phone("anna"), Phone("bo")
    first = anna.attempt(bench, anna.right(bench)).run()
    second = bo.attempt(bench, bo.right(bench)).run()
    assert (first.reason, second.reason) == (Reason.GRANTED, Reason.BUSY)
    first.run(2.0)
    assert first.outcome is not None
    assert bo.open(bench, bo.right(bench)).reason is Reason.GRANTED
    assert bench.motor.runs == [Order.UNLOCK]


def test_the_same_refusal_again_and_again_is_counted_not_listed() -> None:
    bench, mallory = commissioned(), Phone("mallory")
    stolen = Phone("anna").right(bench)
    for _ in range(20):
        assert mallory.open(bench, stolen).reason is Reason.TOKEN_INVALID
    assert bench.kinds().count("REFUSED") == 3
    bench.advance(HOUR + 1)
    failures = [entry for entry in bench.entries() if entry.kind == EntryType.FAILURES]
    assert [entry.detail[0] for entry in failures] == [17]


def test_rule_05_a_flood_with_ever_new_keys_cannot_wash_the_log_out() -> None:
    """Nor can it hide the refusal of somebody whose token is real."""
    bench, bo = commissioned(), Phone("bo")
    stolen = Phone("anna").right(bench)
    for number in range(200):
        Phone(f"mallory {number}").open(bench, stolen)
    assert bench.kinds().count("REFUSED") == 6
    assert_refused(bench, bo.open(bench, bo.right(bench, scope=Scope.LOCK)), Reason.NOT_PERMITTED)


def test_rule_05_a_flood_with_many_real_tokens_is_bounded_too() -> None:
    bench, anna = commissioned(), Phone()
    for number in range(80):
        anna.open(bench, anna.right(bench, scope=Scope.LOCK, token_id=number.to_bytes(8, "big")))
    assert bench.kinds().count("REFUSED") == 60

"""Rule 12: nothing connects or computes just to fetch logs, time or state; it rides on the opening."""

from __future__ import annotations

from collections import Counter

import pytest

from lockagent.core.events import Effect, Event
from protocol import handshake, keys, seal
from protocol.messages import BulletinResult, Decision, Done, LogBatch, Outcome, TimeResult
from tests.lockagent.bench import Bench, Phone, commissioned
from tests.lockagent.world import HOUR

WEEK = 7 * 24 * HOUR


class Watched(Bench):
    """Counts what the core asks for."""

    asked: Counter[str]

    def feed(self, event: Event) -> None:
        self.asked["events"] += 1
        super().feed(event)

    def _carry_out(self, effect: Effect) -> list[Effect]:
        self.asked[type(effect).__name__] += 1
        return super()._carry_out(effect)


def test_rule_12_a_week_that_nobody_comes_is_adverts_and_an_hourly_clock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No m0 is made, nothing signed, verified or sealed, no entry written, and the state once an hour."""
    Watched.asked = Counter()
    bench = commissioned()
    bench.__class__ = Watched
    bench.advance(HOUR)
    Watched.asked.clear()

    def costly(*_arguments: object, **_named: object) -> None:
        raise AssertionError("a lock that nobody visits computes")

    monkeypatch.setattr(handshake.LockHandshake, "__init__", costly)
    monkeypatch.setattr(keys.SigningKey, "sign", costly)
    monkeypatch.setattr(keys.VerifyKey, "verify", costly)
    monkeypatch.setattr(seal, "seal_log", costly)
    bench.advance(WEEK)
    assert set(Watched.asked) == {"events", "Advertise", "SaveState"}
    assert Watched.asked["SaveState"] <= WEEK / HOUR + 1
    assert Watched.asked["events"] <= 10 * WEEK / HOUR


def test_rule_12_time_news_and_log_ride_on_one_opening() -> None:
    """One link, one handshake, and the phone has brought and taken everything there was."""
    bench, anna = commissioned(), Phone()
    for _ in range(5):
        anna.open(bench).drop()
    held = anna.right(bench)
    news = bench.place.bulletin(time=int(bench.wall), revoked=(b"whatever",))
    links = len(bench.inbox)
    attempt = anna.attempt(bench, held, news=news).run()
    assert attempt.session.m0_hash is not None
    for frame in attempt.session.offer_time(bench.place.fresh_time(attempt.session.m0_hash, int(bench.wall))):
        bench.write(attempt.link, frame)
    attempt.run(2.0)
    said = [type(one) for one in attempt.said]
    assert set(said) == {Decision, BulletinResult, TimeResult, Outcome, LogBatch, Done}
    assert attempt.ended
    assert len(bench.inbox) == links + 1

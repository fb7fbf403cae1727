"""Nothing that the core says, keeps or hands to the disk shows a key when it is printed."""

from __future__ import annotations

import pytest

from lockagent.core.events import Effect
from tests.lockagent.bench import SECRETS, Bench, Phone, commissioned


def test_no_key_shows_in_any_repr_of_a_days_work(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    carry_out = Bench._carry_out

    def noted(self: Bench, effect: Effect) -> list[Effect]:
        shown.append(repr(effect))
        return carry_out(self, effect)

    monkeypatch.setattr(Bench, "_carry_out", noted)
    bench, anna = commissioned(), Phone()
    attempt = anna.open(bench)
    bench.advance(4000)
    shown += [repr(bench.store.boot()), repr(bench.core._context), repr(bench.core.binding)]
    shown += [repr(attempt.session), repr(SECRETS)]
    assert any("SaveState" in text for text in shown)
    keys = [bench.place.adv_key, SECRETS.static_private, SECRETS.log_seed, SECRETS.seal_private, anna.private]
    for text in shown:
        for key in keys:
            assert key.hex() not in text
            assert repr(key)[2:-1] not in text

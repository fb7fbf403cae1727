"""Anything in any order: phones, strangers, noise, hands, failing disks, power cuts; and what must hold."""

from __future__ import annotations

import pytest

from lockagent.bolt import Bolt
from lockagent.core.events import FrameIn
from lockagent.storage.port import StorageProblem
from protocol.entries import EntryType, Granted, OutcomeDetail
from protocol.messages import Command
from protocol.reasons import Reason
from protocol.settings import DoorKind, LockSettings
from tests.lockagent.bench import Attempt, Bench, Phone, commissioned
from tests.lockagent.crashdisk import CrashDisk, seeded
from tests.lockagent.world import Right


class Chaos:
    """One story, repeatable by its seed."""

    def __init__(self, seed: int) -> None:
        self.rng = seeded(seed)
        settings = LockSettings(DoorKind.APARTMENT, relock_after=self.rng.choice([0, 7]))
        self.bench: Bench = commissioned(settings=settings, rng=seeded(seed + 1000), capacity=256)
        self.phones = [Phone(name) for name in ("anna", "bo", "cia")]
        self.revoked: set[bytes] = set()
        self.live: list[Attempt] = []
        self.used: list[tuple[Phone, Right, bytes, Command]] = []
        self.runs = 0

    def step(self) -> None:
        often = (self.begin, self.begin, self.begin, self.go_on, self.go_on, self.wait, self.wait, self.hand)
        seldom = (self.repeat, self.drop, self.noise, self.garble, self.news, self.disk_trouble, self.power)
        actions = often * 2 + seldom
        self.rng.choice(actions)()

    def begin(self) -> None:
        phone = self.rng.choice(self.phones)
        how = self.rng.choice([{}, {}, {"binding": b"binding0"}, {"hours": 0.001}, {"token_id": b"revokedX"}])
        held = phone.right(self.bench, **how)
        self._attempt(phone, held, phone.request_id(), self.rng.choice(list(Command)))

    def repeat(self) -> None:
        if self.used:
            self._attempt(*self.rng.choice(self.used[-20:]))

    def go_on(self) -> None:
        for attempt in self.live[-3:]:
            for _ in range(self.rng.randint(1, 3)):
                attempt.step()

    def wait(self) -> None:
        self.bench.advance(self.rng.choice([0.1, 0.7, 2.0, 6.0, 40.0]))
        for attempt in self.live[-2:]:
            attempt.run()

    def drop(self) -> None:
        if self.live:
            self.live.pop(self.rng.randrange(len(self.live))).drop()

    def noise(self) -> None:
        link = self.bench.link_up(subscribe=self.rng.random() < 0.8)
        for _ in range(self.rng.randint(0, 4)):
            self.bench.write(link, self.rng.randbytes(self.rng.randint(0, 250)))

    def garble(self) -> None:
        """A frame that belongs somewhere else, or one altered bit, on a link in use."""
        if self.live:
            frame = bytearray(self.rng.randbytes(30))
            frame[0] = self.rng.choice([0x90, 0xD0, 0xE0, 0xA0, 0x20, 0xF0])
            self.bench.feed(FrameIn(self.rng.choice(self.live).link, bytes(frame)))

    def hand(self) -> None:
        if self.rng.random() < 0.6:
            self.bench.turn_by_hand(self.rng.choice([Bolt.LOCKED, Bolt.LOCKED, Bolt.UNLOCKED]))

    def news(self) -> None:
        self.revoked.add(b"revokedX")
        news = self.bench.place.bulletin(time=int(self.bench.wall), revoked=tuple(self.revoked))
        phone = self.rng.choice(self.phones)
        held = phone.right(self.bench)
        self.live.append(phone.attempt(self.bench, held, Command.LOCK, news=news))

    def disk_trouble(self) -> None:
        failing = self.rng.choice(["write", "sync", "never", "never", "never"])
        self.bench.disk.fail = lambda done, _: StorageProblem.IO if done == failing else None

    def power(self) -> None:
        self.bench.disk.fail = CrashDisk().fail
        self.runs += len(self.bench.motor.runs)
        self.live.clear()
        self.bench.power_cut(self.rng.choice([1, 100]))

    def _attempt(self, phone: Phone, held: Right, request_id: bytes, command: Command) -> None:
        self.used.append((phone, held, request_id, command))
        attempt = phone.attempt(self.bench, held, command, request_id=request_id)
        self.live.append(attempt)


@pytest.mark.parametrize("seed", range(30))
def test_rule_01_and_06_whatever_happens_nothing_moves_without_a_logged_grant(seed: int) -> None:
    chaos = Chaos(seed)
    for _ in range(120):
        chaos.step()
    chaos.power()
    entries = chaos.bench.entries()
    granted = [entry for entry in entries if entry.kind == EntryType.GRANTED]
    relocked = sum(entry.kind == EntryType.RELOCKED for entry in entries)
    cut_short = sum(entry.kind == EntryType.BOOT for entry in entries)
    assert chaos.runs <= len(granted) + relocked + cut_short
    requests = [(d.phone, d.command, d.request_id) for d in (Granted.parse(e.detail) for e in granted)]
    assert len(requests) == len(set(requests)), "a request was granted twice"
    bad = {b"revokedX"} if chaos.revoked else set()
    news_from = next((e.seq for e in entries if e.kind == EntryType.BULLETIN), None)
    for entry in granted:
        assert not (entry.token_id in bad and news_from is not None and entry.seq > news_from)
    outcomes = [OutcomeDetail.parse(e.detail).granted_seq for e in entries if e.kind == EntryType.OUTCOME]
    assert sorted(outcomes) == [entry.seq for entry in granted]
    final = chaos.phones[0].open(chaos.bench)
    assert final.reason is Reason.GRANTED

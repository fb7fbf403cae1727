"""What lock and phone compute and say at a door, by message and suite, and what strangers cost beside it.

CPU is that of one process on one core (`time.process_time`). The lock's share is what its core spends on the
events of one visit; its disk and its Bluetooth stack are not in it. Energy is the model of
``simulation.energy``.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable
from time import process_time

from bench.output import emit
from bench.results import Figure
from lockagent.bolt import Bolt
from lockagent.core.events import Effect, Event
from protocol import (
    bulletin,
    commission,
    firmware,
    framing,
    freshtime,
    gatt,
    handshake,
    identity,
    log,
    manifest,
    receipt,
    retire,
    seal,
    token,
)
from protocol.framing import Kind
from protocol.handshake import LockDoor, LockHandshake, PhoneHandshake
from protocol.keys import VerifyKey
from protocol.messages import Carry, Command, Decision, Outcome, OutcomeCode, Request, encode
from protocol.reasons import Reason
from protocol.suites import SUITES, Suite
from simulation.energy import airtime, budget, year
from simulation.energy.figures import ALKALINE, Build
from tests.lockagent.bench import SECRETS, Bench, Phone, commissioned
from tests.lockagent.installer import retire_order
from tests.lockagent.programs import board, release

ROUNDS = 200
VISITS = 200
DAYS = 7
MILLION = 1e6


def spent(work: Callable[[], object]) -> float:
    """Return the median CPU seconds of a piece of work, after one that is not counted."""
    work()
    times = []
    for _ in range(ROUNDS):
        begun = process_time()
        work()
        times.append(process_time() - begun)
    return statistics.median(times)


class Meter:
    """CPU seconds the lock's core spends."""

    def __init__(self, bench: Bench) -> None:
        self.seconds = 0.0
        self._handle = bench.core.handle
        bench.core.handle = self._metered  # type: ignore[method-assign]  # watched, not changed

    def _metered(self, event: Event, mono: float) -> list[Effect]:
        begun = process_time()
        try:
            return self._handle(event, mono)
        finally:
            self.seconds += process_time() - begun

    def mean(self, visit: Callable[[], object]) -> float:
        """Return what a visit costs, with whatever falls due meanwhile: strangers share what one paid."""
        visit()
        self.seconds = 0.0
        for _ in range(VISITS):
            visit()
        return self.seconds / VISITS


def _row(name: str, seconds: float, size: int, who: str) -> Figure:
    return Figure(f"door.{name}_us", seconds * MILLION, "µs", "", f"{size} bytes, by the {who}")


def handshakes(suite: Suite) -> list[Figure]:
    """m0 to m3 of one suite, each side's part."""
    bench, phone = commissioned(), Phone(suite=suite)
    place, name = bench.place, f"suite{suite.number}"
    door = LockDoor(
        static_private=SECRETS.static_private, adv_key=place.adv_key, binding=place.binding, suite=suite
    )
    held = phone.right(bench)
    request = Request(Command.OPEN, os.urandom(8), held.encoded).encode()

    def attempt() -> PhoneHandshake:
        return PhoneHandshake(
            key=phone.key,
            lock_static=SECRETS.identity.static_public,
            adv_key=place.adv_key,
            binding=place.binding,
            ephemeral=os.urandom(32),
        )

    m0s = [LockHandshake(door, ephemeral=os.urandom(32)) for _ in range(ROUNDS + 1)]
    m1s = [attempt().answer(lock.m0, request)[0] for lock in m0s]
    both = iter(zip(m0s, m1s, strict=True))
    channel = LockHandshake(door, ephemeral=os.urandom(32))
    _, _, sealing = channel.read_m1(attempt().answer(channel.m0, request)[0])

    def reads() -> None:
        lock, m1 = next(both)
        lock.read_m1(m1)

    def sealed(said: str, message: Decision | Outcome) -> Figure:
        size = len(encode(message)) + handshake.TAG_LENGTH
        return _row(f"{name}.{said}_sealed", spent(lambda: sealing.encrypt(encode(message))), size, "lock")

    fresh, token_key = m0s[0].m0, VerifyKey(b"t1", place.issuer.token_key.public)
    return [
        _row(
            f"{name}.m0_made",
            spent(lambda: LockHandshake(door, ephemeral=os.urandom(32))),
            len(fresh),
            "lock",
        ),
        _row(f"{name}.m1_made", spent(lambda: attempt().answer(fresh, request)), len(m1s[0]), "phone"),
        _row(f"{name}.m1_read", spent(reads), len(m1s[0]), "lock"),
        sealed("m2", Decision(Reason.GRANTED, 1, 4000, 20)),
        sealed("m3", Outcome(OutcomeCode.MOVED, 4001, 80)),
        _row(
            f"{name}.token_verified",
            spent(lambda: token.parse(held.encoded).verify(token_key, phone.key.holder)),
            len(held.encoded),
            "lock",
        ),
    ]


def others() -> list[Figure]:
    """Every other message."""
    bench, phone = commissioned(), Phone()
    place, issuer = bench.place, bench.place.issuer
    attempt = phone.open(bench)
    batch = place.opened(attempt.batches[0])
    signed = log.sign(batch, SECRETS.log_key)
    held, sealing_key = issuer.manifest(), issuer.manifest().sealing_key
    news = place.bulletin(time=int(bench.wall), revoked=(bytes(8),))
    said, fresh = place.receipt(batch), place.fresh_time(bytes(32), int(bench.wall))
    key, keys = issuer.manifest_bytes(), issuer.root_set
    carry = encode(Carry(gatt.LOG_SESSION_BYTES))
    return [
        _row("bulletin_verified", spent(lambda: bulletin.parse(news).verify(held)), len(news), "lock"),
        _row("receipt_verified", spent(lambda: receipt.verify(said, held)), len(said), "lock"),
        _row("fresh_time_verified", spent(lambda: freshtime.verify(fresh, held)), len(fresh), "lock"),
        _row("manifest_verified", spent(lambda: manifest.verify(key, keys)), len(key), "lock"),
        _row("batch_signed", spent(lambda: log.sign(batch, SECRETS.log_key)), len(signed), "lock"),
        _row(
            "batch_sealed", spent(lambda: seal.seal_log(signed, sealing_key)), len(attempt.batches[0]), "lock"
        ),
        _row("carry_encoded", spent(lambda: encode(Carry(gatt.LOG_SESSION_BYTES))), len(carry), "phone"),
    ]


def installers() -> list[Figure]:
    """What an installer brings to a lock, and takes from it."""
    bench, made = board(), release()
    place, held = bench.place, bench.place.issuer.manifest()
    signed, package, order = (
        identity.sign(SECRETS.identity, SECRETS.log_key),
        place.commission(),
        retire_order(place),
    )
    return [
        _row(
            "identity_signed",
            spent(lambda: identity.sign(SECRETS.identity, SECRETS.log_key)),
            len(signed),
            "lock",
        ),
        _row("commission_verified", spent(lambda: commission.verify(package)), len(package), "lock"),
        _row("retire_verified", spent(lambda: retire.verify(order, held)), len(order), "lock"),
        _row(
            "firmware_header_verified",
            spent(lambda: firmware.verify(made.header, held)),
            len(made.header),
            "lock",
        ),
    ]


def _rightful(bench: Bench, phone: Phone) -> Callable[[], object]:
    held = phone.right(bench)

    def visit() -> None:
        attempt = phone.attempt(bench, held).run(2.0)
        if attempt.outcome is None:
            raise RuntimeError(f"the lock did not open: {attempt.reason}")
        bench.link_down(attempt.link)
        bench.turn_by_hand(Bolt.LOCKED)

    return visit


def _guess(bench: Bench) -> None:
    link = bench.link_up()
    for _ in range(gatt.MAX_M0_PER_LINK):
        for frame in framing.fragment(Kind.M1, os.urandom(240), 244):
            bench.write(link, frame)


def visits() -> list[Figure]:
    """A rightful visit of each suite, and strangers' beside it."""
    figures = []
    for suite in SUITES:
        bench = commissioned()
        rightful = Meter(bench).mean(_rightful(bench, Phone(suite=suite)))
        rate = f"{rightful * 1000:.2f} ms of the lock's core each, log and sealing in it"
        figures.append(Figure(f"door.suite{suite.number}.sessions_per_second", 1 / rightful, "", "", rate))
        if suite is SUITES[0]:
            figures += strangers(rightful)
    return figures


def strangers(rightful: float) -> list[Figure]:
    """One alone every 5 s, ten a second who come and go, or who guess (one m1): the share of each."""
    bench = commissioned()
    meter = Meter(bench)

    def alone() -> None:
        bench.advance(gatt.M0_LIFE_SECONDS)
        bench.link_down(bench.link_up())

    def in_a_crowd() -> None:
        bench.advance(0.1)
        bench.link_down(bench.link_up())

    def guessing() -> None:
        bench.advance(0.1)
        _guess(bench)

    detail = "{:.3f} of {:.3f} ms".format
    rows = []
    for name, visit in (("alone", alone), ("in_a_crowd", in_a_crowd), ("guessing", guessing)):
        cost = meter.mean(visit) / (gatt.MAX_M0_PER_LINK if visit is guessing else 1)
        text = detail(cost * 1000, rightful * 1000)
        rows.append(Figure(f"door.stranger_{name}_ratio", cost / rightful, "×", "≤ 0.05", text))
    return rows


def energy() -> list[Figure]:
    """A few days of the battery lock's year."""
    build, counts = Build(), year.counted(DAYS)
    air = {kind: airtime.counted(kind, interval=build.interval_seconds) for kind in airtime.VISITS}
    electronics, motor = budget.opening(counts, air, build)
    look = budget.stranger(counts, air, build, "look")
    return [
        Figure("door.opening_electronics_mj", electronics * 1000, "mJ", "", f"and {motor:.2f} J of motor"),
        Figure(
            "door.stranger_energy_ratio", look / (electronics + motor), "×", "≤ 0.05", f"{look * 1000:.2f} mJ"
        ),
        Figure("door.battery_years", budget.of_year(counts, air, build).years(ALKALINE), "years", "≥ 2"),
    ]


def measure() -> list[Figure]:
    """Everything."""
    each = [figure for suite in SUITES for figure in handshakes(suite)]
    return [*each, *others(), *installers(), *visits(), *energy()]


if __name__ == "__main__":
    emit(measure())

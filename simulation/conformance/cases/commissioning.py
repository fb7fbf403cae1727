"""Commissioning by wire: packages not for this lock, not whole, not newer, or another municipality's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from protocol import cbor
from protocol.reasons import Reason
from simulation.conformance.bench import Bench
from simulation.conformance.case import Chapter
from simulation.conformance.municipality import Municipality, Place, secret
from simulation.conformance.verdict import expect

CHAPTER = Chapter("5")


def _place(bench: Bench, **changes: object) -> Place:
    """A new place for the same lock."""
    return replace(bench.place, binding=bench.random(8), **changes)  # type: ignore[arg-type]


def _package(name: str, why: Reason, make: Callable[[Bench], bytes]) -> None:
    async def play(bench: Bench) -> None:
        expect(why.slug, await bench.commission(make(bench)), "answer to the package")
        await bench.granted(bench.request())

    CHAPTER.add(f"a package {name}: {why.slug}, and the lock opens as before", play)


def _altered(bench: Bench, position: int, value: object) -> bytes:
    parts = cbor.decode(_place(bench).package(time=bench.now()), max_size=12_288)
    parts[position] = value
    return cbor.encode(parts)


INVALID = Reason.COMMISSION_INVALID
_package("that is noise", INVALID, lambda b: b.random(200))
_package("that is empty", INVALID, lambda _b: b"")
_package("with a byte after it", INVALID, lambda b: _place(b).package(time=b.now()) + b"\x00")
_package("cut short", INVALID, lambda b: _place(b).package(time=b.now())[:-1])
_package("of version 2", INVALID, lambda b: _altered(b, 0, 2))
_package("with other roots than its manifest's", INVALID, lambda b: _altered(b, 1, [secret("root")]))
_package("with a lower threshold than its manifest's", INVALID, lambda b: _altered(b, 2, 1))
_package("with a manifest that is noise", INVALID, lambda b: _altered(b, 3, b.random(200)))
_package(
    "with a manifest signed by one root",
    INVALID,
    lambda b: _altered(b, 3, b.place.issuer.manifest(signers=1)),
)
_package("with a bulletin that is noise", INVALID, lambda b: _altered(b, 4, b.random(200)))
_package(
    "with a bulletin without secrets",
    INVALID,
    lambda b: _altered(b, 4, _place(b).news(time=b.now(), number=1)),
)
_package(
    "for another lock",
    Reason.COMMISSION_WRONG_LOCK,
    lambda b: _place(b).package(time=b.now(), lock_id=secret("lock")[:8]),
)
_package(
    "sealed to another lock",
    Reason.COMMISSION_WRONG_LOCK,
    lambda b: _place(b).package(time=b.now(), seal_to=b.bo.public),
)
_package(
    "of another municipality",
    Reason.COMMISSION_ROOT_MISMATCH,
    lambda b: _place(b, issuer=Municipality("neighbour", version=9)).package(time=b.now()),
)
_package(
    "with an older manifest",
    Reason.COMMISSION_OLD,
    lambda b: _place(b, issuer=Municipality(version=1)).package(time=b.now()),
)
_package("with an older time", Reason.COMMISSION_OLD, lambda b: _place(b).package(time=b.now() - 86_400))


@CHAPTER.case("a move: tokens for the earlier place are dead, new ones open")
async def move(bench: Bench) -> None:
    """The last case: from here on the lock is at another door."""
    before = bench.request()
    earlier = bench.place
    bench.place = replace(earlier, binding=bench.random(8), adv_key=bench.random(32), number=1)
    expect(Reason.GRANTED.slug, await bench.commission(bench.place.package(time=bench.now())), "move")
    await bench.refused(before, Reason.WRONG_BINDING)
    await bench.granted(bench.request())


@CHAPTER.case("the first package again, after a move: commission_old")
async def again(bench: Bench) -> None:
    """Kept by an installer's tool, played again."""
    old = replace(bench.place, binding=secret("binding")[:8])
    package = old.package(time=bench.now() - 7200)
    expect(Reason.COMMISSION_OLD.slug, await bench.commission(package), "answer to the package")
    await bench.granted(bench.request())

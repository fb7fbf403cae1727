"""An installer's phone gives a real lock core the release that is for it, whatever comes between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import pytest

from mobile.engine.errors import EngineError
from mobile.engine.programs import Release, renew
from protocol import firmware
from protocol.firmware import FirmwareResult
from protocol.messages import PhoneMessage
from protocol.reasons import Reason
from tests.lockagent import programs as made
from tests.lockagent.bench import Phone
from tests.lockagent.programs import Board, Installer, Visit, board, release, update

T = TypeVar("T")


async def at_once(_seconds: float) -> None:
    """The lock's time passes between what is asked, not here."""


@dataclass
class Server:
    """What the server has published, by its numbers."""

    published: list[made.Release]
    fetched: list[int] = field(default_factory=list)

    @property
    def offered(self) -> list[Release]:
        return [
            Release(number, one.header, firmware.parse(one.header))
            for number, one in enumerate(self.published)
        ]

    async def fetch(self, number: int) -> bytes:
        self.fetched.append(number)
        return self.published[number].image


@dataclass
class Talk:
    """A service session; `between` happens before each thing that is asked."""

    visit: Visit
    between: Callable[[], None] = lambda: None

    async def ask(self, message: PhoneMessage, kind: type[T]) -> T:
        self.between()
        said = self.visit.ask(message)  # type: ignore[arg-type]
        self.visit.attempt.bench.advance(1)
        assert isinstance(said, kind)
        return said


async def brought(bench: Board, server: Server, between: Callable[[], None] = lambda: None) -> int | None:
    seen: list[tuple[int, int]] = []
    visit = Installer().serve(bench)
    version = await renew(Talk(visit, between), server.offered, server.fetch, lambda *how: seen.append(how))
    visit.leave()
    assert seen == sorted(seen)
    return version


async def test_the_lock_gets_the_release_of_its_model() -> None:
    bench, server = board(), Server([release(9, model=b"nrf54l15"), release(2)])
    assert await brought(bench, server) == 2
    assert server.fetched == [1]
    bench.restart()
    bench.settle()
    assert bench.version == 2


async def test_a_lock_that_has_it_is_left_alone_and_nothing_is_fetched() -> None:
    bench, server = board(), Server([release(2)])
    update(bench, release(2))
    assert await brought(bench, server) is None
    assert server.fetched == []


async def test_it_waits_while_somebody_opens_the_door() -> None:
    bench, server, phone = board(), Server([release(2, size=20_000)]), Phone()
    asked = []

    def somebody_opens() -> None:
        asked.append(1)
        if len(asked) == 3:
            phone.attempt(bench, phone.right(bench)).run()

    assert await brought(bench, server, somebody_opens) == 2
    assert len(asked) > 6


async def test_what_the_server_gave_must_be_what_was_signed() -> None:
    good, other = release(2), release(2, name="other")
    server = Server([made.Release(other.image, good.header)])
    with pytest.raises(EngineError, match="firmware_damaged"):
        await brought(board(), server)


async def test_a_refusal_reaches_the_installer_by_name() -> None:
    forged = release(2, key=made.SigningKey.from_seed(b"f1", b"?" * 32))
    with pytest.raises(EngineError, match="firmware_invalid"):
        await brought(board(), Server([forged]))


@dataclass
class Mocking:
    """A lock that says the same whatever it is brought."""

    said: FirmwareResult
    asked: int = 0

    async def ask(self, _message: PhoneMessage, kind: type[T]) -> T:
        self.asked += 1
        assert self.asked < 100, "the phone would go on for ever"
        assert isinstance(self.said, kind)
        return self.said


@pytest.mark.parametrize("place", [0, 4096, 10_000_000], ids=["the start", "the middle", "past the end"])
async def test_a_lock_that_never_gets_on_does_not_keep_the_phone(place: int) -> None:
    server = Server([release(2)])
    lock = Mocking(FirmwareResult(Reason.GRANTED, place))
    with pytest.raises(EngineError) as refused:
        await renew(lock, server.offered, server.fetch, lambda *_: None, at_once)
    assert refused.value.code == "firmware_out_of_place"

"""The virtual-time loop: it jumps, keeps order, and still serves the world outside."""

from __future__ import annotations

import asyncio
import socket
import threading
import time

import pytest

from simulation.virtualtime import StalledError, VirtualTimeLoop, WallClock, run, virtual_time


def test_a_day_passes_in_no_time() -> None:
    async def day() -> float:
        await asyncio.sleep(86_400)
        return asyncio.get_running_loop().time()

    started = time.monotonic()
    assert run(day()) == pytest.approx(86_400)
    assert time.monotonic() - started < 1


@virtual_time
async def test_timers_fire_in_order_at_their_time() -> None:
    loop = asyncio.get_running_loop()
    fired: list[tuple[str, float]] = []
    for name, delay in (("c", 3.0), ("a", 1.0), ("b", 2.0), ("zero", 0.0)):
        loop.call_later(delay, lambda name=name: fired.append((name, loop.time())))
    await asyncio.sleep(10)
    assert fired == [("zero", 0.0), ("a", 1.0), ("b", 2.0), ("c", 3.0)]


@virtual_time
async def test_timeouts_are_virtual() -> None:
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(30):
            await asyncio.Event().wait()
    assert asyncio.get_running_loop().time() == pytest.approx(30)
    assert time.monotonic() - started < 1


@virtual_time
async def test_a_timer_is_never_early() -> None:
    loop = asyncio.get_running_loop()
    early: list[float] = []

    async def tick(period: float) -> None:
        due = loop.time()
        for _ in range(2_000):
            due += period
            await asyncio.sleep(due - loop.time())
            if loop.time() < due:
                early.append(due - loop.time())

    # Two rhythms that never agree take the clock to awkward fractions.
    await asyncio.gather(tick(0.1), tick(0.0137))
    assert early == []


@virtual_time
async def test_time_stands_still_while_an_executor_job_runs() -> None:
    loop = asyncio.get_running_loop()
    rung: list[float] = []
    loop.call_later(0.01, lambda: rung.append(loop.time()))
    assert await asyncio.to_thread(lambda: time.sleep(0.2) or "done") == "done"
    assert loop.time() == 0.0
    assert rung == []
    await asyncio.sleep(0.02)
    assert rung == [pytest.approx(0.01)]


@virtual_time
async def test_a_failing_job_lets_time_go_on() -> None:
    def fail() -> None:
        raise OSError("no disk")

    with pytest.raises(OSError, match="no disk"):
        await asyncio.to_thread(fail)
    await asyncio.sleep(5)
    assert asyncio.get_running_loop().time() == pytest.approx(5)


@virtual_time
async def test_another_thread_can_wake_an_idle_loop() -> None:
    loop = asyncio.get_running_loop()
    called = asyncio.Event()

    def from_outside() -> None:
        time.sleep(0.1)
        loop.call_soon_threadsafe(called.set)

    thread = threading.Thread(target=from_outside)
    thread.start()
    await called.wait()
    thread.join()
    assert loop.time() == 0.0


def test_patience_waits_for_sockets_before_jumping() -> None:
    server = socket.create_server(("127.0.0.1", 0))

    def answer_late() -> None:
        connection, _ = server.accept()
        with connection:
            time.sleep(0.2)
            connection.sendall(connection.recv(100))

    async def talk() -> tuple[bytes, float]:
        async with asyncio.timeout(30):
            reader, writer = await asyncio.open_connection(*server.getsockname())
            writer.write(b"hello\n")
            answer = await reader.readline()
            writer.close()
        return answer, asyncio.get_running_loop().time()

    thread = threading.Thread(target=answer_late)
    thread.start()
    answer, elapsed = run(talk(), patience=5.0)
    thread.join()
    server.close()
    assert answer == b"hello\n"
    assert elapsed == 0.0


@virtual_time
async def test_the_wall_clock_follows_the_loop() -> None:
    await asyncio.sleep(100)
    clock = WallClock(1_800_000_000)
    assert clock() == 1_800_000_000
    await asyncio.sleep(3_599.5)
    assert clock() == 1_800_003_599
    assert clock.precise() == pytest.approx(1_800_003_599.5)


def test_an_error_in_a_test_is_not_swallowed() -> None:
    @virtual_time
    async def broken() -> None:
        await asyncio.sleep(1)
        raise ValueError("seen")

    with pytest.raises(ValueError, match="seen"):
        broken()


def test_waiting_for_nothing_at_all_is_an_error_not_a_hang() -> None:
    async def forever() -> None:
        await asyncio.Event().wait()

    with pytest.raises(StalledError):
        run(forever(), stall=0.05)


def test_two_runs_take_the_same_course() -> None:
    async def course() -> list[float]:
        times: list[float] = []

        async def step(period: float) -> None:
            for _ in range(5):
                await asyncio.sleep(period)
                times.append(asyncio.get_running_loop().time())

        await asyncio.gather(step(0.3), step(0.7), step(0.21))
        return times

    assert run(course()) == run(course())
    assert isinstance(VirtualTimeLoop().time(), float)


def test_a_year_has_an_end() -> None:
    async def live() -> float:
        for _ in range(366):
            await asyncio.sleep(86400.0)
        return asyncio.get_running_loop().time()

    assert run(live()) == 366 * 86400.0

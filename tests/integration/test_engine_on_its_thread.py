"""As the app runs it: the engine on its own thread, the radio and the lock on another loop, in real time."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from mobile.engine.state import OpeningState, Stage
from mobile.engine.thread import EngineThread
from simulation.backend import PhoneRadio
from tests.integration.radioworld import world
from tests.mobile.issuing import CODE, PASSWORD, PIN, TOTP, URL, USERNAME


@pytest.fixture
def thread() -> EngineThread:
    made = EngineThread()
    made.start()
    return made


async def test_a_door_opens_across_threads_while_the_other_loop_is_busy(
    tmp_path: Path, thread: EngineThread
) -> None:
    w = world(tmp_path)
    lock = await w.lock()
    engine = w.engine("anna", PhoneRadio(w.ether, "anna"))

    async def on_its_thread(verb: object) -> object:
        return await asyncio.wrap_future(thread.submit(verb))  # type: ignore[arg-type]

    try:
        await on_its_thread(engine.start())
        await on_its_thread(engine.enrol(URL, CODE, PIN))
        await on_its_thread(engine.sign_in(USERNAME, PASSWORD))
        await on_its_thread(engine.second_factor(TOTP))
        w.server.grant(lock.ware)
        await on_its_thread(engine.sync())
        tap = thread.submit(engine.open_door(lock.door_id))
        for _ in range(20):
            time.sleep(0.03)  # noqa: ASYNC251 - a screen that draws too slowly
            await asyncio.sleep(0)
        opening = await asyncio.wrap_future(tap)
        assert opening.state is OpeningState.OPEN
        await on_its_thread(engine.settled())
        assert engine.state.sync.waiting_logs == 0
        assert len(w.server.batches) == 1
        await on_its_thread(engine.lock_app())
        assert engine.state.stage is Stage.LOCKED
        await on_its_thread(engine.stop())
    finally:
        await asyncio.to_thread(thread.stop)
        await w.close()

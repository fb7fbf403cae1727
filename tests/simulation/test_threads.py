"""A phone whose engine lives on its own thread and loop, as the real app's does."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

import pytest
from bleak import BleakClient, BleakScanner
from bleak.exc import BleakBluetoothNotAvailableError, BleakError

from simulation.backend import PhoneRadio
from simulation.radio import Ether
from tests.simulation.bench import ANSWER, COMMAND, EchoPeripheral, find

T = TypeVar("T")


class Engine:
    """An event loop in a thread."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    async def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Run on the engine's loop, wait on ours."""
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self.loop)
        return await asyncio.wrap_future(future)

    def stop(self) -> None:
        """End the thread."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


async def test_everything_works_from_another_thread() -> None:
    ether = Ether(seed=1)
    lock = await EchoPeripheral(ether).start(interval_ms=20)
    radio = PhoneRadio(ether, "phone", mtu=247)
    engine = Engine()
    threads: set[str] = set()

    async def visit() -> bytes:
        answers: asyncio.Queue[bytes] = asyncio.Queue()
        gone = asyncio.Event()

        def on_answer(_char: object, data: bytearray) -> None:
            threads.add(threading.current_thread().name)
            answers.put_nowait(bytes(data))

        def on_gone(_client: BleakClient) -> None:
            threads.add(threading.current_thread().name)
            gone.set()

        def on_advert(_device: object, _data: object) -> None:
            threads.add(threading.current_thread().name)

        device = await find(radio)
        async with BleakScanner(on_advert, backend=radio.scanner_backend):
            await asyncio.sleep(0.2)
        assert len(threads) == 1
        async with BleakClient(device, on_gone, backend=radio.client_backend) as client:
            assert client.mtu_size == 247
            await client.start_notify(ANSWER, on_answer)
            await client.write_gatt_char(COMMAND, b"hello", response=True)
            answer = await answers.get()
            assert await client.read_gatt_char(COMMAND) == b"here"
        await asyncio.wait_for(gone.wait(), 2)
        return answer

    try:
        assert await engine.do(visit()) == b"hello"
        assert lock.written == [b"hello"]
        assert threading.current_thread().name not in threads
        assert len(threads) == 1
    finally:
        engine.stop()


async def test_errors_and_cancellation_cross_the_threads() -> None:
    ether = Ether(seed=1)
    lock = await EchoPeripheral(ether).start(interval_ms=20)
    radio = PhoneRadio(ether, "phone")
    engine = Engine()

    async def try_silent(address: str) -> None:
        async with asyncio.timeout(0.2):
            await BleakClient(address, backend=radio.client_backend).connect()

    async def lose() -> None:
        async with BleakClient(await find(radio), backend=radio.client_backend) as client:
            radio.move((500.0, 0.0))
            await client.read_gatt_char(COMMAND)

    try:
        with pytest.raises(TimeoutError):
            await engine.do(try_silent("C0:00:00:00:00:01"))
        await asyncio.sleep(0.05)
        assert not radio.controller.initiating
        with pytest.raises(BleakError, match="disconnected"):
            await engine.do(lose())
        assert lock.disconnect_reasons != []
        await radio.switch_off()
        with pytest.raises(BleakBluetoothNotAvailableError):
            await engine.do(find(radio))  # type: ignore[arg-type]
    finally:
        engine.stop()

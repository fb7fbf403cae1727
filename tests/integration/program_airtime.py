"""How long a program takes over the air: ``python -m tests.integration.program_airtime``.

The real image and the real lock on the simulated radio, with a connection event every 30 ms, six packets in
each and none lost. Time is the simulation's.
"""

from __future__ import annotations

import asyncio

from lockagent.firmware.release import build
from protocol import firmware
from simulation import virtualtime
from simulation.conformance import kit, locks
from simulation.radio.conditions import Conditions
from tests.integration.test_firmware_process import carry, served

INTERVAL_SECONDS = 0.03


async def measured() -> tuple[int, float]:
    """Return (bytes of the image, seconds from the offer to the last result)."""
    async with locks.simulated(Conditions(connection_interval=INTERVAL_SECONDS)) as lock:
        bench = await kit.prepare(lock)
        await bench.offer(bench.place.news(time=bench.now()))
        image = build()
        header = firmware.describe(image, model=lock.model, version=2, security=1, signed_at=0)
        async with served(bench) as line:
            begun = asyncio.get_running_loop().time()
            await carry(line, image, firmware.sign(header, bench.place.issuer.firmware_key))
            return len(image), asyncio.get_running_loop().time() - begun


if __name__ == "__main__":
    size, seconds = virtualtime.run(measured())
    chunks = -(-size // firmware.MAX_CHUNK)
    print(f"{size} bytes in {chunks} chunks: {seconds:.1f} s")

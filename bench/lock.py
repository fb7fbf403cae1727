"""What a lock costs its board: memory and idle processor time of the real ``python -m lockagent run``.

The process has a full log and a board of pins (gpiozero's mock ones, for want of real ones), its Bluetooth
controller behind TCP as on a board it is behind a socket of the kernel's; the controller's own work is done
in this process and not counted, as a chip would do it.
"""

import asyncio
import os
import sys
import tempfile
from pathlib import Path

from bench.output import emit
from bench.results import Figure
from lockagent import lockfolder
from lockagent.agent import Agent, Parts
from lockagent.bolt import Battery
from lockagent.core.clock import RtcReading
from lockagent.motor.simulated import SimulatedMotor
from protocol import commission
from simulation.radio import Ether
from simulation.radio.hub import Hub
from tests.lockagent.world import T0, Issuer, Place

BOARD = "[bolt]\nlock = 17\nunlock = 27\nlocked = 5\nunlocked = 6\n"
SETTLE_SECONDS = 5.0
IDLE_SECONDS = 20.0
START_SECONDS = 60.0
MIB = 1024


async def fill(folder: Path) -> int:
    """Make a bound lock whose log is full; returns how many entries it holds."""
    made = lockfolder.create(folder, os.urandom)
    parts = Parts(made.store, made.secrets, SimulatedMotor(), RtcReading(T0), os.urandom)
    agent = Agent(parts)
    agent.commission(commission.verify(Place(Issuer(), made.secrets.identity).commission()))
    for _ in range(made.store.capacity + 100):
        agent.feed(Battery(90))
        agent.feed(Battery(20))
    entries = len(made.store.boot().records)
    made.close()
    return entries


async def start(folder: Path, transport: str) -> asyncio.subprocess.Process:
    """Start the lock and wait until it is on the air."""
    board = folder.with_name("board.toml")
    board.write_text(BOARD)
    command = ("-m", "lockagent", "--folder", str(folder), "run", "--transport", transport)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *(*command, "--board", str(board)),
        stdout=asyncio.subprocess.PIPE,
        env=dict(os.environ, PYTHONUNBUFFERED="1", GPIOZERO_PIN_FACTORY="mock"),
    )
    if process.stdout is None:
        raise RuntimeError("the lock has no output to read")
    async with asyncio.timeout(START_SECONDS):
        if b"on the air" not in await process.stdout.readline():
            raise RuntimeError("the lock did not come up")
    return process


def memory(process: int) -> dict[str, float]:
    """Mebibytes by the kernel's name: VmRSS now, VmHWM at most, Pss its share of what it shares."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    lines += Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    found = {}
    for line in lines:
        name, _, rest = line.partition(":")
        if name in ("VmRSS", "VmHWM", "Pss"):
            found[name] = int(rest.split()[0]) / MIB
    return found


def processor_seconds(process: int) -> float:
    """User and system time since the process began."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measure(folder: Path) -> list[Figure]:
    """Let the lock idle on the air, and look at it from outside."""
    entries = await fill(folder)
    hub = Hub(Ether(seed=1))
    process = await start(folder, await hub.listen_tcp())
    await asyncio.sleep(SETTLE_SECONDS)
    before = processor_seconds(process.pid)
    await asyncio.sleep(IDLE_SECONDS)
    share = 100 * (processor_seconds(process.pid) - before) / IDLE_SECONDS
    held = memory(process.pid)
    process.terminate()
    await process.wait()
    await hub.close()
    full = f"with {entries} entries of log"
    return [
        Figure("lock.memory_mib", held["VmRSS"], "MiB", "≤ 64", f"resident, {full}"),
        Figure("lock.memory_own_mib", held["Pss"], "MiB", "≤ 64", "its own and its share of shared pages"),
        Figure("lock.memory_most_mib", held["VmHWM"], "MiB", "≤ 64", f"at most since it started, {full}"),
        Figure("lock.idle_percent", share, "%", "≤ 2", f"of one core, over {IDLE_SECONDS:.0f} s on the air"),
    ]


def main() -> None:
    """Measure in a folder of our own."""
    with tempfile.TemporaryDirectory() as folder:
        emit(asyncio.run(measure(Path(folder) / "lock")))


if __name__ == "__main__":
    main()

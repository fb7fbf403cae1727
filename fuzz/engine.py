"""Fuzzes one target in this process until its time is up: ``python -m fuzz.engine NAME --seconds N``.

Coverage guides it (atheris, libFuzzer): an input that reaches something new is kept and altered further. A
finding ends the process with its input in a file beside the corpus; the tally is written all the time,
because libFuzzer does not come back.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from pathlib import Path

import atheris

from fuzz import corpus
from fuzz.luck import Luck
from fuzz.target import FindingError, Tally

INSTRUMENTED = ["protocol", "lockagent.core"]
"""What coverage is counted in."""

with atheris.instrument_imports(include=INSTRUMENTED):
    from fuzz.targets import TARGETS

CPU_SECONDS = 2.0
"""One input, a whole story with two hundred messages as well, may take no longer."""
HANG_SECONDS = 120
"""After this libFuzzer ends an input that does not come back, however busy the machine is."""
NOTE_SECONDS = 0.2
MEMORY_MB = 512
"""The whole process, corpus included."""


class Run:
    """One target's run: counts, measures, and writes down."""

    def __init__(self, name: str, tally: Path) -> None:
        self.target, self.tally, self._path = TARGETS[name], Tally(), tally
        self.executions = 0
        self._slowest = 0.0
        self._noted = 0.0

    def one(self, data: bytes) -> None:
        """Run one input."""
        begun = time.thread_time()
        self.target.run(data, self.tally)
        took = time.thread_time() - begun
        self._slowest = max(self._slowest, took)
        if took > CPU_SECONDS:
            raise FindingError(f"one input took {took:.1f} seconds")
        self.executions += 1
        if time.monotonic() - self._noted > NOTE_SECONDS:
            self.note()

    def note(self) -> None:
        """Write down what has been tried so far."""
        said = {**vars(self.tally), "executions": self.executions, "slowest": round(self._slowest, 4)}
        self._noted = time.monotonic()
        partial = self._path.with_suffix(".partial")
        partial.write_text(json.dumps(said))
        partial.replace(self._path)

    def mutate(self, data: bytes, max_size: int, seed: int) -> bytes:
        """Mostly the target's own changes, for a third libFuzzer's."""
        luck = random.Random(seed)  # noqa: S311 - a story to be told again, no key
        if luck.random() < 1 / 3:
            return bytes(atheris.Mutate(data, max_size))
        return self.target.change(bytes(data), Luck(luck.randbytes(256)))[:max_size]


def main() -> None:
    """Fuzz; ends the process."""
    parser = argparse.ArgumentParser(prog="python -m fuzz.engine", description=__doc__)
    parser.add_argument("name", choices=sorted(TARGETS))
    parser.add_argument("--seconds", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True, help="where corpus, tally and findings lie")
    options = parser.parse_args()
    folder: Path = options.folder
    run = Run(options.name, folder / "tally.json")
    corpus.unpack([*run.target.seeds(), *corpus.kept(options.name)], folder / "corpus")
    said = [sys.argv[0], "-verbosity=0", "-print_final_stats=0", f"-timeout={HANG_SECONDS}"]
    said += [f"-rss_limit_mb={MEMORY_MB}", f"-max_len={run.target.max_size}", "-len_control=0"]
    said += [f"-artifact_prefix={folder}/finding-", f"-seed={os.getpid()}"]
    said += [f"-max_total_time={options.seconds}", str(folder / "corpus")]
    run.note()
    atheris.Setup(said, run.one, custom_mutator=run.mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

"""The inputs worth keeping: one file a target in fuzz/corpus, one input a line, in hex."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

FOLDER = Path(__file__).parent / "corpus"
MOST_BYTES = 16_000
"""Of one target: the tests replay them all, every day."""


def kept(name: str) -> list[bytes]:
    """What the repository keeps for a target."""
    path = FOLDER / f"{name}.hex"
    return [bytes.fromhex(line) for line in path.read_text().split("\n")[:-1]] if path.exists() else []


def keep(name: str, inputs: Iterable[bytes]) -> None:
    """Write a target's file, shortest first."""
    ordered = sorted(set(inputs), key=lambda one: (len(one), one))
    (FOLDER / f"{name}.hex").write_text("".join(f"{one.hex()}\n" for one in ordered))


def unpack(inputs: Iterable[bytes], folder: Path) -> None:
    """One file an input, as libFuzzer wants them."""
    folder.mkdir(parents=True, exist_ok=True)
    for one in inputs:
        (folder / hashlib.sha256(one).hexdigest()[:32]).write_bytes(one)


def packed(folder: Path) -> list[bytes]:
    """The inputs of a folder."""
    return [path.read_bytes() for path in sorted(folder.iterdir())]

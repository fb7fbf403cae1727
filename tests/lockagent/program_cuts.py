"""An update with the power cut at one step, told to its end: ``python -m tests.lockagent.program_cuts 2000``.

Whatever the cut, the lock comes back with a whole program that was signed and has every byte it acknowledged;
it ends with the new program once somebody brings it again, and has logged that once.
"""

from __future__ import annotations

import sys

from lockagent.firmware.record import Phase
from lockagent.image import Result
from protocol.entries import EntryType
from protocol.firmware import FirmwareChunk
from protocol.reasons import Reason
from tests.lockagent.crashdisk import PowerCutError, seeded
from tests.lockagent.programs import Board, Installer, Release, board, release

SIZE = 2000
CHUNK = 900


def story(disk: str, step: int, seed: int) -> bool:
    """Cut at that step of one disk (`images` or `disk`); whether the story was long enough to be cut."""
    bench, made = board(capacity=64), release(2, size=SIZE)
    bench.rng = seeded(seed)
    cut = getattr(bench, disk)
    cut.cut_at = cut.steps + step
    was_cut, acknowledged = False, 0
    for _ in range(12):
        if bench.version == 2 and bench.record.phase is Phase.IDLE:
            break
        try:
            acknowledged = _bring(bench, made, acknowledged)
        except PowerCutError:
            was_cut = True
            _power_comes(bench, made)
    _judge(bench, made)
    return was_cut


def _bring(bench: Board, made: Release, acknowledged: int) -> int:
    """One visit and what follows of itself; returns how much the lock has said it has."""
    if bench.record.phase is Phase.TRIAL:
        bench.settle()
        return acknowledged
    visit = Installer().serve(bench)
    answer = visit.offer(made)
    assert answer.reason == Reason.GRANTED
    assert answer.next >= acknowledged, "the lock has lost bytes it acknowledged"
    while answer.next < SIZE:
        said = visit.ask(FirmwareChunk(answer.next, made.image[answer.next : answer.next + CHUNK]))
        assert said is not None and said.reason == Reason.GRANTED
        answer = said
        acknowledged = answer.next
    visit.leave()
    bench.restart()
    bench.settle()
    return acknowledged


def _power_comes(bench: Board, made: Release) -> None:
    """Boot; what runs is what was made in or signed, whole."""
    bench.wants_restart = False
    bench.power_cut()
    header = bench.record.header(bench.record.running)
    assert header is None or header.describes(made.image)


def _judge(bench: Board, made: Release) -> None:
    assert bench.version == 2
    bench.advance(1)
    reports = [entry.detail for entry in bench.entries() if entry.kind == EntryType.FIRMWARE]
    assert reports == [(1, 2, Result.CONFIRMED)], reports
    assert bench.programs.boot().report is None
    assert bench.images.durable[bench.record.active.file] == made.image


def stories(seed: int) -> int:
    """Cut at every step of both disks, one after the other; how many cuts that was."""
    told = 0
    for disk in ("images", "disk"):
        step = 1
        while story(disk, step, seed):
            told, step = told + 1, step + 1
    return told


if __name__ == "__main__":
    done = seed = 0
    while done < int(sys.argv[1]):
        done, seed = done + stories(seed), seed + 1
    print(f"{done} power cuts, none of them harmful")

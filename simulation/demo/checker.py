"""Checks the demo from its evidence alone, writes the report, and exits with 1 if anything fails."""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import django

from protocol.messages import OutcomeCode
from simulation.demo import evidence
from simulation.demo.evidence import LockEvidence, ServerEvidence

NEEDED_REFUSALS = frozenset({"wrong_binding", "expired"})
MAX_ROUND_TRIPS = 2
MAX_APPLICATION_BYTES = 340


def report(locks: Sequence[LockEvidence], server: ServerEvidence, radio: dict[str, int]) -> dict[str, Any]:
    """Build the report; see ``failures`` for what must hold."""
    opened = [one for lock in locks for one in evidence.openings(lock)]
    in_locks = {
        (lock.lock_id, lock.epoch, entry.seq): entry.encode() for lock in locks for entry in lock.entries
    }
    passage_keys = {(lock.lock_id, lock.epoch, entry.seq) for lock in locks for entry in lock.passages()}
    on_server = {(row.lock_id, row.epoch, row.seq): row.entry for row in server.passages}
    return {
        "opened": [_label(server, one.lock_id) for one in opened if one.outcome is OutcomeCode.MOVED],
        "refused": [
            {"door": _label(server, lock.lock_id), "reason": slug}
            for lock in locks
            for slug in evidence.refusals(lock)
        ],
        "server_down_during_openings": _server_was_down(opened, server),
        "passages_in_locks": len(passage_keys),
        "passages_on_server": sum(key in on_server for key in passage_keys),
        "lost": sum(key not in on_server for key in passage_keys) + _freed_but_missing(locks, on_server),
        "doubled": _doubled(opened, server),
        "invented": sum(in_locks.get(key) != entry for key, entry in on_server.items()),
        "receipted_entries": sum(lock.acked for lock in locks),
        "locks": len(locks),
        "locks_on_doors": len(server.doors),
        **radio,
    }


def failures(result: dict[str, Any], kinds_opened: set[str]) -> list[str]:
    """Say in words what does not hold; an empty list means that the demo holds."""
    missing = NEEDED_REFUSALS - {one["reason"] for one in result["refused"]}
    claims = {
        **_counts(result),
        "a gate and an apartment were opened": {"gate", "apartment"} <= kinds_opened,
        f"refused for {', '.join(sorted(NEEDED_REFUSALS))}": not missing,
        "the server was down during the openings of the day": result["server_down_during_openings"],
        "receipts came back to the locks": result["receipted_entries"] > 0,
        f"at most {MAX_ROUND_TRIPS} round trips": 0 < result["round_trips"] <= MAX_ROUND_TRIPS,
        f"at most {MAX_APPLICATION_BYTES} bytes": 0 < result["application_bytes"] <= MAX_APPLICATION_BYTES,
    }
    return [claim for claim, holds in claims.items() if not holds]


def miscounts(result: dict[str, Any]) -> list[str]:
    """Say what does not hold of what must hold after any day."""
    return [claim for claim, holds in _counts(result).items() if not holds]


def _counts(result: dict[str, Any]) -> dict[str, bool]:
    return {
        "every passage is on the server": result["passages_in_locks"] == result["passages_on_server"] > 0,
        "nothing lost": result["lost"] == 0,
        "nothing doubled": result["doubled"] == 0,
        "nothing invented": result["invented"] == 0,
        "every lock on a door was read": result["locks"] == result["locks_on_doors"] > 0,
    }


def kinds_opened(locks: Sequence[LockEvidence], server: ServerEvidence) -> set[str]:
    """The kinds of doors whose bolts moved on a grant to open."""
    return {
        server.doors[one.lock_id][0]
        for lock in locks
        for one in evidence.openings(lock)
        if one.outcome is OutcomeCode.MOVED and one.lock_id in server.doors
    }


def _label(server: ServerEvidence, lock_id: bytes) -> str:
    return server.doors[lock_id][1] if lock_id in server.doors else lock_id.hex()


def _server_was_down(opened: Sequence[evidence.Opening], server: ServerEvidence) -> bool:
    """Every opening up to the server's first return lies inside its first outage, and there is one."""
    if not server.outages:
        return False
    stopped, returned = server.outages[0]
    before = [one for one in opened if one.at < returned]
    return bool(before) and all(stopped <= one.at for one in before)


def _freed_but_missing(locks: Sequence[LockEvidence], on_server: dict[tuple[bytes, int, int], bytes]) -> int:
    """Entries a lock was told it may forget although the server does not hold them."""
    return sum(
        (lock.lock_id, lock.epoch, seq) not in on_server
        for lock in locks
        for seq in range(1, lock.acked + 1)
        if seq > len(lock.entries) or lock.entries[seq - 1].kind not in evidence.PASSAGE_KINDS
    )


def _doubled(opened: Sequence[evidence.Opening], server: ServerEvidence) -> int:
    """Requests that acted twice, and passages stored twice."""
    requests = Counter((one.lock_id, one.request) for one in opened)
    rows = Counter((row.lock_id, row.epoch, row.seq) for row in server.passages)
    return sum(count - 1 for count in [*requests.values(), *rows.values()])


def main() -> int:
    """Read the evidence, write the report, print what fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--locks", type=Path, required=True, help="the folder of the locks' stores")
    parser.add_argument("--radio", type=Path, help="counts recorded on the radio; left out: any day's check")
    parser.add_argument("--report", type=Path, required=True)
    options = parser.parse_args()
    django.setup()
    try:
        locks = [evidence.read_lock(folder) for folder in sorted(options.locks.iterdir())]
    except ValueError as error:
        options.report.write_text(json.dumps({"unreadable": str(error)}) + "\n")
        print(f"does not hold: {error}", file=sys.stderr)
        return 1
    server = evidence.read_server()
    radio = json.loads(options.radio.read_text()) if options.radio else {}
    result = report(locks, server, radio)
    options.report.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")
    broken = failures(result, kinds_opened(locks, server)) if options.radio else miscounts(result)
    for claim in broken:
        print(f"does not hold: {claim}", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())

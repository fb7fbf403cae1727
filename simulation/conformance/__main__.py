"""``python -m simulation.conformance lock``: try a lock against docs/protocol.md, over the air.

Without options the lock is ours, in this process, on the simulated radio and in virtual time. Another
vendor's is reached by a transport that bumble knows (``hci-socket:0``, ``usb:0``, ``tcp-client:host:port``),
and is named by its identity document and by a command that hands it a commissioning package.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from protocol.errors import ProtocolError
from simulation import virtualtime
from simulation.conformance import kit, locks
from simulation.conformance.verdict import DeviationError, Verdict


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m simulation.conformance", description=__doc__)
    kinds = parser.add_subparsers(dest="what", required=True)
    lock = kinds.add_parser("lock", help="try a lock")
    lock.add_argument(
        "--transport", default="", help="a bumble transport; ours in this process when left out"
    )
    lock.add_argument("--identity", type=Path, help="file with the lock's signed identity (section 5)")
    lock.add_argument(
        "--commission", default="", help="command that hands over {package} and prints the reason"
    )
    lock.add_argument("--only", default="", help="cases whose name contains this")
    lock.add_argument("--list", action="store_true", help="name the cases and stop")
    options = parser.parse_args()
    if options.transport and not (options.identity and options.commission):
        parser.error("--transport needs --identity and --commission")
    return options


async def _lock(options: argparse.Namespace) -> list[Verdict]:
    chosen = kit.cases(options.only)
    if options.transport:
        document = options.identity.read_bytes()
        under_test = locks.behind(options.transport, document=document, command=options.commission)
    else:
        under_test = locks.simulated()
    async with under_test as lock:
        return await kit.run(lock, chosen, lambda verdict: print(kit.line(verdict), flush=True))


def main() -> int:
    """Print the table; 1 when a case failed, 2 when the lock could not be tried."""
    options = arguments()
    if options.list:
        print("\n".join(f"{case.section:<5} {case.name}" for case in kit.cases(options.only)))
        return 0
    try:
        verdicts = asyncio.run(_lock(options)) if options.transport else virtualtime.run(_lock(options))
    except (DeviationError, ProtocolError, OSError) as error:
        print(f"The lock could not be prepared: {error}", file=sys.stderr)
        return 2
    print(f"\n{kit.total(verdicts)}")
    return 1 if any(one.wrong for one in verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())

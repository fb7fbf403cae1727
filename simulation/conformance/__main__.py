"""``python -m simulation.conformance lock`` or ``phone``: try one against docs/protocol.md, over the air.

Without options it is ours, in this process, on the simulated radio and in virtual time. Another vendor's is
reached by a transport that bumble knows (``hci-socket:0``, ``usb:0``, ``tcp-client:host:port``): a lock is
named by its identity document and a command that hands it a commissioning package, a phone by one that taps.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from protocol.errors import ProtocolError
from simulation import virtualtime
from simulation.conformance import kit, locks
from simulation.conformance.phone import kit as phones
from simulation.conformance.verdict import DeviationError, Verdict


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m simulation.conformance", description=__doc__)
    kinds = parser.add_subparsers(dest="what", required=True)
    lock, phone = kinds.add_parser("lock", help="try a lock"), kinds.add_parser("phone", help="try a phone")
    for one in (lock, phone):
        one.add_argument("--transport", default="", help="the kit's own adapter, as bumble names it")
        one.add_argument("--only", default="", help="cases whose name contains this")
        one.add_argument("--list", action="store_true", help="name the cases and stop")
    lock.add_argument("--identity", type=Path, help="file with the lock's signed identity (section 5)")
    lock.add_argument("--commission", default="", help="command that hands over {package}, prints the reason")
    phone.add_argument(
        "--tap", default="", help="command that taps with {case}, prints what the person is told"
    )
    options = parser.parse_args()
    if options.transport and options.what == "lock" and not (options.identity and options.commission):
        lock.error("--transport needs --identity and --commission")
    if options.transport and options.what == "phone" and not options.tap:
        phone.error("--transport needs --tap")
    return options


def _tell(verdict: Verdict) -> None:
    print(kit.line(verdict), flush=True)


async def _lock(options: argparse.Namespace) -> list[Verdict]:
    if options.transport:
        document = options.identity.read_bytes()
        under_test = locks.behind(options.transport, document=document, command=options.commission)
    else:
        under_test = locks.simulated()
    async with under_test as lock:
        return await kit.run(lock, kit.cases(options.only), _tell)


async def _phone(options: argparse.Namespace) -> list[Verdict]:
    under_test = phones.behind(options.transport, options.tap) if options.transport else phones.simulated()
    async with under_test as bench:
        return await phones.run(bench, phones.cases(options.only), _tell)


def main() -> int:
    """Print the table; 1 when a case failed, 2 when it could not be tried at all."""
    options = arguments()
    cases = kit.cases if options.what == "lock" else phones.cases
    if options.list:
        print("\n".join(f"{case.section:<5} {case.name}" for case in cases(options.only)))
        return 0
    trying: Coroutine[Any, Any, list[Verdict]] = _lock(options) if options.what == "lock" else _phone(options)
    try:
        verdicts = asyncio.run(trying) if options.transport else virtualtime.run(trying)
    except (DeviationError, ProtocolError, OSError) as error:
        print(f"The {options.what} could not be prepared: {error}", file=sys.stderr)
        return 2
    print(f"\n{kit.total(verdicts)}")
    return 1 if any(one.wrong for one in verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())

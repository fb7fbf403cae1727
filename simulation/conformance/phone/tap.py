"""``python -m simulation.conformance.phone.tap TRANSPORT CASE.json``: our phone's engine taps once and tells.

It shows what the kit asks of a phone that it does not run itself: read the case, tap at that door, and print
as the last line what the person is told.
"""

from __future__ import annotations

import argparse
import asyncio
import os
from pathlib import Path

from simulation.backend.remote import RemoteEther
from simulation.conformance.phone.under_test import Credentials, OurPhone


async def tap(transport: str, case: str) -> str:
    """What the person is told after one tap."""
    ether = await RemoteEther.at(transport)
    try:
        credentials, operation = Credentials.from_json(case)
        return await OurPhone(ether, os.urandom).tap(credentials, operation)
    finally:
        await ether.close()


def main() -> None:
    """Tap and tell."""
    parser = argparse.ArgumentParser(prog="python -m simulation.conformance.phone.tap", description=__doc__)
    parser.add_argument("transport", help="this phone's adapter, as bumble names it")
    parser.add_argument("case", type=Path, help="the file that the kit made")
    options = parser.parse_args()
    print(asyncio.run(tap(options.transport, options.case.read_text())))


if __name__ == "__main__":
    main()

"""Our lock as another vendor's would stand on the bench: a process of its own, with a wire for the installer.

    python -m simulation.conformance.wired make FOLDER             a blank lock; prints its identity's file
    python -m simulation.conformance.wired run FOLDER TRANSPORT    be the lock on this radio until stopped
    python -m simulation.conformance.wired hand FOLDER PACKAGE     hand it a package; prints the reason's name

It shows what the kit asks of a lock that it does not run itself: a radio, an identity, and a command for the
wire. ``python -m lockagent`` takes packages only while it does not run; this one takes them at any time.
"""

from __future__ import annotations

import argparse
import asyncio
import os
from pathlib import Path

from bumble.transport import open_transport

from lockagent import lockfolder
from lockagent.agent import Agent, Parts
from lockagent.motor.simulated import SimulatedMotor
from lockagent.peripheral.bumble_radio import BumbleRadio
from lockagent.rtc import SystemRtc
from protocol import commission
from protocol.errors import ProtocolError
from protocol.reasons import Reason

WIRE, IDENTITY, LOCK = "wire", "identity.cbor", "lock"
MAX_PACKAGE = 64 * 1024


def make(folder: Path) -> None:
    """Make a blank lock; its identity document lies beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    opened = lockfolder.create(folder / LOCK, os.urandom)
    (folder / IDENTITY).write_bytes(opened.identity_document())
    opened.close()
    print(folder / IDENTITY)


async def run(folder: Path, transport: str) -> None:
    """Be the lock, on the air and on the wire, until cancelled or the radio is gone."""
    opened = lockfolder.open_folder(folder / LOCK)
    async with await open_transport(transport) as hci:
        rtc = SystemRtc(survives_power_cuts=False).read()
        agent = Agent(
            Parts(opened.store, opened.secrets, SimulatedMotor(), rtc, os.urandom),
            radio=BumbleRadio(hci.source, hci.sink, os.urandom),
        )

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(take(agent, await reader.read(MAX_PACKAGE)).encode())
            await writer.drain()
            writer.close()

        await agent.start()
        (folder / WIRE).unlink(missing_ok=True)
        async with await asyncio.start_unix_server(answer, folder / WIRE):
            print("the lock is on the air and on the wire", flush=True)
            await hci.source.terminated
        agent.halt()
    opened.close()


def take(agent: Agent, package: bytes) -> str:
    """The lock's answer to a package: a reason's name."""
    try:
        return agent.commission(commission.verify(package)).slug
    except ProtocolError:
        return Reason.COMMISSION_INVALID.slug


async def hand(folder: Path, package: Path) -> None:
    """Hand a package over the wire and print the answer."""
    reader, writer = await asyncio.open_unix_connection(folder / WIRE)
    writer.write(package.read_bytes())  # noqa: ASYNC240 - a command that does nothing else
    writer.write_eof()
    print((await reader.read()).decode())
    writer.close()


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m simulation.conformance.wired", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, more in (("make", ""), ("run", "transport"), ("hand", "package")):
        one = verbs.add_parser(verb)
        one.add_argument("folder", type=Path)
        if more:
            one.add_argument(more, type=Path if verb == "hand" else str)
    options = parser.parse_args()
    if options.verb == "make":
        make(options.folder)
    elif options.verb == "run":
        asyncio.run(run(options.folder, options.transport))
    else:
        asyncio.run(hand(options.folder, options.package))


if __name__ == "__main__":
    main()

"""``python -m simulation.radio``: an empty ether that locks and phones of other processes join.

It prints the transport strings to join with, and who comes and goes. Ctrl-C ends it.
"""

import argparse
import asyncio
import contextlib
import logging
from pathlib import Path

from simulation.radio import Conditions, Ether
from simulation.radio.hub import Hub


def say(what: str) -> None:
    """One line, at once."""
    print(what, flush=True)


async def live(options: argparse.Namespace) -> None:
    """Keep the ether until cancelled."""
    ether = Ether(options.seed, Conditions(connection_interval=options.interval_ms / 1000))
    hub = Hub(ether, notice=say)
    try:
        say(f"join with {await hub.listen_tcp(options.port)}")
        if options.unix is not None:
            say(f"join with {await hub.listen_unix(options.unix)}")
        await asyncio.Event().wait()
    finally:
        await hub.close()


def main() -> None:
    """Parse and live."""
    parser = argparse.ArgumentParser(prog="python -m simulation.radio", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="TCP port on loopback (default: a free one)")
    parser.add_argument("--unix", type=Path, help="a unix socket to listen on as well")
    parser.add_argument("--seed", default="0", help="what all chance in the ether follows")
    parser.add_argument("--interval-ms", type=float, default=30.0, help="connection interval")
    logging.basicConfig(level=logging.ERROR)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(live(parser.parse_args()))


if __name__ == "__main__":
    main()

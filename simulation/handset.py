"""``python -m simulation.handset``: the app in a window, on a simulated radio that lives in another process.

It joins a running demo, or ``python -m simulation.radio``, by the transport string that those print.
"""

import argparse
import os
from pathlib import Path

from mobile.engine.engine import PhoneEngine
from mobile.engine.setup import Setup
from mobile.engine.thread import EngineThread
from simulation.backend import PhoneRadio
from simulation.backend.remote import RemoteEther

STOP_SECONDS = 10.0
MTU = 247


async def build(air: str, data_dir: Path) -> PhoneEngine:
    """Make the engine on the loop it lives on; nothing runs before its ``start``."""
    radio = PhoneRadio(await RemoteEther.at(air), "handset", mtu=MTU)
    return PhoneEngine(
        Setup(
            data_dir,
            scanner_backend=radio.scanner_backend,
            client_backend=radio.client_backend,
            phone_model="simulerad telefon",
        )
    )


def run(options: argparse.Namespace) -> None:
    """Show the app until its window is closed. Kivy is imported late: it reads its environment then."""
    data_dir: Path = options.data_dir
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.environ.setdefault("KIVY_NO_ARGS", "1")
    os.environ.setdefault("KIVY_NO_FILELOG", "1")
    os.environ.setdefault("KIVY_HOME", str(data_dir / "kivy"))
    from mobile.run import make_session, show  # noqa: PLC0415

    thread = EngineThread()
    thread.start()
    try:
        engine = thread.submit(build(options.air, data_dir)).result()
        session = make_session(engine, thread, data_dir)
        session.call(engine.start())
        width, height = (int(side) for side in options.size.split("x"))
        show(session, data_dir, width=width, height=height, link=options.enrol)
        thread.submit(engine.stop()).result(STOP_SECONDS)
    finally:
        thread.stop()


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(prog="python -m simulation.handset", description=__doc__)
    parser.add_argument("--air", required=True, help="transport string, e. g. tcp-client:127.0.0.1:7711")
    parser.add_argument("--data-dir", type=Path, default=Path("var/handset"), help="the phone's own folder")
    parser.add_argument("--size", default="400x820", help="the window in dp (%(default)s)")
    parser.add_argument("--enrol", metavar="LINK", default="", help="enrol with a link")
    run(parser.parse_args())


if __name__ == "__main__":
    main()

"""Run a lock: ``python -m lockagent init|commission|run|show``."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from lockagent import commands
from lockagent.commands import RefusedError
from lockagent.core.memory import UnreadableMemoryError
from lockagent.lockfolder import AlreadyALockError
from lockagent.rtc import SystemRtc
from lockagent.storage.disk import FolderBusyError
from lockagent.storage.keys import KeysCorruptError
from lockagent.storage.port import StorageError
from lockagent.storage.store import NoStoreError

PLAIN = (
    RefusedError,
    AlreadyALockError,
    FolderBusyError,
    KeysCorruptError,
    NoStoreError,
    UnreadableMemoryError,
    StorageError,
    OSError,
)


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says; 0 on success, 1 with one plain sentence on stderr otherwise."""
    parser = _parser()
    options = parser.parse_args(arguments)
    commands.set_up_logging(verbose=options.verbose)
    rtc = SystemRtc(survives_power_cuts={"auto": None, "kept": True, "lost": False}[options.rtc])
    try:
        match options.command:
            case "init":
                commands.init(options.folder, print)
            case "commission":
                commands.commission_lock(options.folder, options.package, print, rtc)
            case "run":
                asyncio.run(commands.run(options.folder, options.transport, print, rtc))
            case _:
                commands.show(options.folder, print)
    except PLAIN as error:
        print(f"lockagent: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lockagent", description="A Nyckelfri lock.")
    parser.add_argument("--folder", type=Path, default=Path("var/lock"), help="where keys and log are kept")
    parser.add_argument(
        "--rtc",
        choices=("auto", "kept", "lost"),
        default="auto",
        help="whether the system clock survives power cuts (auto: if there is /dev/rtc0)",
    )
    parser.add_argument("--verbose", action="store_true", help="log the Bluetooth stack too")
    commands_ = parser.add_subparsers(dest="command", required=True)
    commands_.add_parser("init", help="make a lock; prints the identity document the server needs")
    commission = commands_.add_parser("commission", help="bind the lock to a door")
    commission.add_argument("package", type=Path, nargs="?", help="the server's package (default: stdin)")
    run = commands_.add_parser("run", help="be the lock")
    run.add_argument("--transport", required=True, help="bumble transport, e.g. hci-socket:0 or usb:0")
    commands_.add_parser("show", help="what the lock knows; no secrets")
    return parser


if __name__ == "__main__":
    sys.exit(main())

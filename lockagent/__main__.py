"""Run a lock: ``python -m lockagent init|commission|run|show``."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from lockagent import commands, hardware
from lockagent.commands import RefusedError
from lockagent.core.memory import UnreadableMemoryError
from lockagent.firmware.loader import RESTART_CODE
from lockagent.firmware.record import Slot
from lockagent.firmware.store import WrongImageError
from lockagent.hardware import HardwareError
from lockagent.image import SETTLE_SECONDS
from lockagent.lockfolder import AlreadyALockError
from lockagent.rtc import SystemRtc
from lockagent.storage.disk import FolderBusyError
from lockagent.storage.keys import KeysCorruptError
from lockagent.storage.port import StorageError
from lockagent.storage.store import NoStoreError

PLAIN = (
    RefusedError,
    HardwareError,
    AlreadyALockError,
    FolderBusyError,
    KeysCorruptError,
    NoStoreError,
    UnreadableMemoryError,
    StorageError,
    WrongImageError,
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
            case "label":
                commands.print_label(options.folder, print)
            case "commission":
                commands.commission_lock(options.folder, options.package, print, rtc)
            case "run":
                return _run(options, rtc)
            case "release":
                hardware.release(options.board)
            case _:
                commands.show(options.folder, print)
    except PLAIN as error:
        print(f"lockagent: {error}", file=sys.stderr)
        return 1
    return 0


def _run(options: argparse.Namespace, rtc: SystemRtc) -> int:
    running = commands.run(
        options.folder,
        options.transport,
        print,
        rtc,
        board=options.board,
        slot=options.slot,
        settle_seconds=options.settle,
    )
    return RESTART_CODE if asyncio.run(running) else 0


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
    commands_.add_parser("label", help="what to print on the lock, for setting it up by radio")
    commission = commands_.add_parser("commission", help="bind the lock to a door")
    commission.add_argument("package", type=Path, nargs="?", help="the server's package (default: stdin)")
    run = commands_.add_parser("run", help="be the lock")
    run.add_argument("--transport", required=True, help="bumble transport, e.g. hci-socket:0 or usb:0")
    run.add_argument(
        "--board", type=Path, help="what hangs on which pin (TOML); without it the motor is simulated"
    )
    run.add_argument("--slot", choices=[one.name.lower() for one in Slot], help="set by the loader")
    run.add_argument(
        "--settle",
        type=float,
        default=SETTLE_SECONDS,
        help="seconds after which a new program that runs is kept (default: %(default)s)",
    )
    release = commands_.add_parser("release", help="let go of every pin, after a process that died")
    release.add_argument("--board", type=Path, required=True, help="the board file")
    commands_.add_parser("show", help="what the lock knows; no secrets")
    return parser


if __name__ == "__main__":
    sys.exit(main())

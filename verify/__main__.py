"""`python -m verify FILE [--roots FINGERPRINT] [--entries]`: 0 when everything holds, 1 when not."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from protocol.proof import judge
from verify.report import lines

HOLDS, REFUSED, UNREADABLE = 0, 1, 2


def main(arguments: list[str] | None = None) -> int:
    """Judge a file and say in plain words what is proven, what is not, and what is wrong."""
    parser = argparse.ArgumentParser(prog="verify", description=__doc__)
    parser.add_argument("file", type=Path, help="the statement, as downloaded")
    parser.add_argument(
        "--roots",
        type=_fingerprint,
        help="the municipality's root fingerprint (hexadecimal), from another source than this file",
    )
    parser.add_argument("--entries", action="store_true", help="print every entry as well")
    options = parser.parse_args(arguments)
    try:
        data = options.file.read_bytes()
    except OSError as error:
        print(f"cannot read {options.file}: {error.strerror}", file=sys.stderr)
        return UNREADABLE
    verdict = judge(data, roots=options.roots)
    for line in lines(verdict, compared=options.roots is not None, entries=options.entries):
        print(line)
    return HOLDS if verdict.holds else REFUSED


def _fingerprint(text: str) -> bytes:
    digits = text.replace(":", "").replace(" ", "")
    try:
        found = bytes.fromhex(digits)
    except ValueError:
        found = b""
    if len(found) != 32:
        raise argparse.ArgumentTypeError("a root fingerprint is 64 hexadecimal digits")
    return found


if __name__ == "__main__":
    raise SystemExit(main())

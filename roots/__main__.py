"""`python -m roots`: make a root key, look at a ceremony file, sign it with one root key.

Run it on a machine without a network. `show` and `sign` say what would change; compare the root fingerprint
with the one on paper before answering yes. A key file is read, used and not copied.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from protocol import ceremony, manifest
from protocol.errors import ProtocolError
from protocol.keys import SigningKey
from roots.report import lines

DONE, REFUSED, UNREADABLE = 0, 1, 2


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when done, 1 when refused, 2 when a file cannot be used."""
    options = _parser().parse_args(arguments)
    try:
        result: int = options.run(options)
    except OSError as error:
        print(f"cannot use {error.filename}: {error.strerror}", file=sys.stderr)
        return UNREADABLE
    except ProtocolError as error:
        print(f"refused: {error}", file=sys.stderr)
        return REFUSED
    return result


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="roots", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    new = commands.add_parser("new", help="make a root key on this machine; print its public half")
    new.add_argument("file", type=Path, help="where the private key goes; must not exist")
    new.set_defaults(run=_new)
    show = commands.add_parser("show", help="say what a ceremony file changes and who has signed it")
    show.add_argument("file", type=Path)
    show.set_defaults(run=_show)
    sign = commands.add_parser("sign", help="sign a ceremony file with one root key")
    sign.add_argument("file", type=Path)
    sign.add_argument("--key", type=Path, required=True, metavar="ROOT.key")
    sign.add_argument("--out", type=Path, help="where the signed file goes (default: beside it, .signed)")
    sign.add_argument("--yes", action="store_true", help="do not ask")
    sign.set_defaults(run=_sign)
    return parser


def _new(options: argparse.Namespace) -> int:
    seed = os.urandom(32)
    _write_new(options.file, seed.hex() + "\n", mode=0o600)
    print(manifest.root_signing_key(seed).public.hex())
    return DONE


def _show(options: argparse.Namespace) -> int:
    for line in lines(ceremony.parse(options.file.read_bytes())):
        print(line)
    return DONE


def _sign(options: argparse.Namespace) -> int:
    read = ceremony.parse(options.file.read_bytes())
    key = _root_key(options.key)
    for line in lines(read):
        print(line)
    _tell_stranger(read, key)
    if not options.yes and input("Sign this? Type yes: ").strip() != "yes":
        print("not signed", file=sys.stderr)
        return REFUSED
    out = options.out or options.file.with_suffix(f".{key.kid.hex()}.signed")
    signed = ceremony.add_signature(read, key)
    out.write_bytes(signed.encode())
    print(f"signed by {key.kid.hex()}: {out}")
    return DONE


def _root_key(path: Path) -> SigningKey:
    text = path.read_text(encoding="ascii", errors="replace").strip()
    try:
        return manifest.root_signing_key(bytes.fromhex(text))
    except ValueError as error:
        raise ProtocolError(f"{path.name} holds no root key") from error


def _tell_stranger(read: ceremony.Ceremony, key: SigningKey) -> None:
    """A key that is of neither root set may be an older root, which the server asks for until all have heard.

    The file cannot tell that from a mistake, so it is said and not refused.
    """
    held = ceremony.in_force(read)
    known = {*read.proposed.roots.keys, *(held.roots.keys if held else ())}
    if key.public not in known:
        print(f"NOTE: {key.kid.hex()} is of neither the old nor the new roots; an earlier root?")


def _write_new(path: Path, text: str, *, mode: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="ascii") as file:
        file.write(text)


if __name__ == "__main__":
    raise SystemExit(main())

"""Making a release: what whoever maintains a municipality's locks runs, away from the server.

    python -m lockagent.firmware.release build image.zip
    python -m lockagent.firmware.release new firmware.key
    python -m lockagent.firmware.release sign image.zip --key firmware.key --kid 5001 --version 2 --security 1

An image for `linux-python-1` is a zip archive that Python runs: this program and the protocol, nothing it
leans on. The same source gives the same bytes, so anybody can see what was signed.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import time
import zipfile
from pathlib import Path

import lockagent
import protocol
from lockagent.firmware.builtin import MODEL, SECURITY
from protocol import firmware
from protocol.errors import ProtocolError
from protocol.keys import SigningKey

_LONG_AGO = (1980, 1, 1, 0, 0, 0)
_MAIN = "import sys\n\nfrom lockagent.__main__ import main\n\nsys.exit(main())\n"


def build(extra: dict[str, str] | None = None) -> bytes:
    """Return the image of the program that is installed here.

    `extra`: more files, or others in their place.
    """
    files = {"__main__.py": _MAIN}
    for package in (lockagent, protocol):
        root = Path(package.__file__ or "").parent
        for path in root.rglob("*.py"):
            files[path.relative_to(root.parent).as_posix()] = path.read_text("utf-8")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as made:
        for name, text in sorted((files | (extra or {})).items()):
            made.writestr(zipfile.ZipInfo(name, _LONG_AGO), text, zipfile.ZIP_DEFLATED)
    return archive.getvalue()


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when done, 1 with one plain sentence on stderr otherwise."""
    options = _parser().parse_args(arguments)
    try:
        match options.command:
            case "build":
                options.image.write_bytes(build())
            case "new":
                _new(options.key)
            case _:
                _sign(options)
    except (OSError, ProtocolError, ValueError) as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lockagent.firmware.release", description="Releases for locks.")
    commands = parser.add_subparsers(dest="command", required=True)
    made = commands.add_parser("build", help="pack the program that is installed here")
    made.add_argument("image", type=Path)
    new = commands.add_parser("new", help="make a firmware key; prints its public half for the manifest")
    new.add_argument("key", type=Path, help="where the private key goes; must not exist")
    sign = commands.add_parser("sign", help="sign an image; makes IMAGE.release")
    sign.add_argument("image", type=Path)
    sign.add_argument("--key", type=Path, required=True, help="32 bytes in hex, as `new` writes them")
    sign.add_argument("--kid", required=True, help="the key's id in the manifest, 4 hex digits")
    sign.add_argument("--model", default=MODEL.decode(), help="default: %(default)s")
    sign.add_argument("--version", type=int, required=True)
    sign.add_argument("--security", type=int, default=SECURITY, help="default: %(default)s")
    return parser


def _new(path: Path) -> None:
    seed = os.urandom(32)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(seed.hex() + "\n")
    print(SigningKey.from_seed(b"\0\0", seed).public.hex())


def _sign(options: argparse.Namespace) -> None:
    image = options.image.read_bytes()
    key = SigningKey.from_seed(
        bytes.fromhex(options.kid), bytes.fromhex(options.key.read_text("ascii").strip())
    )
    header = firmware.describe(
        image,
        model=options.model.encode("ascii"),
        version=options.version,
        security=options.security,
        signed_at=int(time.time()),
    )
    signed = firmware.encode_file(firmware.sign(header, key), image)
    firmware.parse_file(signed)
    target = options.image.with_suffix(".release")
    target.write_bytes(signed)
    print(f"{target}: version {header.version}, {header.size} bytes, SHA-256 {header.digest.hex()}")


if __name__ == "__main__":
    sys.exit(main())

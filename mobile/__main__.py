"""`python -m mobile`: the app in a window on a desktop, with the real engine."""

from __future__ import annotations

import argparse
import os
from pathlib import Path


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m mobile", description=__doc__)
    base = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    parser.add_argument(
        "--data-dir",
        type=Path,
        default=base / "nyckelfri",
        help="where vaults and logs are kept (%(default)s)",
    )
    parser.add_argument("--size", default="400x820", help="the window in dp (%(default)s)")
    parser.add_argument(
        "--enrol", metavar="LINK", default="", help="enrol with a link, as a scanned QR code would"
    )
    return parser.parse_args()


def main() -> None:
    """Open the window. Kivy is imported late: it reads the command line and opens a window when it is."""
    options = arguments()
    options.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.environ.setdefault("KIVY_NO_ARGS", "1")
    # Kivy writes its settings here and, so that nothing of a shift stays readable, no log file.
    os.environ.setdefault("KIVY_HOME", str(options.data_dir / "kivy"))
    os.environ.setdefault("KIVY_NO_FILELOG", "1")
    from mobile.run import run  # noqa: PLC0415

    width, height = (int(side) for side in options.size.split("x"))
    run(options.data_dir, width=width, height=height, link=options.enrol)


if __name__ == "__main__":
    main()

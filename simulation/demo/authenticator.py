"""The second factor as a person's authenticator shows it (TOTP, RFC 6238), from a cryptographic library.

``python -m simulation.demo.authenticator jouren`` prints the code for somebody of a demo that is running.
"""

import argparse
import base64
import json
import sys
import time
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

PERIOD_SECONDS = 30
DIGITS = 6
ENVELOPE = "sign-in.json"
"""Where a demo that stays up keeps everybody's sign-in, readable by its owner only."""


def code(secret: str, now: float) -> str:
    """Return the six digits that ``secret`` (base32) gives at ``now``, seconds since 1970 UTC."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    # SHA-1 is what authenticator apps implement; HMAC does not rest on its collision resistance.
    totp = TOTP(key, DIGITS, SHA1(), PERIOD_SECONDS, enforce_key_length=False)  # noqa: S303
    return totp.generate(int(now)).decode()


def main() -> int:
    """Print the code of now."""
    parser = argparse.ArgumentParser(prog="python -m simulation.demo.authenticator", description=__doc__)
    parser.add_argument("username")
    parser.add_argument("--folder", type=Path, default=Path("var/demo"), help="the demo's folder")
    options = parser.parse_args()
    try:
        sign_ins = json.loads((options.folder / ENVELOPE).read_text())
        print(code(sign_ins[options.username]["totp_secret"], time.time()))
    except FileNotFoundError:
        print(f"no demo stays up in {options.folder}; start one with make demo", file=sys.stderr)
        return 1
    except KeyError:
        print(f"nobody is called {options.username}; there are {', '.join(sign_ins)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

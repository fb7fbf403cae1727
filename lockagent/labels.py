"""The label of a lock on a terminal: its text, and a square code of the same for a phone's camera."""

from __future__ import annotations

from io import StringIO

import qrcode

from lockagent.core.identity import LockSecrets
from protocol import label


def printed(secrets: LockSecrets) -> str:
    """What is to be printed on the lock with these keys."""
    text = label.of_lock(secrets.identity.lock_id, secrets.seal_private).text
    code, out = qrcode.QRCode(border=2), StringIO()
    code.add_data(text)
    code.print_ascii(out=out, invert=True)
    return f"{out.getvalue()}{text}"

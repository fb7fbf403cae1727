"""Make docs/vectors again: ``python -m tests.protocol.vectors.make``. The same bytes every time."""

from collections.abc import Callable
from typing import Any

from tests.protocol.vectors import (
    basics,
    files,
    firmware,
    installing,
    judgement,
    logs,
    news,
    opening,
    suite2,
    talk,
    tokens,
    trust,
)

FILES: dict[str, Callable[[], dict[str, Any]]] = {
    "cbor": basics.cbor_file,
    "keys": basics.keys_file,
    "frames": basics.frames_file,
    "advert": basics.advert_file,
    "manifest": trust.manifest_file,
    "lock-identity": trust.identity_file,
    "commission": trust.commission_file,
    "setup": installing.setup_file,
    "retire": installing.retire_file,
    "lock-record": trust.lock_record_file,
    "handshake": opening.handshake_file,
    "handshake-suite2": suite2.handshake_file,
    "token": tokens.token_file,
    "session": talk.session_file,
    "judgement": judgement.judgement_file,
    "bulletin": news.bulletin_file,
    "fresh-time": news.fresh_time_file,
    "receipt": news.receipt_file,
    "log": logs.log_file,
    "sealed": logs.sealed_file,
    "firmware": firmware.firmware_file,
}


def main() -> None:
    files.FOLDER.mkdir(parents=True, exist_ok=True)
    for name, make in FILES.items():
        files.path(name).write_text(files.text(make()), "utf-8")


if __name__ == "__main__":
    main()

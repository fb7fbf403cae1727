"""Section 30: the header of a firmware release."""

import hashlib
from typing import Any

from tests.protocol.independent.form import MalformedError, limit, read, shaped
from tests.protocol.independent.trust import FIRMWARE, InvalidError, Manifest, aad, signed


def judge(data: bytes, held: Manifest, running: dict[str, Any]) -> str:
    """Section 30.2: the reason that answers an offer, at a lock with nothing on its way in."""
    try:
        message = signed("firmware-header", data, limit("firmware header"))
        message.verify(held.key(FIRMWARE, message.kid), aad("firmware"))
    except (MalformedError, InvalidError):
        return "firmware_invalid"
    body = message.body
    checks = [
        (body[1] != bytes.fromhex(running["model"]), "firmware_wrong_model"),
        (body[5] == bytes.fromhex(running["digest"]), "firmware_current"),
        (body[2] <= running["version"] or body[3] < running["security"], "firmware_old"),
        (body[2] <= running["fell_back"], "firmware_fell_back"),
    ]
    return next((reason for wrong, reason in checks if wrong), "granted")


def release(data: bytes) -> tuple[bytes, bytes]:
    """Section 30.1: (header, image) of a release file."""
    _, _, header, image = shaped("firmware-file", data)
    body = read(read(header)[2])
    if (len(image), hashlib.sha256(image).digest()) != (body[4], body[5]):
        raise InvalidError("another image")
    return header, image

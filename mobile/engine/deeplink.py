"""The link that an enrolment page shows as a QR code: which server, whose roots, and the one-time code.

    nyckelfri://enrol?server=https%3A%2F%2Fnyckel.kommunen.se&code=K7QF-2M9X-4TRB&root=<64 hex digits>

Any app or web page can hand a phone such a link, so it is read strictly and believed in nothing: it fills in
what the person would have typed, and the server that answers must have the roots it names. The person still
sees whose server it is and says yes before anything but that question is sent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from mobile.engine.errors import EngineError
from mobile.engine.http import check_address

START = "nyckelfri://enrol?"
MAX_LENGTH = 600
FIELDS = frozenset({"server", "code", "root"})
_PLAIN = re.compile(r"[!-~]+")
_CODE = re.compile(r"[0-9A-Za-z-]{4,24}")
_ROOT = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class EnrolLink:
    """What a link said. `server` has passed `check_address`; `root` is the root set's fingerprint in hex."""

    server: str
    code: str = field(repr=False)
    root: str


def parse(link: str) -> EnrolLink:
    """Read an enrolment link. Raises EngineError link_unusable, or InsecureServerError for plain HTTP."""
    if len(link) > MAX_LENGTH or not _PLAIN.fullmatch(link) or not link.startswith(START):
        raise EngineError("link_unusable")
    try:
        pairs = parse_qsl(link.removeprefix(START), strict_parsing=True, max_num_fields=len(FIELDS))
    except ValueError:
        raise EngineError("link_unusable") from None
    said = dict(pairs)
    if len(pairs) != len(FIELDS) or set(said) != FIELDS:
        raise EngineError("link_unusable")
    if not _CODE.fullmatch(said["code"]) or not _ROOT.fullmatch(said["root"]):
        raise EngineError("link_unusable")
    return EnrolLink(_server(said["server"]), said["code"].upper(), said["root"])


def _server(address: str) -> str:
    """The address as everything else uses it; one that is no plain address makes the whole link unusable."""
    if not _PLAIN.fullmatch(address) or "\\" in address:
        raise EngineError("link_unusable")
    try:
        return check_address(address)
    except EngineError as error:
        if error.code == "invalid_address":
            raise EngineError("link_unusable") from None
        raise

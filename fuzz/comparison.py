"""One message, two readers: ours, and the independent one that was written from docs/protocol.md alone."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from typing import Any

from fuzz.luck import Luck
from fuzz.mutations import MAX_READ, Sign, mutated
from fuzz.target import FindingError, Tally, Target
from protocol import cbor
from protocol.errors import ProtocolError
from tests.protocol.independent.form import MalformedError
from tests.protocol.independent.noise import HandshakeError
from tests.protocol.independent.sealing import SealError
from tests.protocol.independent.trust import InvalidError
from tests.protocol.vectors import files

REFUSED, ACCEPTED = "refused", "accepted"
GOOD = (ACCEPTED, "granted", "frees")
_PAGE_REFUSES = (MalformedError, InvalidError, SealError, HandshakeError, LookupError)
Read = Callable[[bytes], object]
"""Returns a verdict as text, or anything else for *accepted*; refuses by raising."""

ASKED_OF_ACCEPTED, ASKED_OF_REFUSED = 2, 16
"""The independent reader is slow: it is asked about one of so many. Which ones, their bytes decide."""


def compared(
    name: str,
    ours: Read,
    page: Read | None,
    seeds: Callable[[], list[bytes]],
    *,
    sign: Sign | None = None,
    again: Callable[[bytes], bytes] | None = None,
    reads: tuple[str, ...] = (),
    share: int = 1,
) -> Target:
    """A target whose input is one message, which both must answer alike (where the page speaks of it).

    ``again`` reads a message that was accepted and writes it anew: the same bytes must come out.
    """

    def run(data: bytes, tally: Tally) -> None:
        verdict = _verdict(ours, data, (ProtocolError,))
        good = verdict in GOOD
        tally.inputs += 1
        tally.accepted += good
        if good and again is not None and again(data) != data:
            raise FindingError(f"{name}: accepted, and written anew it is {again(data).hex()}")
        if page is not None and zlib.crc32(data) % (ASKED_OF_ACCEPTED if good else ASKED_OF_REFUSED) == 0:
            tally.compared += 1
            said = _verdict(page, data, _PAGE_REFUSES)
            if said != verdict:
                raise FindingError(f"{name}: ours says {verdict}, the page says {said}: {data.hex()}")

    def change(data: bytes, luck: Luck) -> bytes:
        return mutated(data, luck, sign)

    return Target(name, run, seeds, change, reads, share)


def rewritten(data: bytes) -> bytes:
    """The same item, written anew."""
    return cbor.encode(cbor.decode(data, max_size=MAX_READ))


def vectors(name: str, *keys: str) -> Callable[[], list[bytes]]:
    """All bytes of one vector file that stand under one of these keys."""
    return lambda: sorted(set(_found(files.load(name), set(keys or ("bytes",)))), key=len)


def _found(value: Any, keys: set[str]) -> list[bytes]:
    if isinstance(value, list):
        return [one for item in value for one in _found(item, keys)]
    if not isinstance(value, dict):
        return []
    here = [bytes.fromhex(one) for key, one in value.items() if key in keys and isinstance(one, str)]
    return here + [one for item in value.values() for one in _found(item, keys)]


def _verdict(read: Read, data: bytes, refusals: tuple[type[Exception], ...]) -> str:
    try:
        said = read(data)
    except refusals:
        return REFUSED
    return said if isinstance(said, str) else ACCEPTED


def as_json(tally: Tally) -> str:
    """A tally as one line."""
    return json.dumps(vars(tally))

"""Code and page agree on every log entry that differs from a good one in any single item."""

from collections.abc import Iterator
from typing import Any

import pytest

from protocol import cbor
from protocol.entries import Entry, EntryType
from protocol.errors import ProtocolError
from tests.protocol import page
from tests.protocol.vectors import logs

VALUES: list[Any] = [0, 1, 2, 3, 100, 101, 255, 256, 65535, 65536, 2**32 - 1, 2**32, -1]
VALUES += [None, True, b"", bytes(7), bytes(8), "x", [], [1], [1, 2], [1, 2, 3]]


def _neighbours(array: list[Any]) -> Iterator[list[Any]]:
    yield array
    yield from ([*array[:3], cti, array[4]] for cti in (None, bytes(8)))
    detail = array[4]
    yield from ([*array[:4], other] for other in (detail[:-1], [*detail, 0]))
    for at in range(len(detail)):
        yield from ([*array[:4], [*detail[:at], value, *detail[at + 1 :]]] for value in VALUES)


KINDS = {entry.kind: entry for entry in logs.ENTRIES if entry.kind in set(EntryType)}
"""One entry of every known type."""


@pytest.mark.parametrize("kind", KINDS)
def test_entries(kind: int) -> None:
    for array in _neighbours(KINDS[kind].as_array()):
        data = cbor.encode(array)
        try:
            Entry.decode(data)
            taken = True
        except ProtocolError:
            taken = False
        assert taken == (page.fits("known-entry", data) == []), array

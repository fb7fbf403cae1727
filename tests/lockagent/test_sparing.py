"""What strangers can make the lock write to its journal."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest
from bumble import hci, l2cap
from bumble.transport.common import PacketParser

from lockagent.sparing import LINES_PER_HOUR, Sparing

NONSENSE = bytes(hci.HCI_AclDataPacket(1, 2, 0, 5, bytes(l2cap.L2CAP_PDU(4, b"\x12"))))


class _Host:
    """bumble's own way from a packet to the attribute protocol, where short ones trip."""

    def on_packet(self, packet: bytes) -> None:
        read = hci.HCI_Packet.from_bytes(packet)
        assert isinstance(read, hci.HCI_AclDataPacket)
        raise ValueError(f"cannot read {l2cap.L2CAP_PDU.from_bytes(read.data).payload.hex()}")


class _Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


@pytest.fixture
def journal(clock: _Clock) -> Iterator[io.StringIO]:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.addFilter(Sparing(clock))
    logging.getLogger().addHandler(handler)
    yield written
    logging.getLogger().removeHandler(handler)


def test_packets_that_cannot_be_read_do_not_fill_the_journal(journal: io.StringIO, clock: _Clock) -> None:
    parser = PacketParser(_Host())
    for _ in range(2 * LINES_PER_HOUR):
        parser.feed_data(NONSENSE)
    assert journal.getvalue().count("Traceback") == LINES_PER_HOUR
    clock.now += 3600.0
    parser.feed_data(NONSENSE)
    assert journal.getvalue().count("Traceback") == LINES_PER_HOUR + 1


def test_the_locks_own_words_always_reach_it(journal: io.StringIO) -> None:
    for number in range(2 * LINES_PER_HOUR):
        logging.getLogger("nyckelfri.lock").warning("storage failed: %d", number)
    assert journal.getvalue().count("storage failed") == 2 * LINES_PER_HOUR

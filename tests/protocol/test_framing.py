"""Frames over every MTU, in order and out of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import framing, gatt
from protocol.errors import ProtocolError
from protocol.framing import Kind, Message, Reassembler

MTUS = range(gatt.MIN_MTU, gatt.MAX_MTU + 1)
kinds = st.sampled_from(list(Kind))
capacities = st.integers(gatt.MIN_MTU - 3, gatt.MAX_MTU - 3)


def together(frames: list[bytes], limit: int = 20_000) -> list[Message]:
    reader = Reassembler(limit)
    return [message for frame in frames if (message := reader.feed(frame)) is not None]


@pytest.mark.parametrize("length", [1, 19, 20, 48, 242, 512, 4666])
def test_every_mtu_carries_every_message(length: int) -> None:
    body = bytes(n % 251 for n in range(length))
    for mtu in MTUS:
        frames = framing.fragment(Kind.SESSION, body, mtu - gatt.ATT_HEADER)
        assert max(map(len, frames)) <= min(mtu - gatt.ATT_HEADER, gatt.MAX_ATTRIBUTE)
        assert together(frames) == [Message(Kind.SESSION, body)]


@given(kinds, st.binary(min_size=1, max_size=3000), capacities)
def test_round_trip(kind: Kind, body: bytes, capacity: int) -> None:
    assert together(framing.fragment(kind, body, capacity)) == [Message(kind, body)]


@given(kinds, st.binary(min_size=60, max_size=600), st.data())
def test_lost_doubled_or_swapped_frames_never_make_a_message_of_it(
    kind: Kind, body: bytes, data: st.DataObject
) -> None:
    frames = framing.fragment(kind, body, 20)
    at = data.draw(st.integers(0, len(frames) - 2))
    lost = frames[:at] + frames[at + 1 :]
    doubled = frames[: at + 1] + frames[at:]
    swapped = [*frames[:at], frames[at + 1], frames[at], *frames[at + 2 :]]
    for wrong in (lost, doubled, swapped):
        reader, made = Reassembler(20_000), []
        for frame in wrong:
            try:
                message = reader.feed(frame)
            except ProtocolError:
                continue
            made += [message] if message else []
        # a doubled first frame only begins the message anew
        assert made == ([Message(kind, body)] if wrong is doubled and at == 0 else [])


@given(st.lists(st.binary(max_size=530), max_size=20))
def test_noise_never_holds_more_than_the_limit(frames: list[bytes]) -> None:
    reader = Reassembler(512)
    for frame in frames:
        try:
            message = reader.feed(frame)
        except ProtocolError:
            continue
        assert message is None or len(message.body) <= 512


def test_limit_is_exact_and_may_be_raised() -> None:
    frames = framing.fragment(Kind.M1, bytes(513), 20)
    reader = Reassembler(512)
    for frame in frames[:-1]:
        reader.feed(frame)
    with pytest.raises(ProtocolError, match="larger than 512"):
        reader.feed(frames[-1])
    reader.limit = 513
    assert [reader.feed(frame) for frame in frames][-1] == Message(Kind.M1, bytes(513))


def test_after_a_refusal_nothing_is_left_of_what_was_begun() -> None:
    one, two, three = framing.fragment(Kind.M1, bytes(50), 20)
    reader = Reassembler(512)
    reader.feed(one)
    for wrong in (three, two):
        with pytest.raises(ProtocolError):
            reader.feed(wrong)
    assert [reader.feed(frame) for frame in (one, two, three)][-1] == Message(Kind.M1, bytes(50))


def test_numbers_wrap_after_sixteen() -> None:
    frames = framing.fragment(Kind.SESSION, bytes(19 * 40), 20)
    assert [frame[0] & 0x0F for frame in frames] == [n % 16 for n in range(40)]


def test_first_frame_is_known_at_once() -> None:
    first, second, *_ = framing.fragment(Kind.M1, bytes(60), 20)
    assert framing.starts_message(first, Kind.M1)
    assert not framing.starts_message(second, Kind.M1)
    assert not framing.starts_message(first, Kind.SESSION)
    assert not framing.starts_message(b"", Kind.M1)


def test_refused_to_cut() -> None:
    with pytest.raises(ProtocolError):
        framing.fragment(Kind.M1, b"", 20)
    with pytest.raises(ProtocolError):
        framing.fragment(Kind.M1, b"x", 19)

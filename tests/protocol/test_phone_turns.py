"""Every message from the lock that comes out of turn, and what never shows."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import framing
from protocol.errors import ChannelError, HandshakeFailedError, ProtocolError
from protocol.framing import Kind
from protocol.messages import BulletinResult, Decision, Done, LogBatch, TimeResult
from protocol.phone import PhoneSession, PhoneState
from protocol.reasons import Reason
from tests.protocol.counterpart import GRANTED, MOVED, NEWS, Lock, feed, session, shaken
from tests.protocol.vectors import world


def _to(state: PhoneState) -> tuple[PhoneSession, Lock]:
    phone, lock = shaken(news=NEWS)
    steps: dict[PhoneState, list[Any]] = {
        PhoneState.WAIT_M2: [],
        PhoneState.CURING: [Decision(Reason.NEED_UPDATE, 1, 5, 8)],
        PhoneState.HANDING_OVER: [Decision(Reason.EXPIRED, 1, 5, 8)],
        PhoneState.WAIT_M3: [GRANTED],
        PhoneState.CARRYING: [GRANTED, MOVED],
        PhoneState.ENDED: [Decision(Reason.EXPIRED, 1, 5, 9)],
    }
    for message in steps[state]:
        lock.take(feed(phone, lock.say(message)).send)
    assert phone.state is state
    return phone, lock


_EVERYTHING: dict[str, Any] = {
    "decision": GRANTED,
    "outcome": MOVED,
    "log": LogBatch(b"batch"),
    "bulletin result": BulletinResult(Reason.GRANTED, 9),
    "time result": TimeResult(Reason.GRANTED),
    "done": Done(0),
}
_IN_TURN = {
    PhoneState.WAIT_M2: {"decision"},
    PhoneState.CURING: {"decision", "bulletin result"},
    PhoneState.HANDING_OVER: {"bulletin result"},
    PhoneState.WAIT_M3: {"outcome"},
    PhoneState.CARRYING: {"log", "done"},
    PhoneState.ENDED: set(),
}


@pytest.mark.parametrize("name", _EVERYTHING)
@pytest.mark.parametrize("state", _IN_TURN)
def test_every_message_in_every_state(state: PhoneState, name: str) -> None:
    phone, lock = _to(state)
    frames = lock.say(_EVERYTHING[name])
    if name in _IN_TURN[state]:
        feed(phone, frames)
        return
    with pytest.raises(ProtocolError, match="out of turn"):
        feed(phone, frames)
    assert phone.state is PhoneState.ENDED


@pytest.mark.parametrize("state", [one for one in _IN_TURN if one is not PhoneState.WAIT_M2])
def test_m0_out_of_turn(state: PhoneState) -> None:
    phone, lock = _to(state)
    with pytest.raises(ProtocolError, match="out of turn"):
        feed(phone, lock.m0)


_BAD: dict[str, tuple[type[ProtocolError], Callable[[Lock], list[bytes]]]] = {
    "session before m0": (ProtocolError, lambda _: framing.fragment(Kind.SESSION, bytes(20), 244)),
    "m1 from a lock": (ProtocolError, lambda _: framing.fragment(Kind.M1, bytes(20), 244)),
    "m0 of noise": (HandshakeFailedError, lambda _: framing.fragment(Kind.M0, bytes(48), 244)),
    "m0 too short": (
        HandshakeFailedError,
        lambda lock: [lock.m0[0][:-1]],
    ),
    "alert of two bytes": (ProtocolError, lambda _: framing.fragment(Kind.ALERT, b"\x01\x02", 244)),
    "frame out of order": (ProtocolError, lambda _: [b"\x01\x00"]),
}


@pytest.mark.parametrize("name", _BAD)
def test_bad_beginnings_end_the_attempt(name: str) -> None:
    error, make = _BAD[name]
    phone = session()
    with pytest.raises(error):
        feed(phone, make(Lock()))
    assert phone.state is PhoneState.ENDED


def test_a_forged_answer_ends_the_attempt_undecided() -> None:
    phone, _ = shaken()
    with pytest.raises(ChannelError):
        feed(phone, framing.fragment(Kind.SESSION, bytes(30), 244))
    assert (phone.state, phone.decision) == (PhoneState.ENDED, None)


@given(st.lists(st.sampled_from(sorted(_EVERYTHING)), max_size=8))
def test_any_talk_at_all_is_followed_or_refused(talk: list[str]) -> None:
    """Whatever an authenticated lock says: "open" is never concluded without an outcome after a grant."""
    phone, lock = shaken(news=NEWS)
    said: list[str] = []
    for name in talk:
        try:
            lock.take(feed(phone, lock.say(_EVERYTHING[name])).send)
        except ProtocolError:
            assert phone.state is PhoneState.ENDED
            break
        said.append(name)
    assert (phone.outcome is not None) == ("outcome" in said)
    assert "outcome" not in said or said.index("decision") < said.index("outcome")


@given(st.lists(st.binary(max_size=60), max_size=10))
def test_any_bytes_at_all_are_refused_or_passed_over(frames: list[bytes]) -> None:
    phone = session()
    for frame in frames:
        try:
            phone.receive(frame)
        except ProtocolError:
            assert phone.state is PhoneState.ENDED
    assert (phone.decision, phone.outcome) == (None, None)


def test_nothing_secret_is_shown() -> None:
    phone, _ = shaken()
    shown = repr(phone) + repr(phone.door)
    for secret in (world.PHONE, world.ADV_KEY):
        assert repr(secret) not in shown and secret.hex() not in shown

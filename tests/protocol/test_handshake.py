"""The handshake: whom it lets in, what it costs to be turned away, and what a session survives."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from noise.backends.default.diffie_hellmans import ED25519

from protocol import gatt, handshake
from protocol.errors import ChannelError, HandshakeFailedError, ProtocolError
from protocol.handshake import Channel, LockHandshake, M1Error, Step
from protocol.keys import x25519_public
from protocol.phonekeys import X25519Key
from protocol.suites import SUITE_1
from tests.protocol.vectors import world
from tests.protocol.vectors.opening import lock_side, phone_side, with_mac1
from tests.protocol.vectors.world import seed

REQUEST = b"request"
LOW_ORDER = [
    bytes(32),
    (1).to_bytes(32, "little"),
    bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
    (2**255 - 20).to_bytes(32, "little"),
    (2**255 - 19).to_bytes(32, "little"),
    (2**255 - 18).to_bytes(32, "little"),
]


def meet(request: bytes = REQUEST) -> tuple[Channel, Channel]:
    """(the lock's end, the phone's end) of a session."""
    lock = lock_side()
    m1, phone = phone_side().answer(lock.m0, request)
    return lock.read_m1(m1)[2], phone


def step_of(lock: LockHandshake, m1: bytes) -> Step:
    with pytest.raises(M1Error) as refused:
        lock.read_m1(m1)
    return refused.value.step


@pytest.fixture
def exchanges(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """One word for each Diffie-Hellman that the handshake library does."""
    done: list[str] = []
    original = ED25519.dh

    def counted(self: ED25519, private_key: object, public_key: object) -> bytes:
        done.append("dh")
        return bytes(original(self, private_key, public_key))

    monkeypatch.setattr(ED25519, "dh", counted)
    return done


def test_lock_learns_who_the_phone_is_and_what_it_asks() -> None:
    lock = lock_side()
    m1, _ = phone_side().answer(lock.m0, REQUEST)
    holder, request, _ = lock.read_m1(m1)
    assert (holder, request) == (world.PHONE_KEY, REQUEST)
    assert (len(lock.m0), len(m1)) == (handshake.M0_LENGTH, SUITE_1.m1_overhead + len(REQUEST))


def test_a_wrong_mac1_costs_no_diffie_hellman(exchanges: list[str]) -> None:
    lock = lock_side()
    m1, _ = phone_side().answer(lock.m0, REQUEST)
    exchanges.clear()
    assert step_of(lock, bytes([m1[0] ^ 1]) + m1[1:]) is Step.MAC1
    assert step_of(lock_side(), m1[:104]) is Step.LENGTH
    assert step_of(lock_side(), m1 + bytes(gatt.MAX_HANDSHAKE_MESSAGE)) is Step.LENGTH
    assert exchanges == []


def test_a_right_m1_costs_three(exchanges: list[str]) -> None:
    lock = lock_side()
    m1, _ = phone_side().answer(lock.m0, REQUEST)
    exchanges.clear()
    lock.read_m1(m1)
    assert exchanges == ["dh"] * 3


def test_making_m0_costs_none(exchanges: list[str]) -> None:
    assert len(lock_side().m0) == 48
    assert exchanges == []


def test_rule_01_a_recorded_m1_opens_nothing_later() -> None:
    """Replayed against every later m0 it is noise, and its own m0 is spent."""
    lock = lock_side()
    m1, _ = phone_side().answer(lock.m0, REQUEST)
    lock.read_m1(m1)
    with pytest.raises(ProtocolError, match="had its m1"):
        lock.read_m1(m1)
    for n in range(5):
        assert step_of(lock_side(ephemeral=seed(f"later {n}")), m1) is Step.MAC1


def test_an_m1_that_fails_before_mac1_leaves_the_m0_as_good_as_it_was() -> None:
    lock = lock_side()
    m1, _ = phone_side().answer(lock.m0, REQUEST)
    assert step_of(lock, b"") is Step.LENGTH
    assert step_of(lock, bytes(200)) is Step.MAC1
    assert lock.untried
    assert lock.read_m1(m1)[1] == REQUEST


def test_an_m0_is_spent_by_the_first_m1_that_passes_mac1() -> None:
    lock = lock_side()
    m1, _ = phone_side().answer(lock.m0, REQUEST)
    assert step_of(lock, with_mac1(lock.m0, bytes(200))) is Step.AEAD
    assert not lock.untried
    with pytest.raises(ProtocolError, match="had its m1"):
        lock.read_m1(m1)


def test_a_phone_handshake_is_spent_after_one_m0() -> None:
    phone = phone_side()
    phone.answer(lock_side().m0, REQUEST)
    with pytest.raises(ProtocolError, match="spent"):
        phone.answer(lock_side().m0, REQUEST)


@pytest.mark.parametrize("point", LOW_ORDER, ids=lambda point: point.hex()[:8])
def test_low_order_points_are_refused(point: bytes) -> None:
    lock = lock_side()
    m1, _ = phone_side().answer(lock.m0, REQUEST)
    assert step_of(lock, with_mac1(lock.m0, point + m1[40:])) is Step.AEAD
    with pytest.raises(HandshakeFailedError):
        phone_side(lock_static=point).answer(lock.m0, REQUEST)
    with pytest.raises(HandshakeFailedError):
        phone_side().answer(point + lock.m0[32:], REQUEST)


@pytest.mark.parametrize("what", ["adv_key", "binding", "lock_static"])
def test_a_phone_that_is_wrong_in_one_thing_cannot_even_read_m0(what: str) -> None:
    value = {
        "adv_key": world.NEXT_ADV_KEY,
        "binding": world.OTHER_BINDING,
        "lock_static": x25519_public(seed("another lock")),
    }[what]
    with pytest.raises(HandshakeFailedError):
        phone_side(**{what: value}).answer(lock_side().m0, REQUEST)


def test_adv_key_alone_poses_as_no_lock() -> None:
    """Somebody with the adv_key and the lock's public key makes an m0, but never reads the answer."""
    imposter = lock_side(static_private=seed("imposter"))
    with pytest.raises(HandshakeFailedError):
        phone_side().answer(imposter.m0, REQUEST)


@settings(max_examples=200, deadline=None)
@given(st.integers(8, 8 * (SUITE_1.m1_overhead + len(REQUEST)) - 1))
def test_any_changed_bit_of_m1_is_refused(bit: int) -> None:
    """Also when mac1 is made anew, which everybody with the adv_key can do."""
    lock = lock_side()
    m1, _ = phone_side().answer(lock.m0, REQUEST)
    changed = bytearray(m1)
    changed[bit // 8] ^= 1 << (bit % 8)
    assert step_of(lock, bytes(changed)) is Step.MAC1
    if bit >= 64:
        # the top bit of an X25519 point carries no meaning, but it is hashed all the same
        assert step_of(lock_side(), with_mac1(lock.m0, bytes(changed[8:]))) is Step.AEAD


@given(st.binary(max_size=600))
def test_noise_is_no_m1(data: bytes) -> None:
    assert step_of(lock_side(), data) in (Step.LENGTH, Step.MAC1)


@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=300)), max_size=12))
def test_a_session_carries_messages_both_ways(talk: list[tuple[bool, bytes]]) -> None:
    lock, phone = meet()
    for from_lock, said in talk:
        sender, receiver = (lock, phone) if from_lock else (phone, lock)
        sealed = sender.encrypt(said)
        assert len(sealed) == len(said) + handshake.TAG_LENGTH
        assert receiver.decrypt(sealed) == said


def test_a_session_is_dead_after_a_message_that_does_not_open() -> None:
    lock, phone = meet()
    good = phone.encrypt(b"one")
    with pytest.raises(ChannelError):
        lock.decrypt(good[:-1] + bytes([good[-1] ^ 1]))
    with pytest.raises(ChannelError, match="ended"):
        lock.decrypt(good)
    with pytest.raises(ChannelError, match="ended"):
        lock.encrypt(b"answer")


@pytest.mark.parametrize("fault", ["replayed", "skipped", "reflected", "other session"])
def test_messages_belong_to_one_place_in_one_session(fault: str) -> None:
    lock, phone = meet()
    first, second = phone.encrypt(b"one"), phone.encrypt(b"two")
    wrong = second
    if fault == "replayed":
        lock.decrypt(first)
        wrong = first
    elif fault == "reflected":
        wrong = lock.encrypt(b"one")
    elif fault == "other session":
        other = lock_side(ephemeral=seed("other session"))
        wrong = phone_side().answer(other.m0, REQUEST)[1].encrypt(b"one")
    with pytest.raises(ChannelError):
        lock.decrypt(wrong)


def test_secrets_are_not_shown() -> None:
    lock, phone = lock_side(), phone_side()
    shown = repr(lock) + repr(phone) + str(vars(lock).keys())
    for secret in (world.LOCK_STATIC, world.ADV_KEY, world.PHONE):
        assert secret.hex() not in shown and repr(secret) not in shown


def test_lengths_of_secrets_are_checked() -> None:
    for wrong in ("adv_key", "ephemeral", "static_private"):
        with pytest.raises(ProtocolError):
            lock_side(**{wrong: bytes(31)})
    for wrong in ("adv_key", "ephemeral"):
        with pytest.raises(ProtocolError):
            phone_side(**{wrong: bytes(33)})
    with pytest.raises(ProtocolError):
        X25519Key(bytes(33))
    with pytest.raises(ProtocolError):
        phone_side(lock_static=bytes(31))
    with pytest.raises(ProtocolError):
        lock_side(binding=bytes(7))

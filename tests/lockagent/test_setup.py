"""Setting up a lock without a door by radio: when it listens, to whom, and what cannot be done that way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lockagent.core.links import PLACES
from protocol import advert, framing, gatt, handshake, identity, label, messages
from protocol.entries import EntryType
from protocol.errors import ProtocolError
from protocol.framing import Kind
from protocol.installing import Identity, IdentityRequest, RetireOffer
from protocol.messages import BulletinOffer, Carry, FreshTime, PhoneMessage
from protocol.phonekeys import X25519Key
from protocol.reasons import Reason
from protocol.setup import WrongLockError
from tests.lockagent.bench import SECRETS, Bench, Phone, commissioned
from tests.lockagent.installer import LABEL, Setup, blank, gesture, retire_order, set_up
from tests.lockagent.world import Issuer, Place, secret


def resolved(data: bytes, key: bytes) -> bool:
    return advert.Resolver([("it", key)]).resolve(advert.parse(data)) is not None


def package(bench: Bench, **how: object) -> bytes:
    return bench.place.commission(time=int(bench.wall), **how)  # type: ignore[arg-type]


def test_a_lock_without_a_door_answers_only_after_somebody_held_its_button() -> None:
    bench = blank()
    assert not bench.on_air
    assert Setup(bench).over
    gesture(bench)
    assert bench.on_air
    assert resolved(bench.adverts[-1], LABEL.setup_key)
    assert Setup(bench).session.serving


def test_it_falls_silent_after_five_minutes() -> None:
    bench = blank()
    gesture(bench)
    bench.advance(gatt.SETUP_SECONDS - 1)
    assert bench.on_air
    bench.advance(2)
    assert not bench.on_air
    assert Setup(bench).over
    gesture(bench)
    assert bench.on_air


def test_a_restart_ends_setup() -> None:
    bench = blank()
    gesture(bench)
    bench.on_air = False
    bench.power_cut()
    assert not bench.on_air


def test_a_lock_with_a_door_takes_no_notice_of_the_button() -> None:
    bench = commissioned()
    before = list(bench.adverts)
    gesture(bench)
    assert bench.adverts == before
    assert isinstance(Setup(bench).error, ProtocolError)  # what it says is no m0 of a lock in setup
    assert Phone().open(bench).reason is Reason.GRANTED


@pytest.mark.parametrize("capacity", [20, 182, 244, 514])
def test_the_lock_states_who_it_is_and_takes_its_first_door(capacity: int) -> None:
    bench = blank()
    phone = set_up(bench, capacity=capacity)
    assert identity.verify(phone.session.document).lock_id == LABEL.lock_id
    assert phone.ask(IdentityRequest()) == Identity(phone.session.document, None)
    assert phone.commission(package(bench)) is Reason.GRANTED
    assert phone.ask(IdentityRequest()) == Identity(phone.session.document, bench.place.binding)
    assert bench.entries()[-1].kind == EntryType.BOUND
    assert resolved(bench.adverts[-1], bench.place.adv_key)
    assert Phone().open(bench).reason is Reason.GRANTED


def test_the_label_opens_nothing_once_the_lock_has_a_door() -> None:
    bench = blank()
    set_up(bench).commission(package(bench))
    gesture(bench)
    phone = Setup(bench)
    assert not phone.session.serving
    bench.power_cut()
    gesture(bench)
    assert not Setup(bench).session.serving


def test_a_setup_answer_that_comes_late_meets_a_lock_with_a_door() -> None:
    bench = blank()
    gesture(bench)
    late = bench.link_up()
    hello, bench.inbox[late] = bench.inbox[late], []
    first = Setup(bench)
    assert first.commission(package(bench)) is Reason.GRANTED
    bench.inbox[late] = hello
    phone = Setup.__new__(Setup)
    phone.__dict__.update(first.__dict__ | {"link": late, "said": [], "error": None})
    phone.session = type(first.session)(LABEL, first.session.key, 244, bench.rng.randbytes)
    phone.exchange()
    assert not phone.session.serving


def test_without_the_label_there_is_no_way_in() -> None:
    bench = blank()
    gesture(bench)
    guess = Setup(bench, replace(LABEL, code=bytes(11)))
    assert isinstance(guess.error, ProtocolError)
    assert not guess.session.serving


def test_whoever_photographed_the_label_cannot_pose_as_the_lock() -> None:
    """The lock that answers must have the keys that the label's lock id stands for."""
    bench = blank()
    gesture(bench)
    another = label.Label(b"another!", LABEL.code)
    phone = Setup(bench, another)
    assert isinstance(phone.error, WrongLockError)


@pytest.mark.parametrize(
    "message",
    [
        BulletinOffer(b"x"),
        FreshTime(b"x"),
        Carry(4096),
        RetireOffer(b"x"),
    ],
)
def test_setup_takes_an_installers_questions_and_nothing_else(message: PhoneMessage) -> None:
    bench = blank()
    phone = set_up(bench)
    assert phone.ask(message) is None
    assert phone.over


def test_an_order_to_retire_needs_a_service_session_even_in_the_setup_that_bound_it() -> None:
    bench = blank()
    phone = set_up(bench)
    phone.commission(package(bench))
    phone.ask(RetireOffer(retire_order(bench.place)))
    assert phone.over
    assert Phone().open(bench).reason is Reason.GRANTED


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"lock_id": b"otherone"}, Reason.COMMISSION_WRONG_LOCK),
        ({"seal_to": secret("another lock's seal")}, Reason.COMMISSION_WRONG_LOCK),
    ],
)
def test_a_package_for_another_lock_is_refused(how: dict[str, bytes], reason: Reason) -> None:
    bench = blank()
    phone = set_up(bench)
    assert phone.commission(package(bench, **how)) is reason
    assert phone.commission(b"noise") is Reason.COMMISSION_INVALID
    assert bench.core.binding is None
    assert phone.commission(package(bench)) is Reason.GRANTED


def test_a_stolen_blank_lock_serves_its_thief_and_is_never_trusted_by_us() -> None:
    """Who holds a blank lock can make it another municipality's; ours cannot be given to it afterwards."""
    bench = blank()
    thief = Place(Issuer("tjuv"), SECRETS.identity, binding=b"bindingT")
    assert set_up(bench).commission(thief.commission(time=int(bench.wall))) is Reason.GRANTED
    before = bench.core.binding
    assert bench.commission(package(bench)) is Reason.COMMISSION_ROOT_MISMATCH
    assert bench.core.binding is before


def test_strangers_at_a_lock_in_setup_are_counted_and_answered_with_one_word() -> None:
    bench = blank()
    gesture(bench)
    link = bench.link_up()
    bench.inbox[link].clear()
    bench.write(link, b"\xd0" + bytes(200))
    assert bench.inbox[link][0][1:] == bytes([Reason.HANDSHAKE_FAILED])


@pytest.mark.parametrize("request_", [b"", b"\x82\x02\x48" + bytes(8), b"\x82\x01\x47" + bytes(7), b"noise"])
def test_a_malformed_setup_request_is_answered_and_hung_up_on(request_: bytes) -> None:
    bench = blank()
    gesture(bench)
    link = bench.link_up()
    m0 = _whole(bench.inbox[link])[: handshake.M0_LENGTH]
    phone = handshake.PhoneHandshake(
        key=X25519Key(secret("installer")),
        lock_static=SECRETS.identity.static_public,
        adv_key=LABEL.setup_key,
        binding=LABEL.lock_id,
        ephemeral=secret("ephemeral"),
    )
    m1, channel = phone.answer(m0, request_ or b"\x80")
    bench.inbox[link].clear()
    for frame in framing.fragment(Kind.M1, m1, 244):
        bench.write(link, frame)
    decision = messages.parse_from_lock(channel.decrypt(_whole(bench.inbox[link])))
    assert isinstance(decision, messages.Decision)
    assert decision.reason == Reason.MALFORMED
    assert link in bench.ended


def _whole(frames: list[bytes]) -> bytes:
    reader = framing.Reassembler(gatt.MAX_SESSION_MESSAGE)
    whole = [message.body for message in map(reader.feed, frames) if message is not None]
    return whole[-1]


def test_a_power_cut_half_way_and_the_same_package_again() -> None:
    bench = blank()
    made = package(bench)
    assert set_up(bench).commission(made) is Reason.GRANTED
    bench.power_cut()
    assert bench.core.binding is not None
    assert bench.commission(made) is Reason.GRANTED


def test_who_knows_the_label_cannot_stay_on_and_keep_staff_out_of_the_places() -> None:
    bench = blank()
    gesture(bench)
    others = [Setup(bench) for _ in range(PLACES - 1)]
    rightful = Setup(bench)
    assert rightful.commission(package(bench)) is Reason.GRANTED
    assert all(other.over for other in others)
    assert not rightful.over


def test_a_setup_session_has_an_end_however_much_the_phone_talks() -> None:
    bench = blank()
    only, talked = set_up(bench), 0
    while not only.over:
        bench.advance(20.0)
        only.ask(IdentityRequest())
        talked += 20
        assert talked <= gatt.SERVICE_SECONDS + 20


def test_setup_has_a_place_for_the_next_phone() -> None:
    bench = blank()
    gesture(bench)
    held = [Setup(bench) for _ in range(PLACES)]
    bench.advance(gatt.STRANGER_SECONDS + 1)
    assert sum(not one.over for one in held) < PLACES
    assert Setup(bench).commission(package(bench)) is Reason.GRANTED

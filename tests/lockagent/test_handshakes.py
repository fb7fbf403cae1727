"""Links before anybody is known: replays, dead m0, floods of noise, and room for those who knock rightly."""

from __future__ import annotations

import pytest

from lockagent.core.events import Subscribed
from lockagent.core.greetings import CHANGE_SECONDS
from lockagent.core.upkeep import ADVERT_LASTS_SECONDS
from protocol import framing, gatt, handshake
from protocol.entries import EntryType
from protocol.framing import Kind
from protocol.phone import Alert
from protocol.reasons import Reason
from tests.lockagent.bench import Attempt, Bench, Phone, commissioned
from tests.lockagent.world import HOUR, secret


def m1_frames(bench: Bench, attempt: Attempt) -> list[bytes]:
    """What the phone would write as m1, kept back."""
    return list(attempt.session.receive(bench.inbox[attempt.link].pop(0)).send)


def kind(frame: bytes) -> Kind:
    return Kind(frame[0] >> 4 & 3)


def test_rule_01_a_recorded_m1_opens_nothing_on_a_new_link() -> None:
    bench, anna = commissioned(), Phone()
    attempt = anna.attempt(bench, anna.right(bench))
    recorded = m1_frames(bench, attempt)
    for frame in recorded:
        bench.write(attempt.link, frame)
    attempt.drop()
    bench.advance(3)
    link = bench.link_up()
    bench.inbox[link].clear()
    for frame in recorded:
        bench.write(link, frame)
    assert [kind(frame) for frame in bench.inbox[link]] == [Kind.ALERT, Kind.M0]
    assert len(bench.motor.runs) == 1
    assert "REFUSED" not in bench.kinds()


def test_rule_01_one_m1_per_m0() -> None:
    bench, anna = commissioned(), Phone()
    attempt = anna.attempt(bench, anna.right(bench))
    frames = m1_frames(bench, attempt)
    for frame in frames:
        bench.write(attempt.link, frame)
    for frame in frames:
        bench.write(attempt.link, frame)
    assert attempt.link in bench.ended
    bench.advance(3)
    assert len(bench.motor.runs) == 1


def test_a_dead_m0_is_renewed_and_the_phone_begins_again() -> None:
    bench, anna = commissioned(), Phone()
    attempt = anna.attempt(bench, anna.right(bench))
    late = m1_frames(bench, attempt)
    bench.advance(gatt.M0_LIFE_SECONDS + 0.1)
    for frame in late:
        bench.write(attempt.link, frame)
    assert attempt.run(2.0).reason is Reason.GRANTED
    assert len(bench.motor.runs) == 1


def test_an_m1_begun_in_time_gets_three_seconds_more() -> None:
    bench, anna = commissioned(), Phone()
    attempt = anna.attempt(bench, anna.right(bench), capacity=20)
    attempt.step()  # the rest of m0 follows below
    while bench.inbox[attempt.link]:
        message = attempt.session.receive(bench.inbox[attempt.link].pop(0))
    frames = list(message.send)
    bench.advance(gatt.M0_LIFE_SECONDS - 0.5)
    bench.write(attempt.link, frames[0])
    bench.advance(gatt.M0_STREAM_GRACE_SECONDS - 0.1)
    for frame in frames[1:]:
        bench.write(attempt.link, frame)
    assert attempt.run(2.0).reason is Reason.GRANTED


def test_an_m1_that_trickles_in_too_slowly_is_not_read() -> None:
    bench, anna = commissioned(), Phone()
    attempt = anna.attempt(bench, anna.right(bench), capacity=20)
    while bench.inbox[attempt.link]:
        message = attempt.session.receive(bench.inbox[attempt.link].pop(0))
    frames = list(message.send)
    bench.write(attempt.link, frames[0])
    bench.advance(gatt.M0_LIFE_SECONDS + gatt.M0_STREAM_GRACE_SECONDS + 0.1)
    for frame in frames[1:]:
        bench.write(attempt.link, frame)
    assert bench.motor.runs == []
    assert bench.kinds() == ["BOOT", "BOUND"]


@pytest.mark.parametrize("flip", [0, 7, 8, 20, 60, -1])
def test_any_altered_bit_of_m1_is_one_unauthenticated_word(flip: int) -> None:
    bench, anna = commissioned(), Phone()
    attempt = anna.attempt(bench, anna.right(bench), capacity=509)
    [frame] = m1_frames(bench, attempt)
    body = bytearray(frame[1:])
    body[flip] ^= 1
    for altered in framing.fragment(Kind.M1, bytes(body), 509):
        bench.write(attempt.link, altered)
    reassembler = framing.Reassembler(512)
    messages = [reassembler.feed(one) for one in bench.inbox[attempt.link]]
    assert messages[0] is not None
    assert (messages[0].kind, messages[0].body) == (Kind.ALERT, bytes([Reason.HANDSHAKE_FAILED]))
    assert bench.kinds() == ["BOOT", "BOUND"]


def test_failed_handshakes_are_counted_once_an_hour() -> None:
    bench = commissioned()
    for _ in range(3):
        link = bench.link_up()
        for _ in range(3):
            for frame in framing.fragment(Kind.M1, bytes(200), 244):
                bench.write(link, frame)
        bench.link_down(link)
    bench.advance(HOUR + 1)
    failures = [entry for entry in bench.entries() if entry.kind == EntryType.FAILURES]
    assert [entry.detail[0] for entry in failures] == [9]


def m0s(bench: Bench, link: int) -> list[bytes]:
    """The m0 said on a link."""
    return [frame for frame in bench.inbox[link] if kind(frame) is Kind.M0]


def wrong_m1(bench: Bench, link: int) -> None:
    for frame in framing.fragment(Kind.M1, bytes(200), 244):
        bench.write(link, frame)


def test_a_stranger_who_guesses_hears_one_m0_four_times_and_then_the_door() -> None:
    bench = commissioned()
    link = bench.link_up()
    for _ in range(gatt.MAX_M0_PER_LINK):
        wrong_m1(bench, link)
    assert len(m0s(bench, link)) == gatt.MAX_M0_PER_LINK
    assert len(set(m0s(bench, link))) == 1
    assert bench.ended == [link]


def test_a_silent_stranger_costs_one_m0_and_is_ended() -> None:
    bench = commissioned()
    link = bench.link_up()
    bench.advance(gatt.SESSION_SECONDS + 1)
    assert [kind(frame) for frame in bench.inbox[link]] == [Kind.M0]
    assert bench.ended == [link]


def settled() -> Bench:
    """A lock whose advert has been on the air for a while."""
    bench = commissioned()
    bench.advance(CHANGE_SECONDS + 0.1)
    return bench


def test_ten_strangers_a_second_who_come_and_go_share_what_two_of_five_pay() -> None:
    """One m0 every two seconds, and one each while an advert gives way to the next."""
    bench = settled()
    seen = set()
    for _ in range(100):
        link = bench.link_up()
        seen.update(m0s(bench, link))
        bench.link_down(link)
        bench.advance(0.1)
    assert len(seen) <= 40


def test_rule_08_no_m0_is_said_under_two_adverts() -> None:
    """Or whoever connects around a change of address would know both for one lock's."""
    bench = settled()
    bench.advance(ADVERT_LASTS_SECONDS)
    seen: dict[bytes, int] = {}
    for _ in range(200):
        early = bench.link_up(subscribe=False)  # came by this advert, and listens under the next
        link = bench.link_up()
        said = {m0s(bench, link)[0]: len(bench.adverts)}
        bench.link_down(link)
        under = len(bench.adverts) - 1
        bench.feed(Subscribed(early, 244))
        if early not in bench.ended:
            said[m0s(bench, early)[0]] = under
        bench.link_down(early)
        for m0, advert in said.items():
            assert seen.setdefault(m0, advert) == advert
        bench.advance(bench.rng.choice([0.05, 0.3, 1.0, 2.0]))
    assert len(bench.adverts) > 20


def test_two_links_at_a_time_never_share_an_m0() -> None:
    bench = commissioned()
    bench.link_down(bench.link_up())
    links = [bench.link_up() for _ in range(3)]
    assert len({m0s(bench, link)[0] for link in links}) == 3


def test_an_m0_said_on_an_earlier_link_opens_for_the_phone_that_answers_it() -> None:
    bench, anna = settled(), Phone()
    stranger = bench.link_up()
    heard = m0s(bench, stranger)
    wrong_m1(bench, stranger)
    bench.link_down(stranger)
    attempt = anna.attempt(bench, anna.right(bench))
    assert m0s(bench, attempt.link) == heard
    assert attempt.run(2.0).reason is Reason.GRANTED


def test_rule_01_an_m0_dies_five_seconds_after_it_was_first_said_on_whatever_link() -> None:
    """Whoever holds an answer back gains nothing by coming again."""
    bench, anna = commissioned(), Phone()
    attempt = anna.attempt(bench, anna.right(bench))
    held_back = m1_frames(bench, attempt)
    attempt.drop()
    bench.advance(gatt.M0_LIFE_SECONDS - gatt.M0_LEAST_SECONDS - 0.1)
    link = bench.link_up()
    bench.advance(gatt.M0_LEAST_SECONDS + 0.2)
    for frame in held_back:
        bench.write(link, frame)
    assert bench.motor.runs == []
    assert bench.kinds() == ["BOOT", "BOUND"]


def test_rule_01_an_m0_that_was_tried_is_never_said_again() -> None:
    bench, anna = commissioned(), Phone()
    attempt = anna.attempt(bench, anna.right(bench))
    heard = bench.inbox[attempt.link][0]
    attempt.run(2.0)
    attempt.drop()
    assert m0s(bench, bench.link_up()) != [heard]


def test_a_new_adv_key_takes_every_m0_made_with_the_old_one() -> None:
    bench, anna = commissioned(), Phone()
    stranger, early = bench.link_up(), bench.link_up()
    news = bench.place.bulletin(time=int(bench.wall), adv_keys=(secret("next"),))
    attempt = anna.attempt(bench, anna.right(bench), news=news).run(2.0)
    assert attempt.reason is Reason.GRANTED
    said = {m0s(bench, stranger)[0], m0s(bench, early)[0]}
    bench.link_down(stranger)
    bench.link_down(early)
    bench.place.adv_key = secret("next")
    again = anna.attempt(bench, anna.right(bench))
    assert m0s(bench, again.link)[0] not in said
    assert again.run(2.0).reason is Reason.GRANTED


def test_a_link_that_never_subscribes_is_ended() -> None:
    bench = commissioned()
    link = bench.link_up(subscribe=False)
    bench.advance(gatt.SESSION_SECONDS + 1)
    assert bench.ended == [link]


def test_the_oldest_stranger_goes_when_places_are_short() -> None:
    bench, anna = commissioned(), Phone()
    strangers = [bench.link_up() for _ in range(3)]
    attempt = anna.attempt(bench, anna.right(bench))
    assert bench.ended == []
    attempt.run()
    assert attempt.reason is Reason.GRANTED
    bench.advance(gatt.STRANGER_SECONDS + 0.1)
    assert bench.ended == strangers[:1]
    attempt.run(2.0)
    assert attempt.outcome is not None


def test_a_phone_that_shook_hands_is_not_evicted_while_a_stranger_can_be() -> None:
    bench, anna = commissioned(), Phone()
    first = anna.attempt(bench, anna.right(bench)).run(2.0)
    for _ in range(6):
        bench.link_up()
        bench.advance(gatt.STRANGER_SECONDS + 0.1)
    assert first.link not in bench.ended


def test_the_doors_shared_key_alone_keeps_no_place() -> None:
    """Whoever had a right once knows the adv_key for long: a valid mac1 and no more is a stranger's."""
    bench = commissioned()
    links = []
    for _ in range(3):
        links.append(bench.link_up())
        m0 = framing.Reassembler(512).feed(bench.inbox[links[-1]][0])
        assert m0 is not None
        rest = bytes(200)
        m1 = handshake._mac1(handshake._derive(bench.place.adv_key, "mac"), m0.body, rest) + rest
        for frame in framing.fragment(Kind.M1, m1, 244):
            bench.write(links[-1], frame)
    bench.link_up()
    bench.advance(gatt.STRANGER_SECONDS + 0.1)
    assert bench.ended == links[:1]


def test_noise_of_any_kind_never_moves_the_bolt() -> None:
    bench = commissioned()
    link = bench.link_up()
    for length in (0, 1, 2, 48, 240, 600):
        bench.write(link, bench.rng.randbytes(length))
        if link in bench.ended:
            link = bench.link_up()
    assert bench.motor.runs == []


def test_a_phone_with_another_doors_key_gets_nothing_but_the_alert() -> None:
    bench, anna = commissioned(), Phone()
    attempt = anna.attempt(bench, anna.right(bench), adv_key=secret("another door")).run()
    assert attempt.decision is None
    assert attempt.error is not None or attempt.said == [Alert(Reason.HANDSHAKE_FAILED)]


def test_noise_inside_a_session_ends_it() -> None:
    bench, anna = commissioned(), Phone()
    attempt = anna.attempt(bench, anna.right(bench)).run()
    for frame in framing.fragment(Kind.SESSION, bytes(40), 244):
        bench.write(attempt.link, frame)
    assert attempt.link in bench.ended
    bench.advance(3)
    assert bench.kinds()[-1] == "OUTCOME"


def test_a_silent_session_is_ended() -> None:
    bench, anna = commissioned(), Phone()
    attempt = anna.attempt(bench, anna.right(bench)).run(2.0)
    bench.advance(gatt.SESSION_SECONDS + 1)
    assert attempt.link in bench.ended


def test_rule_01_an_m1_for_a_dead_m0_is_not_read_even_if_nobody_has_looked_at_the_clock() -> None:
    bench, anna = commissioned(), Phone()
    attempt = anna.attempt(bench, anna.right(bench))
    late = m1_frames(bench, attempt)
    bench.wall += gatt.M0_LIFE_SECONDS + 1  # no tick: the loop was busy elsewhere
    for frame in late:
        bench.write(attempt.link, frame)
    assert bench.kinds() == ["BOOT", "BOUND"]
    assert bench.motor.runs == []

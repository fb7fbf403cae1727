"""A new program for the lock: whose it takes, what it says no to, and that it never strands a door."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lockagent.bolt import Bolt
from lockagent.firmware import builtin
from lockagent.firmware.record import Phase, Slot
from lockagent.image import Result
from lockagent.storage.port import StorageProblem
from protocol.entries import EntryType
from protocol.firmware import FirmwareChunk, FirmwareOffer, FirmwareResult, parse, sign
from protocol.keys import SigningKey
from protocol.messages import Command
from protocol.reasons import Reason
from protocol.settings import DoorKind, LockSettings
from protocol.token import Scope
from tests.lockagent import program_cuts
from tests.lockagent.bench import Phone, commissioned
from tests.lockagent.programs import KEY, Board, Installer, Release, board, release, update
from tests.lockagent.world import secret


def reports(bench: Board) -> list[tuple[object, ...]]:
    return [entry.detail for entry in bench.entries() if entry.kind == EntryType.FIRMWARE]


def test_a_signed_program_is_carried_tried_and_kept() -> None:
    bench, made = board(), release(2)
    update(bench, made)
    assert (bench.version, bench.slot, bench.record.active) == (2, Slot.A, Slot.A)
    assert reports(bench) == [(builtin.VERSION, 2, Result.CONFIRMED)]
    assert Phone().open(bench).reason is Reason.GRANTED


def test_the_places_take_turns() -> None:
    bench = board()
    for version, slot in ((2, Slot.A), (3, Slot.B), (4, Slot.A)):
        update(bench, release(version))
        assert (bench.version, bench.slot) == (version, slot)
    assert [detail[:2] for detail in reports(bench)] == [(1, 2), (2, 3), (3, 4)]


def test_the_door_opens_while_a_program_is_carried_and_while_it_is_on_trial() -> None:
    bench, made = board(), release(2)
    visit = Installer().serve(bench)
    visit.carry(made, most=1)
    opened = Phone().open(bench)
    assert opened.reason is Reason.GRANTED
    opened.drop()
    assert visit.carry(made).next == len(made.image)
    visit.leave()
    bench.restart()
    assert bench.record.phase is Phase.TRIAL
    assert Phone("bo").open(bench).reason is Reason.GRANTED


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (release(key=SigningKey.from_seed(b"f1", secret("a forger"))), Reason.FIRMWARE_INVALID),
        (release(key=SigningKey.from_seed(b"f2", secret("kommun/firmware"))), Reason.FIRMWARE_INVALID),
        (release(key=SigningKey.from_seed(b"t1", secret("kommun/token"))), Reason.FIRMWARE_INVALID),
        (release(model=b"nrf54l15"), Reason.FIRMWARE_WRONG_MODEL),
        (release(builtin.VERSION), Reason.FIRMWARE_OLD),
        (release(security=builtin.SECURITY - 1), Reason.FIRMWARE_OLD),
    ],
    ids=["forged", "unknown key", "token key", "another model", "not newer", "an old hole"],
)
def test_a_program_is_refused(made: object, reason: Reason) -> None:
    bench = board()
    assert Installer().serve(bench).reason(made) is reason  # type: ignore[arg-type]
    assert bench.record.phase is Phase.IDLE


def test_nothing_leads_back() -> None:
    bench = board()
    update(bench, release(2))
    update(bench, release(5, security=3))
    visit = Installer().serve(bench)
    assert visit.reason(release(5, security=3)) is Reason.FIRMWARE_CURRENT
    assert visit.reason(release(2)) is Reason.FIRMWARE_OLD
    assert visit.reason(release(6, security=2)) is Reason.FIRMWARE_OLD
    assert visit.reason(release(6, security=3)) is Reason.GRANTED


def test_only_an_installer_brings_programs() -> None:
    """A phone that may open, and says what only an installer says, is hung up on."""
    bench, phone = board(), Phone()
    attempt = phone.attempt(bench, phone.right(bench), Command.OPEN)
    attempt.run(2.0)
    link = attempt.link
    attempt.session.state = attempt.session.state.SERVING
    for frame in attempt.session.serve(FirmwareOffer(release().header)):
        bench.write(link, frame)
    assert link in bench.ended
    assert bench.record.phase is Phase.IDLE


def test_a_lock_without_a_loader_says_so() -> None:
    visit = Installer().serve(commissioned())
    assert visit.reason(release()) is Reason.FIRMWARE_UNSUPPORTED


def test_another_phone_goes_on_where_the_first_stopped() -> None:
    bench, made = board(), release(2, size=20_000)
    first = Installer("first").serve(bench)
    assert first.carry(made, most=2).next == 8192
    first.leave()
    bench.power_cut()
    second = Installer("second").serve(bench)
    assert second.offer(made) == FirmwareResult(Reason.GRANTED, 8192)
    assert second.carry(made).next == 20_000


def test_two_phones_at_once_do_no_harm() -> None:
    bench, made = board(), release(2, size=20_000)
    one, two = Installer("one").serve(bench), Installer("two").serve(bench)
    assert one.carry(made, most=1).next == two.offer(made).next == 4096
    assert two.carry(made, most=1).next == 8192
    late = one.ask(FirmwareChunk(4096, made.image[4096:8192]))
    assert late == FirmwareResult(Reason.FIRMWARE_OUT_OF_PLACE, 8192)
    assert one.carry(made).next == 20_000


@pytest.mark.parametrize(("offset", "length"), [(0, 10), (4097, 10), (4095, 10), (4096, 4096)])
def test_a_chunk_out_of_place_changes_nothing(offset: int, length: int) -> None:
    bench, made = board(), release(2, size=8000)
    visit = Installer().serve(bench)
    visit.carry(made, most=1)
    answer = visit.ask(FirmwareChunk(offset, bytes(length)))
    assert answer == FirmwareResult(Reason.FIRMWARE_OUT_OF_PLACE, 4096)
    assert visit.carry(made).next == 8000


def test_a_chunk_without_an_offer_is_out_of_place() -> None:
    visit = Installer().serve(board())
    assert visit.ask(FirmwareChunk(0, b"x")) == FirmwareResult(Reason.FIRMWARE_OUT_OF_PLACE, 0)


def test_another_offer_takes_the_place_of_one_begun() -> None:
    bench, first, second = board(), release(2), release(3)
    visit = Installer().serve(bench)
    visit.carry(first, most=1)
    assert visit.carry(second).next == len(second.image)
    assert visit.ask(FirmwareOffer(first.header)) == FirmwareResult(Reason.FIRMWARE_BUSY, 0)


def test_bytes_that_are_not_the_signed_ones_never_run() -> None:
    bench, made = board(), release(2)
    visit = Installer().serve(bench)
    visit.carry(made, most=1)
    visit.ask(FirmwareChunk(4096, bytes(4096)))
    last = visit.ask(FirmwareChunk(8192, made.image[8192:]))
    assert last == FirmwareResult(Reason.FIRMWARE_DAMAGED, 0)
    assert not bench.wants_restart
    assert visit.carry(made).next == len(made.image)


def test_rule_11_never_while_the_door_acts() -> None:
    bench, made = board(), release(2)
    visit = Installer().serve(bench)
    visit.carry(made, most=1)
    phone = Phone()
    phone.attempt(bench, phone.right(bench)).run()
    busy = visit.ask(FirmwareChunk(4096, made.image[4096:8192]))
    assert busy == FirmwareResult(Reason.FIRMWARE_BUSY, 4096)
    bench.advance(3)
    assert visit.carry(made).next == len(made.image)


def test_rule_11_the_restart_waits_for_whoever_is_there_and_for_relocking() -> None:
    bench = board()
    relocking = LockSettings(DoorKind.APARTMENT, relock_after=60)
    phone = Phone()
    news = bench.place.bulletin(time=int(bench.wall), settings=relocking)
    opened = phone.open(bench, news=news)
    assert opened.reason is Reason.GRANTED
    opened.drop()
    visit = Installer().serve(bench)
    visit.carry(release(2))
    assert not bench.wants_restart
    visit.leave()
    phone.open(bench).drop()
    assert not bench.wants_restart, "a plan to relock would be forgotten"
    bench.advance(70)
    assert bench.motor.bolt is Bolt.LOCKED
    assert bench.wants_restart


def test_rule_11_a_hand_turns_the_bolt_at_every_stage() -> None:
    bench, made = board(), release(2)
    visit = Installer().serve(bench)
    for stage in range(3):
        bench.turn_by_hand(Bolt.UNLOCKED if stage % 2 == 0 else Bolt.LOCKED)
        visit.carry(made, most=1)
    visit.leave()
    bench.turn_by_hand(Bolt.LOCKED)
    bench.restart()
    bench.turn_by_hand(Bolt.UNLOCKED)
    bench.settle()
    assert (bench.version, bench.motor.bolt) == (2, Bolt.UNLOCKED)


def test_a_program_that_does_not_come_up_gives_way() -> None:
    bench = board()
    update(bench, release(2))
    update(bench, release(3, name="bad"))
    assert (bench.version, bench.slot) == (2, Slot.A)
    assert reports(bench) == [(1, 2, Result.CONFIRMED), (2, 3, Result.FELL_BACK)]
    assert Phone().open(bench).reason is Reason.GRANTED
    visit = Installer().serve(bench)
    assert visit.reason(release(3, name="mended")) is Reason.FIRMWARE_FELL_BACK
    assert visit.reason(release(4)) is Reason.GRANTED


def test_a_program_that_cannot_do_its_work_gives_way() -> None:
    """It starts, but its writes fail, three times."""
    bench, made = board(), release(2)
    visit = Installer().serve(bench)
    visit.carry(made)
    visit.leave()
    bench.restart()
    bench.disk.fail = lambda operation, name: StorageProblem.IO if operation == "write" else None
    for _ in range(3):
        assert bench.record.phase is Phase.TRIAL
        bench.settle()
        if bench.restarts == 4:
            bench.disk.fail = lambda operation, name: None
        bench.restart()
    assert bench.slot is Slot.BUILT_IN
    assert reports(bench) == [(1, 2, Result.FELL_BACK)]


def test_a_damaged_image_is_not_started() -> None:
    bench = board()
    update(bench, release(2))
    update(bench, release(3, security=1))
    rotten = bytearray(bench.images.durable[Slot.B.file])
    rotten[77] ^= 1
    bench.images.durable[Slot.B.file] = bytes(rotten)
    bench.power_cut()
    assert (bench.version, bench.slot) == (2, Slot.A)
    assert reports(bench)[-1] == (3, 2, Result.TOOK_OVER)


def test_what_was_left_behind_for_its_holes_stays_behind() -> None:
    """Damage to the new program is no way back to the old one: then there is nothing to run."""
    bench = board()
    update(bench, release(2, security=1))
    update(bench, release(3, security=2))
    bench.images.durable[Slot.B.file] = bytes(9000)
    with pytest.raises(AssertionError, match="nothing to run"):
        bench.power_cut()


def test_an_image_damaged_before_its_first_start_is_brought_again() -> None:
    bench, made = board(), release(2)
    visit = Installer().serve(bench)
    visit.carry(made)
    visit.leave()
    bench.images.durable[Slot.A.file] = bytes(9000)
    bench.restart()
    assert reports(bench) == [(1, 2, Result.DAMAGED)]
    update(bench, made)
    assert bench.version == 2


def test_a_lost_record_leaves_what_the_lock_was_made_with() -> None:
    bench = board()
    update(bench, release(2))
    bench.images.durable["record"] = bytes(65536)
    bench.power_cut()
    assert bench.slot is Slot.BUILT_IN
    assert Phone().open(bench).reason is Reason.GRANTED


def test_rule_06_power_may_go_at_any_step_of_an_update() -> None:
    """At every write and flush of both disks; `python -m tests.lockagent.program_cuts 5000` tells more."""
    assert program_cuts.stories(0) > 50


def test_rule_12_nothing_is_polled_or_written_for_it_while_nothing_comes() -> None:
    bench = board()
    steps = bench.images.steps
    bench.advance(24 * 3600)
    assert bench.images.steps == steps


def test_a_replayed_header_of_what_runs_makes_no_room() -> None:
    """Offering over and over costs no flash."""
    bench, made = board(), release(2)
    update(bench, made)
    steps = bench.images.steps
    visit = Installer().serve(bench)
    for _ in range(5):
        visit.offer(made)
    assert bench.images.steps == steps


def _disown(bench: Board) -> None:
    """Staff bring the manifest in which the municipality no longer has its firmware key."""
    issuer = bench.place.issuer
    issuer.extra.clear()
    issuer.version += 1
    news = bench.place.bulletin(time=int(bench.wall), with_manifest=issuer.manifest_bytes())
    opened = Phone().open(bench, news=news)
    assert opened.reason is Reason.GRANTED
    opened.drop()


def test_a_key_that_is_disowned_half_way_has_signed_nothing() -> None:
    bench, made = board(), release(2)
    visit = Installer().serve(bench)
    on = visit.carry(made, most=1).next
    _disown(bench)
    while on < len(made.image):
        said = visit.ask(FirmwareChunk(on, made.image[on : on + 4096]))
        assert said is not None
        if said.reason != Reason.GRANTED:
            break
        on = said.next
    assert said == FirmwareResult(Reason.FIRMWARE_INVALID, 0)
    visit.leave()
    assert not bench.wants_restart


def test_an_image_that_waits_is_dropped_with_the_key_that_signed_it() -> None:
    bench, made = board(), release(2)
    visit = Installer().serve(bench)
    visit.carry(made)
    assert bench.record.phase is Phase.STAGED
    _disown(bench)
    visit.leave()
    assert not bench.wants_restart
    bench.power_cut()
    assert bench.version == builtin.VERSION


def test_the_same_image_signed_anew_is_taken_for_what_it_is_signed_as() -> None:
    bench, made = board(), release(2)
    visit = Installer().serve(bench)
    visit.carry(made, most=1)
    header = replace(parse(made.header), version=4, security=3)
    anew = Release(made.image, sign(header, KEY))
    assert visit.offer(anew) == FirmwareResult(Reason.GRANTED, 0)
    visit.carry(anew)
    assert visit.reason(made) is Reason.FIRMWARE_BUSY
    visit.leave()
    bench.restart()
    bench.settle()
    assert (bench.version, bench.record.floor) == (4, 3)


def test_former_staff_at_the_door_cannot_put_a_new_program_off() -> None:
    bench, former = board(), Phone("former")
    visit = Installer().serve(bench)
    visit.carry(release(2))
    told = former.attempt(bench, former.right(bench, scope=Scope.LOCK)).run()
    assert told.reason is Reason.NOT_PERMITTED
    visit.leave()
    assert told.link not in bench.ended
    assert bench.wants_restart

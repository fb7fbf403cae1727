"""docs/protocol.md says what the code does: its tables and its CDDL are held to the code."""

import re

import pytest

from lockagent import image
from lockagent.core import (
    actor,
    clock,
    context,
    greetings,
    keeping,
    offers,
    pace,
    refusals,
    relock,
    requests,
    tampering,
    uncertain,
    upkeep,
)
from lockagent.core.context import SAVE_EVERY_SECONDS
from lockagent.core.hands import VISIT_SECONDS
from lockagent.storage import apart
from protocol import (
    bulletin,
    cbor,
    commission,
    entries,
    firmware,
    freshtime,
    gatt,
    identity,
    lockrecord,
    log,
    manifest,
    receipt,
    retire,
    seal,
    token,
)
from protocol.entries import EntryType
from protocol.framing import Kind
from protocol.messages import OutcomeCode
from protocol.phone import PhoneState
from protocol.reasons import Reason
from tests.protocol import page
from tests.protocol.vectors import files, world

LIMITS: dict[str, float] = {
    "m0 life": gatt.M0_LIFE_SECONDS,
    "m0 stream grace": gatt.M0_STREAM_GRACE_SECONDS,
    "m0 again": gatt.M0_LEAST_SECONDS,
    "m0, change of advert": greetings.CHANGE_SECONDS,
    "m0 per link": gatt.MAX_M0_PER_LINK,
    "stranger": gatt.STRANGER_SECONDS,
    "links": gatt.MIN_LINKS,
    "fresh time": gatt.FRESH_TIME_SECONDS,
    "judged again": gatt.REJUDGE_SECONDS,
    "session silence": gatt.SESSION_SECONDS,
    "service session": gatt.SERVICE_SECONDS,
    "setup": gatt.SETUP_SECONDS,
    "retire order": retire.MAX_SIZE,
    "motor": actor.MOTOR_LIMIT_SECONDS,
    "log per session, bytes": gatt.LOG_SESSION_BYTES,
    "log per session, time": gatt.LOG_SESSION_SECONDS,
    "log offered": offers.OFFERS_ENOUGH,
    "log offer memory": offers.OFFER_MEMORY_SECONDS,
    "advert rotation": gatt.ADVERT_ROTATION_SECONDS,
    "advert lasts": upkeep.ADVERT_LASTS_SECONDS,
    "advert spread": upkeep.ROTATION_SPREAD_SECONDS,
    "awake": pace.FAST_SECONDS,
    "awake, most": pace.RATION_SECONDS,
    "window tolerance": clock.EDGE_SECONDS,
    "token lifetime": token.MAX_LIFETIME,
    "stale bulletin": bulletin.STALE_AFTER,
    "clock, token": clock.MAX_LEARN_SECONDS,
    "clock, back": clock.MAX_STEP_BACK_SECONDS,
    "clock, notable": clock.NOTABLE_SECONDS,
    "clock, saved": SAVE_EVERY_SECONDS,
    "clock, unbelievable": clock.MAX_OFF_SECONDS,
    "uncertain openings": uncertain.MAX_OPENINGS,
    "known requests": requests.REMEMBERED,
    "same refusal listed": refusals.SAME_LISTED,
    "refusals listed": refusals.LISTED_PER_HOUR,
    "unvouched refusals listed": refusals.UNVOUCHED_PER_HOUR,
    "tampering listed": tampering.LISTED_PER_HOUR,
    "visit": VISIT_SECONDS,
    "relock, open door": relock.DOOR_WAIT_SECONDS,
    "relock, shut door": relock.DOOR_SETTLE_SECONDS,
    "early battery": upkeep.EARLY_BATTERY_PERCENT,
    "low battery": upkeep.LOW_BATTERY_PERCENT,
    "battery reserve": context.RESERVE_PERCENT,
    "recharged": upkeep.RECHARGED_PERCENT,
    "MTU, least": gatt.MIN_MTU,
    "MTU, most": gatt.MAX_MTU,
    "frame, most": gatt.MAX_ATTRIBUTE,
    "m1": gatt.MAX_HANDSHAKE_MESSAGE,
    "session message": gatt.MAX_SESSION_MESSAGE,
    "token": token.MAX_SIZE,
    "manifest": manifest.MAX_SIZE,
    "manifest roots": manifest.MAX_ROOTS,
    "manifest role keys": manifest.MAX_ROLE_KEYS,
    "lock identity": identity.MAX_SIZE,
    "lock record": lockrecord.MAX_SIZE,
    "bulletin": bulletin.MAX_SIZE,
    "bulletin revoked": bulletin.MAX_REVOKED,
    "bulletin grps": bulletin.MAX_GRPS,
    "fresh time, bytes": freshtime.MAX_SIZE,
    "receipt": receipt.MAX_SIZE,
    "log entry": entries.MAX_SIZE,
    "log batch": log.MAX_BATCH,
    "log batch entries": log.MAX_ENTRIES,
    "kept entries": log.MAX_KEPT,
    "sealed batch": seal.MAX_LOG,
    "commission": commission.MAX_SIZE,
    "firmware header": firmware.MAX_HEADER,
    "firmware image": firmware.MAX_IMAGE,
    "firmware chunk": firmware.MAX_CHUNK,
    "firmware tries": image.TRIES,
    "firmware trial": image.TRIAL_SECONDS,
    "firmware settles": image.SETTLE_SECONDS,
    "CBOR nesting": cbor.MAX_DEPTH,
}


def test_reasons() -> None:
    rows = page.table("## 22. Reasons", "code")
    assert {int(row[0]): row[1].strip("`") for row in rows} == {one.value: one.slug for one in Reason}


def test_reasons_are_stable() -> None:
    """Codes are on the wire and in logs for years: this list only ever grows."""
    assert [one.value for one in Reason] == [
        *range(16),
        *range(32, 36),
        *range(48, 51),
        *range(64, 72),
        *range(80, 89),
    ]


def test_timers_and_limits() -> None:
    rows = page.table("## 23. Timers and limits", "name")
    assert {row[0]: float(row[1]) for row in rows} == LIMITS


def test_uuids() -> None:
    rows = page.table("## 8. GATT", "what")
    assert [row[1].strip("`") for row in rows] == [
        gatt.SERVICE_UUID,
        gatt.SUITE1_RX_UUID,
        gatt.SUITE1_TX_UUID,
        gatt.SUITE2_RX_UUID,
        gatt.SUITE2_TX_UUID,
    ]


def test_kinds_of_frames() -> None:
    rows = page.table("## 9. Frames", "kind")
    assert [int(row[0]) for row in rows] == [one.value for one in Kind]


def test_outcomes() -> None:
    rows = page.table("## 12. Session messages", "outcome")
    assert {row[0].replace(" ", "_"): int(row[1]) for row in rows} == {
        one.name.lower(): one.value for one in OutcomeCode
    }


def test_entry_types() -> None:
    rows = page.table("### 18.1 Entries and chain", "type")
    named = {int(row[0]): row[1].removesuffix(" taken").replace(" ", "_") for row in rows}
    assert named == {one.value: one.name.lower() for one in EntryType}


def test_entries_that_are_kept_apart() -> None:
    rows = page.table("### 18.4 Custody", "type")
    names = {row[0]: row[1] for row in page.table("### 18.1 Entries and chain", "type")}
    names |= {"16": "firmware", "17": "unbound"}
    assert {row[0]: int(row[1]) for row in rows} == {
        names[str(kind)]: places for kind, places in keeping.QUOTAS.items()
    }
    assert max(keeping.PLACES, apart.PLACES) <= log.MAX_KEPT


def test_states_of_the_phone() -> None:
    rows = page.table("### 20.3 Phone, one attempt", "state")
    named = {row[0] for row in rows} | {row[3] for row in rows}
    assert {name for name in named if name and " " not in name} - {"any", "same"} == {
        one.value for one in PhoneState
    }


def test_every_reason_in_the_text_is_one() -> None:
    prose = re.findall(r"`([a-z]+_[a-z_]+|[a-z]+)`", page.text())
    slugs = {one.slug for one in Reason}
    suspects = {
        word
        for word in prose
        if word.startswith(("bulletin_", "time_", "commission_", "token_", "firmware_"))
    }
    assert suspects <= slugs


def test_order_of_checks_names_every_refusal_of_a_request_once() -> None:
    rows = page.table("## 13. The order of checks", "no")
    named = [row[2].strip("`") for row in rows if row[2].startswith("`")]
    expected = [one.slug for one in Reason if 1 < one <= Reason.BATTERY_EMPTY]
    # need_update and time_uncertain are judged after expired, which their codes follow; the battery is looked
    # at before the disk
    assert named[3:] == [*expected[:-2], expected[-1], expected[-2]]
    assert named[:3] == ["handshake_failed"] * 3


def test_cddl_has_no_fault() -> None:
    assert page.faults() == []


def test_sizes() -> None:
    rows = {row[0]: int(row[1]) for row in page.table("## 25. Sizes", "message")}
    shake = files.load("handshake")
    assert rows["token"] == len(world.TOKEN)
    assert rows["m0"] == len(shake["m0"]) // 2
    assert rows["m1"] == len(shake["m1"]) // 2
    assert rows["m2"] == len(shake["session"][0]["message"]) // 2
    assert rows["opening to its decision"] == shake["bytes_to_decision"] <= 340
    second = files.load("handshake-suite2")
    assert rows["m1, suite 2"] == len(second["m1"]) // 2
    assert rows["opening to its decision, suite 2"] == second["bytes_to_decision"]


@pytest.mark.parametrize("word", ["TODO", "TBD", "FIXME"])
def test_nothing_is_left_open(word: str) -> None:
    assert word not in page.text()

"""Nothing on the page goes untried: every reason, and every field that a lock or a phone reads, has its case.

A new reason, rule or field on the page fails here until a case of the kit (or, for what no kit can bring
about over the air, a test or a vector) is named for it.
"""

import json
import re
from pathlib import Path

import pytest

from protocol.reasons import Reason
from simulation.conformance import kit
from simulation.conformance.phone import kit as phones
from tests.protocol import page

ROOT = Path(__file__).parents[2]
CASES = [one.name for one in kit.cases()]
PHONE_CASES = [one.name for one in phones.cases()]
TESTS = "\n".join(path.read_text() for path in ROOT.glob("tests/lockagent/*.py"))


def vectors(name: str) -> list[str]:
    content = json.loads((ROOT / "docs" / "vectors" / f"{name}.json").read_text())
    lists = [value for value in content.values() if isinstance(value, list)]
    return [one["name"] for value in lists for one in value if isinstance(one, dict) and "name" in one]


# -- reasons ---------------------------------------------------------------------------------------------

NOT_OVER_THE_AIR = {
    Reason.LOCK_FAULT,
    Reason.BATTERY_EMPTY,
    Reason.TIME_UNCERTAIN,
    Reason.COMMISSION_BUSY,
    Reason.FIRMWARE_FELL_BACK,
    Reason.FIRMWARE_CURRENT,
    Reason.FIRMWARE_UNSUPPORTED,
}
"""No kit can take a lock's disk, its battery or its real-time clock away from outside, nor make it run
another program, nor keep it busy; its tests can."""


@pytest.mark.parametrize("reason", [one for one in Reason if one is not Reason.GRANTED])
def test_every_reason_has_a_case_or_a_test(reason: Reason) -> None:
    tried = any(re.search(rf"\b{reason.slug}\b", name) for name in CASES)
    assert tried != (reason in NOT_OVER_THE_AIR)
    assert tried or f"Reason.{reason.name}" in TESTS


def test_every_refusal_a_phone_may_hear_is_told_to_its_person() -> None:
    for reason in Reason:
        if Reason.MALFORMED <= reason < Reason.BULLETIN_OLD:
            assert f"refused with {int(reason)} ({reason.slug}): told so" in PHONE_CASES


# -- fields ----------------------------------------------------------------------------------------------

LOCK_READS = {
    "signed": {
        "protected": "token with an algorithm that is not EdDSA",
        "unprotected": "token with an unprotected header that is null",
        "payload": "token with an empty payload",
        "signature": "token with a signature of 63 bytes",
    },
    "manifest": {
        "protected": "a manifest inside that is noise",
        "unprotected": "a manifest inside that is noise",
        "payload": "a manifest of version 0",
        "signatures": "a manifest inside signed by one root",
    },
    "manifest-signature": {
        "protected": "a manifest signed under key ids of 7 bytes",
        "unprotected": "a manifest inside that is noise",
        "signature": "a manifest inside, a bit of it changed",
    },
    "manifest-body": {
        "1": "a manifest of version 0",
        "2": "a manifest of a municipality of 7 bytes",
        "3": "a manifest with a negative time",
        "4": "a manifest with a root of 31 bytes",
        "5": "a manifest with a threshold of 0",
        "6": "a manifest with no role keys",
    },
    "role-key": {
        "role": "a manifest with a role 6",
        "kid": "a manifest with a role key's id of 3 bytes",
        "public": "a manifest with a role key of 31 bytes",
    },
    "commission": {
        "version": "a package of version 2",
        "roots": "a package with other roots than its manifest's",
        "threshold": "a package with a lower threshold",
        "manifest": "a package with a manifest that is noise",
        "bulletin": "a package with a bulletin that is noise",
    },
    "request": {
        "command": "request with command 0",
        "request-id": "request with a request id of 7 bytes",
        "token": "request with an empty token",
    },
    "token-claims": {
        "3": "token with aud of 7 bytes",
        "4": "token with exp beyond 32 bits",
        "5": "token with nbf negative",
        "6": "token with iat as text",
        "7": "token with cti of 9 bytes",
        "9": "token with scope 0",
        "-65537": "token with grp 65536",
    },
    "bulletin-offer": {"bulletin": "a bulletin that is null: the lock hangs up"},
    "fresh-time-offer": {"statement": "a statement of time beyond its size: the lock hangs up"},
    "carry": {"max-bytes": "a carry beyond 32 bits"},
    "bulletin-body": {
        "1": "a bulletin for another binding",
        "2": "a bulletin for another lock",
        "3": "a bulletin with number 0",
        "4": "a bulletin with a time beyond 32 bits",
        "5": "a bulletin with a revocation of 7 bytes",
        "6": "a bulletin with a grp of 65536",
        "7": "a bulletin with a not-before as text",
        "8": "a bulletin without settings",
        "9": "a bulletin with a manifest inside that is noise",
        "10": "a bulletin with a receipt that is null",
        "11": "a bulletin with empty secrets",
    },
    "settings": {
        "1": "a bulletin with a door of kind 6",
        "2": "a bulletin with a relock time of 3601",
        "3": "a bulletin with a strike held for 60001 ms",
        "4": "a bulletin with a consent of 2",
        "5": "a bulletin with a correction of 1001 ppm",
        "6": "a bulletin with a last energy of 2",
    },
    "fresh-time-body": {
        "binding": "a statement of time with a binding of 7 bytes",
        "m0-hash": "a statement of time with an m0 hash of 31 bytes",
        "time": "a statement of time beyond its size",
    },
    "receipt-body": {
        "lock": "a receipt for another lock",
        "epoch": "a receipt of another epoch",
        "seq": "a receipt for an entry to come",
        "hash": "a receipt with a hash of 31 bytes",
        "time": "a receipt with a negative time",
    },
}
PHONE_READS = {
    "decision": {
        "reason": "a decision with reason 256",
        "epoch": "a decision with an epoch beyond 32 bits",
        "seq": "a decision with a log number as text",
        "bulletin": "a decision with a negative bulletin number",
        "flags": "a decision with flag 4",
    },
    "outcome": {
        "code": "granted, then an outcome that nobody knows",
        "seq": "granted, then an outcome with a number beyond 32 bits",
        "battery": "granted, then an outcome with 101 percent of battery",
    },
    "log-batch": {"sealed": "the bolt has moved, then an empty log"},
    "bulletin-result": {
        "reason": "granted, then a bulletin-result with a reason of null",
        "bulletin": "granted, then a bulletin-result without a number",
    },
    "time-result": {"reason": "granted, then a time-result with a reason of 256"},
    "done": {"remaining": "the bolt has moved, then done with less than nothing left"},
}
IN_VECTORS = {
    # an installer's messages: refused in the vectors, which the lock's tests and the independent reader run
    "setup-request": ("setup", {"version": "of version 2", "request-id": "request id of 7 bytes"}),
    "retire-body": (
        "retire",
        {"lock": "for another lock", "binding": "for another binding", "time": "of four parts"},
    ),
    "commission-offer": ("session", {"package": "package too large"}),
    "retire-offer": ("session", {"order": "retire order too large"}),
    "identity-request": ("session", {}),
    "commission-result": (
        "session",
        {
            "reason": "commission result with a boolean",
            "binding": "commission result for a binding of 7 bytes",
        },
    ),
    "identity": ("session", {"identity": "identity of nothing", "binding": "identity with two bindings"}),
    "firmware-offer": ("session", {"header": "firmware header too large"}),
    "firmware-chunk": (
        "session",
        {"offset": "firmware chunk beyond any image", "data": "firmware chunk of nothing"},
    ),
    "firmware-result": (
        "session",
        {"reason": "firmware result without its place", "next": "firmware result beyond any image"},
    ),
    "firmware-header-body": (
        "firmware",
        {
            "1": "empty model",
            "2": "version 0",
            "3": "security version below zero",
            "4": "no image",
            "5": "digest of 31 bytes",
            "6": "signed at no time",
        },
    ),
    "firmware-file": (
        "firmware",
        {
            "name": "another name",
            "version": "another version of the form",
            "header": "cut short",
            "image": "the header describes another image",
        },
    ),
}
NEITHER_READS = (
    # the server's and the judge's: refused in vectors and by tests/protocol/test_proof.py, and fuzzed
    "ceremony",
    "ceremony-signature",
    "lock-identity-body",
    "lock-record-body",
    "log-entry",
    "entry",
    "offered",
    "log-batch-body",
    "gap",
    "kept-entry",
    "sealed-log",
    "statement-",
    "batch-head",
    "adv-keys",
)


def fields() -> dict[str, list[str]]:
    """Each rule of the page's CDDL that is an array or a map, with the names of its fields."""
    found: dict[str, list[str]] = {}
    rule = ""
    for line in page.cddl().splitlines():
        begun = re.match(r"^([a-z][\w-]*)(?:<.*?>)?\s*=\s*([\[{].*)$", line)
        other = re.match(r"^[a-z][\w-]*(?:<.*?>)?\s*/?=", line)
        if begun:
            rule = begun.group(1)
            found[rule] = _named(begun.group(2))
        elif other:
            rule = ""
        elif rule:
            found[rule] += _named(line)
    return found


def _named(text: str) -> list[str]:
    plain = text.split(";", maxsplit=1)[0]
    return re.findall(r"([a-z][\w-]*):(?!:)", plain) or re.findall(r"^\s*\??\s*(-?\d+) =>", plain)


def test_the_page_is_read_right() -> None:
    found = fields()
    assert found["bulletin-body"] == [str(number) for number in range(1, 12)]
    assert found["decision"] == ["reason", "epoch", "seq", "bulletin", "flags"]
    assert found["signed"] == ["protected", "unprotected", "payload", "signature"]


def test_every_rule_of_the_page_is_somebodys() -> None:
    sorted_out = {*LOCK_READS, *PHONE_READS, *IN_VECTORS}
    left = [rule for rule in fields() if rule not in sorted_out and not rule.endswith("-detail")]
    assert [rule for rule in left if not rule.startswith(NEITHER_READS)] == []


@pytest.mark.parametrize("rule", LOCK_READS)
def test_every_field_a_lock_reads_is_sent_wrongly(rule: str) -> None:
    assert set(LOCK_READS[rule]) == set(fields()[rule])
    for name in LOCK_READS[rule].values():
        assert any(name in one for one in CASES), name


@pytest.mark.parametrize("rule", PHONE_READS)
def test_every_field_a_phone_reads_is_sent_wrongly(rule: str) -> None:
    assert set(PHONE_READS[rule]) == set(fields()[rule])
    for name in PHONE_READS[rule].values():
        assert any(name in one for one in PHONE_CASES), name


@pytest.mark.parametrize("rule", IN_VECTORS)
def test_every_field_of_an_installers_messages_is_refused_in_the_vectors(rule: str) -> None:
    name, negative = IN_VECTORS[rule]
    assert set(negative) == set(fields()[rule])
    assert set(negative.values()) <= set(vectors(name))

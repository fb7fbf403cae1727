"""What fuzzing kept is tried again: nothing trips, nothing is accepted wrongly, nothing takes much memory."""

from __future__ import annotations

import ast
import random
import tracemalloc
import zlib
from pathlib import Path

import pytest

from fuzz import corpus, mutations
from fuzz.lockstory import LOCK_STORY
from fuzz.luck import Luck
from fuzz.signing import TOKEN_KEYS
from fuzz.target import FindingError, Tally, Target
from fuzz.targets import TARGETS
from lockagent.core import judge
from protocol import cbor, cose
from protocol.errors import ProtocolError
from protocol.reasons import Reason
from tests.protocol.vectors import world

ROOT = Path(__file__).parents[2]
EVERY = [pytest.param(target, id=name) for name, target in TARGETS.items()]
PARSERS = [pytest.param(one, id=name) for name, one in TARGETS.items() if one is not LOCK_STORY]
MEMORY = 1 << 20
"""Bytes that answering one input of a parser may take at once, whatever it says of its lengths."""
VERBS = {"parse", "verify", "decode", "read", "open", "accept", "judge", "feed", "receive", "roots", "unpack"}
ELSEWHERE = {
    # reached by whole sessions, a lock's; setup has its tests
    "handshake.LockHandshake.read_m1",
    "setup.SetupSession.receive",
    # signatures and sealed bytes have no form of their own
    "keys.VerifyKey.verify",
    "seal.SealedLog.open",
    # the first half of manifest.verify
    "manifest.roots_in",
}


def inputs(target: Target) -> list[bytes]:
    return [*target.seeds(), *corpus.kept(target.name)]


@pytest.mark.parametrize("target", PARSERS)
def test_what_was_kept_is_answered_as_the_page_says(target: Target) -> None:
    tally = Tally()
    for one in inputs(target):
        target.run(one, tally)
    assert tally.inputs > 0


@pytest.mark.parametrize("target", PARSERS)
def test_mutants_of_it_too_and_none_takes_much_memory(target: Target) -> None:
    luck, known = random.Random(7), inputs(target)  # noqa: S311 - the same ones every time
    mutants = [target.change(luck.choice(known), Luck(luck.randbytes(200))) for _ in range(20)]
    for one in mutants:
        target.run(one[: target.max_size], Tally())
    tracemalloc.start()
    for one in mutants:
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        target.run(one[: target.max_size], Tally())
        assert tracemalloc.get_traced_memory()[1] - before < MEMORY, one.hex()
    tracemalloc.stop()


@pytest.mark.parametrize("part", range(4))
def test_rule_01_whole_sessions_are_told_again(part: int) -> None:
    tally = Tally()
    for one in inputs(LOCK_STORY):
        if zlib.crc32(one) % 4 == part:
            LOCK_STORY.run(one, tally)
    assert tally.past > tally.inputs / 2


def test_rule_01_a_lock_that_forgets_to_look_at_the_signature_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The witness sees what it is there for."""

    def believing(hearing: judge.Hearing) -> Reason | None:
        if hearing.unverified is not None:
            hearing.claims = hearing.unverified.claims
        return None

    checks = tuple(believing if check is judge.signature else check for check in judge.CHECKS)
    monkeypatch.setattr(judge, "CHECKS", checks)
    with pytest.raises(FindingError, match="granted, and the page says"):
        _stories()


def test_rule_01_a_lock_that_forgets_revocations_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    checks = tuple(check for check in judge.CHECKS if check is not judge.revocation)
    monkeypatch.setattr(judge, "CHECKS", checks)
    with pytest.raises(FindingError, match="revoked"):
        _stories()


def _stories() -> None:
    luck = random.Random(3)  # noqa: S311 - the same ones every time
    for _ in range(200):
        LOCK_STORY.run(luck.randbytes(3000), Tally())


def test_every_parser_of_the_protocol_has_a_target() -> None:
    reached = {name for target in TARGETS.values() for name in target.reads}
    missing = set(_parsers()) - reached - ELSEWHERE
    assert missing == set()


def test_what_is_left_out_exists() -> None:
    assert set(_parsers()) >= ELSEWHERE


def _parsers() -> list[str]:
    """Every public function of protocol/ that takes bytes first and is called like a reader."""
    found = []
    for path in sorted((ROOT / "protocol").glob("*.py")):
        for node in ast.parse(path.read_text()).body:
            inside = node.body if isinstance(node, ast.ClassDef) else [node]
            owner = f"{node.name}." if isinstance(node, ast.ClassDef) else ""
            functions = [one for one in inside if isinstance(one, ast.FunctionDef)]
            found += [f"{path.stem}.{owner}{one.name}" for one in functions if _reads_bytes(one)]
    return found


def _reads_bytes(function: ast.FunctionDef) -> bool:
    arguments = [one for one in function.args.args if one.arg not in ("self", "cls")]
    first = arguments[0].annotation if arguments else None
    called = function.name.rstrip("0123456789").split("_")[0]
    return called in VERBS and isinstance(first, ast.Name) and first.id in ("bytes", "str")


def test_mutations_are_signed_by_whoever_may() -> None:
    """What structure-aware fuzzing is for lies behind a signature that holds."""
    luck = random.Random(1)  # noqa: S311 - the same ones every time
    made = [TARGETS["token"].change(world.TOKEN, Luck(luck.randbytes(200))) for _ in range(200)]
    held = {one for one in made if _signed(one)} - {world.TOKEN}
    assert len(held) > 25


def _signed(data: bytes) -> bool:
    try:
        message = cose.parse1(data, max_size=4096)
        key = TOKEN_KEYS.get(message.kid, world.TOKEN_KEY)
        message.verify(key.verify_key, cose.context("token", world.PHONE_KEY.encoded))
    except ProtocolError:
        return False
    return True


def test_loose_forms_say_the_same_and_are_refused() -> None:
    luck = random.Random(2)  # noqa: S311 - the same ones every time
    value = {1: [b"x", "y", -300], 9: {2: None, 3: True}}
    strict = cbor.encode(value)
    for _ in range(200):
        loose = mutations.loosely(value, Luck(luck.randbytes(40)))
        if loose != strict:
            with pytest.raises(ProtocolError):
                cbor.decode(loose, max_size=4096)

"""Rule 8 for couriers: what a phone holds and carries names nobody but itself.

Everything that one phone gets to see is taken apart, field by field: its token, lock record and bulletin,
each message of its session, and the sealed log it carries away. Every field has a meaning on the list below,
and a field that is not on the list fails. Two other phones have been at the door before; nothing of theirs is
anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from lockagent.bolt import Bolt
from protocol import bulletin, cbor, lockrecord, log, messages, seal
from protocol.bulletin import revoked_hash
from protocol.errors import ProtocolError
from protocol.lockrecord import LockRecord
from protocol.messages import LogBatch
from tests.lockagent.bench import SECRETS, Attempt, Bench, Phone, commissioned
from tests.lockagent.world import Right

DOOR, LOCK, TIME, NUMBER, KEY, OWN = "door", "lock", "time", "number", "issuer's key", "its own"
SIGNATURE, FORM, SEALED, DIGEST, PROVIDER = "signature", "form", "sealed", "digest", "provider's number here"

SIGNED = {"[0]{1}": FORM, "[0]{4}": KEY, "[3]": SIGNATURE}
"""Algorithm and key id, and the signature."""
MEANING: dict[str, dict[str, str]] = {
    "token": SIGNED
    | {f"[2]{{{label}}}": TIME for label in (4, 5, 6)}
    | {"[2]{3}": DOOR, "[2]{7}": OWN, "[2]{9}": NUMBER, "[2]{-65537}": PROVIDER},
    "lock record": SIGNED
    | {f"[2]{{{label}}}": LOCK for label in (1, 3, 4, 6)}
    | {"[2]{2}": DOOR, "[2]{5}[]": DOOR, "[2]{7}": DOOR, "[2]{8}": TIME},
    "bulletin": SIGNED
    | {f"[2]{{8}}{{{label}}}": DOOR for label in range(1, 7)}
    | {"[2]{1}": DOOR, "[2]{2}": LOCK, "[2]{3}": NUMBER, "[2]{4}": TIME, "[2]{7}": TIME}
    | {"[2]{5}[]": DIGEST, "[2]{6}{1}": TIME, "[2]{6}{2}": TIME}
    | {f"[2]{{10}}{path}": what for path, what in SIGNED.items()}
    | {"[2]{10}[2][]": LOCK},
    "decision": {"[]": NUMBER},
    "outcome": {"[]": NUMBER},
    "bulletin-result": {"[]": NUMBER},
    "done": {"[]": NUMBER},
    "log-batch": {"[0]": NUMBER, "[1][0]": FORM, "[1][1]": KEY, "[1][2]": SEALED},
}
"""Message -> path -> what stands there. `{n}` a label, `[n]` a place, `[]` any place."""
NAMES = {2: "decision", 3: "outcome", 4: "log-batch", 5: "bulletin-result", 7: "done"}


@dataclass
class Seen:
    """What one phone got to see, and how it got it."""

    phone: Phone
    held: Right
    attempt: Attempt
    files: dict[str, bytes]

    def all_bytes(self) -> list[bytes]:
        said = [messages.encode(one) for one in self.attempt.said]  # type: ignore[arg-type]
        return [*self.files.values(), *said]


def a_day_at_the_door() -> tuple[Bench, list[Seen]]:
    """Bo and Clara come before Anna; Clara's token is revoked, and Bo's provider has ended an earlier one."""
    bench = commissioned()
    seen = [visit(bench, Phone("bo"), None), visit(bench, Phone("clara"), None)]
    bench.advance(60)
    batch = bench.place.opened(seen[0].attempt.batches[0])
    news = bench.place.bulletin(
        time=int(bench.wall),
        revoked=(seen[1].held.claims.token_id,),
        grp_not_before={1: int(bench.wall) - 99_999, 2: int(bench.wall)},
        with_receipt=bench.place.receipt(batch),
    )
    return bench, [*seen, visit(bench, Phone("anna"), news)]


def visit(bench: Bench, phone: Phone, news: bytes | None) -> Seen:
    held = phone.right(bench, token_id=phone.private[:8])
    attempt = phone.attempt(bench, held, news=news).run(2.0)
    assert attempt.ended
    bench.link_down(attempt.link)
    bench.turn_by_hand(Bolt.LOCKED)
    files = {"token": held.encoded, "lock record": record(bench)}
    return Seen(phone, held, attempt, files | ({"bulletin": news} if news else {}))


def record(bench: Bench) -> bytes:
    place, identity = bench.place, SECRETS.identity
    body = LockRecord(
        protocol_version=1,
        binding=place.binding,
        lock_id=identity.lock_id,
        static_public=identity.static_public,
        adv_keys=(place.adv_key,),
        suites=identity.suites,
        door_kind=place.settings.door_kind,
        issued_at=int(bench.wall),
    )
    return lockrecord.sign(body, place.issuer.bulletin_key)


def leaves(item: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Every field at the bottom, through what is encoded inside byte strings."""
    inside = _opened(item)
    match inside:
        case dict():
            for label, value in inside.items():
                yield from leaves(value, f"{path}{{{label}}}")
        case list() | tuple():
            for place, value in enumerate(inside):
                yield from leaves(value, f"{path}[{place}]")
        case _:
            yield path, item


def _opened(item: object) -> object:
    if not isinstance(item, bytes):
        return item
    try:
        inside = cbor.decode(item, max_size=16_384)
    except ProtocolError:
        return item
    return inside if isinstance(inside, dict | list | tuple) else item


def meaning(kind: str, path: str) -> str | None:
    known = MEANING[kind]
    anywhere = path[: path.rindex("[")] + "[]" if path.endswith("]") else path
    return known.get(path) or known.get(anywhere)


def test_rule_08_every_field_that_a_courier_sees_has_a_meaning_and_the_identities_are_its_own() -> None:
    _, seen = a_day_at_the_door()
    anna = seen[-1]
    parts = list(anna.files.items())
    parts += [
        (NAMES[cbor.decode(data, max_size=16_384)[0]], data)  # type: ignore[index]
        for data in (messages.encode(one) for one in anna.attempt.said)  # type: ignore[arg-type]
    ]
    assert {kind for kind, _ in parts} == set(MEANING)
    for kind, data in parts:
        for path, value in leaves(data):
            what = meaning(kind, path)
            assert what is not None, f"{kind} {path} is on no list"
            if what is OWN:
                assert value == anna.held.claims.token_id


def test_rule_08_nothing_of_the_phones_before_it_is_in_what_a_courier_holds() -> None:
    _, (bo, clara, anna) = a_day_at_the_door()
    haystack = b"\x00".join(anna.all_bytes())
    for other in (bo, clara):
        request = other.attempt.session.request
        for secret in (
            other.phone.fingerprint,
            other.phone.key.holder.public,
            other.held.claims.token_id,
            request.request_id,
            other.held.encoded[-64:],
        ):
            assert secret not in haystack


def test_rule_08_a_revocation_is_known_only_to_who_holds_the_token_it_is_about() -> None:
    """A digest over binding and token id: the same token's holder can tell, at this door, and nobody else."""
    bench, (_, clara, anna) = a_day_at_the_door()
    [digest] = bulletin.parse(anna.files["bulletin"]).body.revoked
    assert digest == revoked_hash(bench.place.binding, clara.held.claims.token_id)
    assert digest != revoked_hash(b"binding2", clara.held.claims.token_id)


def test_rule_08_two_couriers_of_the_same_entries_carry_nothing_alike_and_read_nothing() -> None:
    bench, seen = a_day_at_the_door()
    sealed = [one.sealed for who in seen for one in who.attempt.said if isinstance(one, LogBatch)]
    bodies = [seal.parse_log(one).ciphertext for one in sealed]
    assert len(bodies) == 3
    grams = [{body[at : at + 6] for at in range(len(body) - 5)} for body in bodies]
    assert not grams[0] & grams[1]
    assert not grams[0] & grams[2]
    for who in seen:
        for private in (who.phone.private, SECRETS.static_private, SECRETS.seal_private):
            with pytest.raises(ProtocolError):
                seal.parse_log(sealed[0]).open(private)
    inside = log.parse(seal.parse_log(sealed[-1]).open(bench.place.issuer.sealing_private))
    assert inside.verify(SECRETS.identity.log_key).entries

"""The keys of a municipality change, and nobody at a door notices; or a key has leaked, and thieves do.

Real server, real lock cores, the engine's own merging; see `tests.integration.keysworld`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django_scopes import scope

from protocol import bulletin, token
from protocol.keys import HolderKey, KeyType, SigningKey, x25519_public
from protocol.manifest import RootSet
from protocol.messages import OutcomeCode
from protocol.reasons import Reason
from protocol.token import Scope, TokenClaims
from server.access.models import Token
from server.audit.models import AuditEntry
from server.keys.domain.following import follow
from server.keys.domain.proposing import propose
from server.keys.domain.publishing import publish
from server.keys.queries import (
    locks_behind,
    phones_behind,
    roots_still_trusted,
    sealing_waits_for,
    unissued_openings,
)
from server.locks.models import Bulletin
from server.problems import Problem
from server.tenancy.domain import keyring
from server.tenancy.keepers import database
from server.tenancy.models import RoleKey
from tests.integration.keysworld import (
    FIRST_ROOTS,
    Handset,
    Street,
    StreetDoor,
    founded,
    roots,
    seconds,
    sign,
    sign_and_publish,
    street,
)
from tests.lockagent.world import secret
from tests.server.world import LONG_AGO

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture
def there(db: None) -> Iterator[Street]:
    keyring.forget()
    with scope(municipality=founded()):
        yield street()


def stolen(role: str) -> SigningKey:
    """What somebody has who copied the key: it signs for ever, whatever the server does with its own."""
    key = RoleKey.unscoped.get(role=role, superseded_at=None)
    return SigningKey.from_seed(bytes(key.kid), database.private_half(key))


class Thief:
    """Somebody with a phone of their own and the server's token key, who finds the door by looking."""

    def __init__(self, key: SigningKey, there: Street) -> None:
        self.key, self.there = key, there
        self.private = secret("the thief's phone")

    def attempt(self, door: StreetDoor, knows: Handset) -> Reason | None:
        """Walk up with a token minted now; the adv_key is copied from a phone of the staff."""
        now = seconds(self.there.clock.at)
        holder = HolderKey(KeyType.X25519, x25519_public(self.private))
        claims = TokenClaims(
            bytes(door.binding.binding_id), now, now + 3600, now, secret(f"t{now}")[:8], 1, Scope.OPEN
        )
        gadget = Handset(knows.bearer, knows.clock, self.private, knows.content, carries_news=False)
        lock = gadget.content.locks[claims.binding]
        forged = type(gadget.right_to(lock))(
            claims.token_id,
            claims.binding,
            token.issue(claims, self.key, holder),
            claims.not_before,
            claims.expires,
            int(claims.scope),
        )
        return gadget.open(door, right=forged).reason


def test_rule_04_a_leaked_token_key_is_dead_at_each_lock_at_the_first_contact(there: Street) -> None:
    there.anna.sync()
    there.bo.sync()
    thief = Thief(stolen("token"), there)
    assert thief.attempt(there.gate, there.anna) is Reason.GRANTED, "that is what a leak means"
    before = {bytes(row.token_id) for row in Token.objects.all()}

    leaked = bytes(RoleKey.objects.get(role="token").kid)
    draft = propose(municipality=there.municipality, leaked=[leaked], at=there.clock.at)
    sign_and_publish(draft, FIRST_ROOTS[:2], there.clock.at)
    live = Token.objects.filter(revoked_at=None, replaced_at=None)
    assert {bytes(row.token_id) for row in live}.isdisjoint(before)
    assert live.count() == len(before), "everybody's rights are issued anew by themselves"
    news = bulletin.parse(bytes(Bulletin.objects.latest("pk").document)).body
    assert news.not_before == seconds(there.clock.at) + 1

    there.clock.go_on(timedelta(minutes=1))
    assert thief.attempt(there.apartment, there.anna) is Reason.GRANTED, "this lock has not heard yet"
    old_right = there.bo.open(there.apartment)
    assert old_right.code is OutcomeCode.ALREADY, "nor does it refuse rightful staff"

    there.anna.sync()
    cured = there.anna.open(there.gate)
    assert cured.code in (OutcomeCode.MOVED, OutcomeCode.ALREADY), "in the same session, with the same tap"
    assert [one.reason for one in cured.said if hasattr(one, "epoch") and hasattr(one, "reason")] == [
        Reason.KEY_UNKNOWN,
        Reason.GRANTED,
    ]
    assert thief.attempt(there.gate, there.anna) is Reason.KEY_UNKNOWN
    assert there.bo.open(there.gate).reason is Reason.KEY_UNKNOWN, "his token is of the leaked key"
    there.bo.sync()
    assert there.bo.open(there.gate).code is OutcomeCode.MOVED
    assert there.bo.open(there.apartment).reason is Reason.GRANTED
    assert thief.attempt(there.apartment, there.anna) is Reason.KEY_UNKNOWN
    assert AuditEntry.objects.filter(action="keys.published").count() == 1

    for phone in (there.anna, there.bo):
        phone.open(there.gate)
        phone.open(there.apartment)
        phone.hand_in()
    forged = unissued_openings(there.municipality.pk, since=LONG_AGO)
    holder = HolderKey(KeyType.X25519, x25519_public(thief.private))
    assert {one.detail["phone"] for one in forged} == {holder.fingerprint.hex()}
    assert len(forged) == 2, "and which openings were not ours is known"


def test_every_role_key_changes_and_nobody_notices(there: Street) -> None:
    there.anna.sync()
    there.bo.sync()
    assert there.bo.open(there.gate).reason is Reason.GRANTED
    draft = propose(municipality=there.municipality, renew=RoleKey.Role.values, at=there.clock.at)
    sign_and_publish(draft, FIRST_ROOTS[1:], there.clock.at)
    assert there.bo.open(there.gate).reason is Reason.GRANTED, "what was issued before holds on"
    assert [one.status for one in there.bo.hand_in()] == ["stored", "stored"]
    there.next_day()
    assert there.anna.sync().spoilt == 0
    for door in (there.gate, there.apartment):
        assert there.anna.open(door).reason is Reason.GRANTED
        assert door.manifest_version == 2
    there.anna.open(there.gate)
    assert {one.status for one in there.anna.hand_in()} == {"stored"}
    assert there.anna.sync().spoilt == 0
    there.anna.open(there.gate)
    assert there.gate.core._context.journal.acked > 0, "receipts by the new key free the log"


def test_who_has_taken_what_is_known(there: Street) -> None:
    there.anna.sync()
    draft = propose(municipality=there.municipality, renew=["receipt"], at=there.clock.at)
    sign_and_publish(draft, FIRST_ROOTS[:2], there.clock.at)
    pk = there.municipality.pk
    assert [lock.name for lock in locks_behind(pk, 2)] == ["Lås 1", "Lås 2"]
    assert phones_behind(pk, 2).count() == 2
    there.next_day()
    there.anna.sync()
    there.anna.open(there.gate)
    there.anna.open(there.gate)
    there.anna.hand_in()
    assert there.anna.look() is False, "her receipts are news"
    there.anna.sync()
    assert [lock.name for lock in locks_behind(pk, 2)] == ["Lås 2"]
    assert [bearer.staff.name for bearer in phones_behind(pk, 2)] == ["Bo"]
    follow(there.municipality, at=there.clock.at)
    told = {row.binding_id: row.manifest_version for row in Bulletin.objects.order_by("seq")}
    assert told == {there.gate.binding.pk: None, there.apartment.binding.pk: 2}, "no burden once it is known"


def test_a_lock_that_missed_two_changes_of_the_roots_still_follows(there: Street) -> None:
    second, third = roots("second"), roots("third")
    for number, new in enumerate((second, third)):
        held = RootSet(tuple(sorted(key.public for key in new)), 2)
        draft = propose(municipality=there.municipality, roots=held, at=there.clock.at)
        signers = [*FIRST_ROOTS[:2], *second[:2], *(third[1:] if number else [])]
        sign_and_publish(draft, signers, there.clock.at)
        there.next_day()
    assert len(roots_still_trusted(there.municipality.pk)) == 1, "both locks still trust the first ones"
    assert there.anna.sync().spoilt == 0, "a phone that missed them follows as well"
    assert there.anna.open(there.gate).reason is Reason.GRANTED
    assert there.gate.manifest_version == 3
    there.anna.open(there.gate)
    there.anna.hand_in()
    named = {one.fingerprint for one in roots_still_trusted(there.municipality.pk)}
    assert len(named) == 2, "one lock has moved on"

    draft = propose(municipality=there.municipality, renew=["token"], at=there.clock.at)
    sign(draft, third[:2], there.clock.at)
    with pytest.raises(Problem, match="ceremony_unsigned"):
        publish(draft=draft, at=there.clock.at)
    sign_and_publish(draft, FIRST_ROOTS[1:], there.clock.at)
    there.next_day()
    there.anna.sync()
    assert there.anna.open(there.apartment).reason is Reason.GRANTED
    assert there.apartment.manifest_version == 4


def test_the_old_sealing_key_opens_until_no_log_for_it_can_come(there: Street) -> None:
    there.anna.sync()
    there.bo.sync()
    there.anna.open(there.gate)
    there.anna.open(there.gate)
    old = RoleKey.objects.get(role="sealing")
    draft = propose(municipality=there.municipality, renew=["sealing"], at=there.clock.at)
    sign_and_publish(draft, FIRST_ROOTS[:2], there.clock.at)
    old.refresh_from_db()
    assert old.retired_at is not None
    assert {one.status for one in there.anna.hand_in()} == {"stored"}, (
        "sealed to the old key, read all the same"
    )
    assert sealing_waits_for(old).locks == 2
    for door in (there.gate, there.apartment):
        there.next_day()
        there.anna.sync()
        there.anna.open(door)
        there.anna.open(door)
        there.anna.hand_in()
    assert sealing_waits_for(old).locks == 0
    follow(there.municipality, at=there.clock.at)
    assert keyring.sealing_private(there.municipality.pk, bytes(old.kid)), "phones may be late"
    there.clock.go_on(timedelta(days=31))
    follow(there.municipality, at=there.clock.at)
    with pytest.raises(Problem):
        keyring.sealing_private(there.municipality.pk, bytes(old.kid))
    assert not RoleKey.objects.filter(pk=old.pk, sealed_private_key__isnull=False).exists()


def test_rule_04_whoever_keeps_bulletins_back_is_locked_out(there: Street) -> None:
    there.bo.carries_news = False
    for day in range(4):
        there.bo.sync()
        assert there.bo.open(there.gate).reason is (Reason.GRANTED if day < 2 else Reason.NEED_UPDATE)
        there.next_day()
    there.anna.sync()
    assert there.anna.open(there.gate).reason is Reason.GRANTED, "who brings the news gets in"
    there.bo.sync()
    assert there.bo.open(there.gate).reason is Reason.GRANTED, "and brings it for everybody"

"""A lock that the server moves, told to the real lock core: what the old door's tokens are worth."""

from __future__ import annotations

import pytest

from protocol.keys import x25519_public
from protocol.reasons import Reason
from server.access.domain.issue import issue_ahead
from server.locks.domain.commission import commission_lock, confirm, move_lock
from server.locks.domain.leaving import cancel_commissioning, remove_lock
from server.locks.models import Binding
from server.places.models import Door
from tests.lockagent.bench import SECRETS, Bench, Phone
from tests.lockagent.world import Issuer as Unused
from tests.lockagent.world import Place, Right, secret
from tests.server.device import Device
from tests.server.issuer import Issuer
from tests.server.world import SHIFT_END, SHIFT_START, make_client, make_door

AT = SHIFT_START


class Moving:
    """The apartment's lock as a real core, Alice's phone, and another door with a client who consented."""

    def __init__(self, issuer: Issuer) -> None:
        self.issuer, self.phone = issuer, Phone("alice")
        bearer = issuer.world.bearer
        bearer.public_key, bearer.fingerprint = x25519_public(self.phone.private), self.phone.fingerprint
        bearer.save()
        self.device = Device(secret("lock/static"), secret("lock/seal"), secret("lock/log"))
        remove_lock(lock=issuer.world.apartment_binding.lock, at=AT)
        self.old = commission_lock(
            door=issuer.world.apartment, identity_document=self.device.identity_document(), at=AT
        )
        self.bench = Bench(self.place(self.old), wall=AT.timestamp(), rtc_offset=1000.0 - AT.timestamp())
        self.take(self.old)
        self.new_door = make_door(issuer.world.property, Door.Kind.APARTMENT, number="1201")
        make_client(self.new_door, issuer.world.team, "4712")

    def place(self, binding: Binding) -> Place:
        self.device.take(bytes(binding.commission_document or b""), at=int(AT.timestamp()))
        return Place(Unused(), SECRETS.identity, bytes(binding.binding_id), adv_key=self.device.adv_key)

    def take(self, binding: Binding) -> None:
        """Hand the lock its package, and tell the server."""
        self.bench.place = self.place(binding)
        assert self.bench.commission(bytes(binding.commission_document or b"")) is Reason.GRANTED
        confirm(binding=binding, at=AT)

    def right(self, binding: Binding) -> Right:
        """What the server issues Alice for a binding."""
        issue_ahead(municipality=self.issuer.municipality, at=AT)
        document = bytes(self.issuer.token_at(binding).document)
        return Right(self.issuer.claims(document), document)


@pytest.fixture
def moving(issuer: Issuer) -> Moving:
    issuer.world.shift.starts_at, issuer.world.shift.ends_at = AT, SHIFT_END
    issuer.world.shift.save()
    return Moving(issuer)


def test_rule_01_the_old_doors_tokens_are_refused_by_the_moved_lock(moving: Moving) -> None:
    old = moving.right(moving.old)
    assert moving.phone.open(moving.bench, old).reason is Reason.GRANTED
    before = moving.bench.place
    moved = move_lock(lock=moving.old.lock, door=moving.new_door, at=AT)
    moving.take(moved)
    assert moving.phone.open(moving.bench, old).reason is Reason.WRONG_BINDING
    now, moving.bench.place = moving.bench.place, before
    assert moving.phone.open(moving.bench, old).reason is None, "the old advert key opens no session at all"
    moving.bench.place = now
    assert moving.phone.open(moving.bench, moving.right(moved)).reason is Reason.GRANTED


def test_a_move_taken_back_leaves_the_lock_as_it_was(moving: Moving) -> None:
    moved = move_lock(lock=moving.old.lock, door=moving.new_door, at=AT)
    cancel_commissioning(binding=moved, at=AT)
    assert moving.phone.open(moving.bench, moving.right(moving.old)).reason is Reason.GRANTED

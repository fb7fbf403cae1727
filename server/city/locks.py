"""Locks with real keys, commissioned with the protocol's own documents, and what they last told."""

from __future__ import annotations

import random
from datetime import timedelta

from protocol import suites
from protocol.identity import LockIdentity
from protocol.keys import SigningKey, x25519_public
from server.city.world import World
from server.locks.domain import advert_keys
from server.locks.domain.commission import equip, signing_of
from server.locks.models import Binding, Bulletin, Lock
from server.places.models import Door

LOCKS_AT_ONCE = 2000
FIRMWARE = ("1.0.2", "1.0.2", "1.0.2", "1.0.1", "0.9.8")
PRACTICE_LOCKS = 3


def lock_identity(world: World, number: int) -> LockIdentity:
    """Return the public half of the `number`-th lock; its private keys are `world.luck.octets(…)`."""
    unnamed = SigningKey.from_seed(b"\0", world.luck.octets("lock-log", number))
    return LockIdentity(
        x25519_public(world.luck.octets("lock-static", number)),
        unnamed.public,
        x25519_public(world.luck.octets("lock-seal", number)),
        suites=suites.ALL,
    )


def make_locks(world: World) -> None:
    """Mount a lock at every consented gate and at as many consented apartments as the size says."""
    luck = world.luck.stream("locks")
    gates = [door for door in world.gates if door.pk not in world.unconsented]
    homes = [door for door in world.apartments if door.pk not in world.unconsented]
    rollout = luck.sample(homes, min(len(homes), world.size.apartment_locks))
    doors = sorted([*gates, *rollout], key=lambda door: door.pk)
    numbered = list(enumerate(doors))
    for start in range(0, len(numbered), LOCKS_AT_ONCE):
        _mount(world, luck, numbered[start : start + LOCKS_AT_ONCE])
    world.store.add(
        [_lock(world, luck, len(doors) + number, practice=True) for number in range(PRACTICE_LOCKS)]
    )


def _mount(world: World, luck: random.Random, doors: list[tuple[int, Door]]) -> None:
    locks = world.store.add([_lock(world, luck, number) for number, _door in doors])
    signing = signing_of(world.municipality)
    bindings: list[Binding] = []
    bulletins: list[Bulletin] = []
    for (number, door), lock in zip(doors, locks, strict=True):
        mounted_at = (world.began + timedelta(days=luck.randint(45, 150))).replace(microsecond=0)
        binding_id = world.luck.octets("binding", number, 8)
        adv_key = world.luck.octets("adv-key", number)
        binding = Binding(
            municipality=world.municipality,
            binding_id=binding_id,
            lock=lock,
            door=door,
            starts_at=mounted_at,
            commissioned_at=mounted_at + timedelta(minutes=1),
            sealed_adv_key=advert_keys.sealed(adv_key, binding_id),
        )
        bulletins.append(equip(binding, adv_key, signing=signing, at=mounted_at))
        bindings.append(binding)
    world.store.add(bindings)
    world.store.add(bulletins)
    world.bindings.update({binding.door_id: binding for binding in bindings})


def _lock(world: World, luck: random.Random, number: int, *, practice: bool = False) -> Lock:
    stated = lock_identity(world, number)
    return Lock(
        name=f"{'Test' if practice else 'NF'}-{number + 1:05}",
        lock_id=stated.lock_id,
        static_public_key=stated.static_public,
        log_public_key=stated.log_public,
        seal_public_key=stated.seal_public,
        protocol_version=stated.protocol_version,
        state=Lock.State.REGISTERED if practice else Lock.State.MOUNTED,
        is_practice=practice,
        firmware_version=luck.choice(FIRMWARE),
    )

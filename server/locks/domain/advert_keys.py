"""The advert keys of a door at rest: who may open them, and what they are bound to."""

from __future__ import annotations

import secrets

from protocol.handshake import ADV_KEY_LENGTH
from server.locks.models import Binding
from server.tenancy import custody


def adv_key_context(binding_id: bytes) -> str:
    """Return what a sealed advert key is bound to."""
    return f"binding.adv_key:{binding_id.hex()}"


def draw() -> bytes:
    """Return a new advert key."""
    return secrets.token_bytes(ADV_KEY_LENGTH)


def sealed(adv_key: bytes, binding_id: bytes) -> bytes:
    """Return an advert key as it rests in the database."""
    return custody.seal(adv_key, adv_key_context(binding_id))


def current_and_next(binding: Binding) -> tuple[bytes, ...]:
    """Return the door's advert key and, while a rotation is under way, the next one."""
    kept = [binding.sealed_adv_key, binding.sealed_adv_key_next]
    context = adv_key_context(bytes(binding.binding_id))
    return tuple(custody.unseal(bytes(one), context) for one in kept if one is not None)


def next_one(binding: Binding) -> bytes:
    """Return the advert key that a rotation brings."""
    if binding.sealed_adv_key_next is None:
        raise ValueError("no rotation is under way")
    return custody.unseal(bytes(binding.sealed_adv_key_next), adv_key_context(bytes(binding.binding_id)))

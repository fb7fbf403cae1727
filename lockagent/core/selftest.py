"""What a lock must be able to do before a new program is kept: shake hands with itself, sign and seal."""

from __future__ import annotations

from lockagent.core.context import Context
from protocol import seal
from protocol.errors import ProtocolError
from protocol.handshake import LockDoor, LockHandshake, PhoneHandshake
from protocol.keys import x25519_public
from protocol.phonekeys import X25519Key

_WORDS = b"self-test"
_BINDING = bytes(8)


def passes(context: Context) -> bool:
    """Run through the cryptography an opening takes, with the lock's own keys and nothing of its door."""
    try:
        return _shakes_hands(context) and _signs(context) and _seals(context)
    except ProtocolError:
        return False


def _shakes_hands(context: Context) -> bool:
    static, adv_key = context.secrets.static_private, context.random(32)
    lock = LockHandshake(
        LockDoor(static_private=static, adv_key=adv_key, binding=_BINDING), ephemeral=context.random(32)
    )
    phone = PhoneHandshake(
        key=X25519Key(context.random(32)),
        lock_static=x25519_public(static),
        adv_key=adv_key,
        binding=_BINDING,
        ephemeral=context.random(32),
    )
    m1, phone_channel = phone.answer(lock.m0, _WORDS)
    _, heard, lock_channel = lock.read_m1(m1)
    return heard == _WORDS and phone_channel.decrypt(lock_channel.encrypt(_WORDS)) == _WORDS


def _signs(context: Context) -> bool:
    context.log_key.verify_key.verify(context.log_key.sign(_WORDS), _WORDS)
    return True


def _seals(context: Context) -> bool:
    private, key = context.secrets.seal_private, context.random(32)
    sealed = seal.seal_adv_keys((key,), x25519_public(private), _BINDING, 1)
    return seal.open_adv_keys(sealed, private, _BINDING, 1) == (key,)

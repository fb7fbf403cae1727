"""What every holder of a bearer's P-256 key must do: the contract of `create_signer` and `sign`."""

import pytest

from mobile.engine.bearerkey import ChipKey
from mobile.engine.errors import HardwareKeyGoneError
from mobile.engine.storage.hardware import HardwareKeys
from protocol.keys import HolderKey, KeyType
from tests.protocol.vectors import suite2


def signs_like_a_bearer(keys: HardwareKeys) -> None:
    """Makes keys, opens doors with them, replaces and destroys them; leaves none behind."""
    public = keys.create_signer("b1.door")
    assert public is not None
    holder = HolderKey(KeyType.P256, public)
    for number in range(8):  # hardware draws nonces of its own: half of them give the larger s
        lock = suite2.lock_side(ephemeral=bytes([number + 1]) * 32)
        m1, _ = suite2.phone_side(key=ChipKey(keys, "b1.door", holder)).answer(lock.m0, b"open, please")
        assert lock.read_m1(m1)[:2] == (holder, b"open, please")
    assert list(keys.names()) == ["b1.door"]
    replaced = keys.create_signer("b1.door")
    assert replaced is not None
    assert replaced != public
    keys.delete("b1.door")
    assert list(keys.names()) == []
    with pytest.raises(HardwareKeyGoneError):
        keys.sign("b1.door", b"anything")

"""What a reader would refuse fails at the writer: nobody signs what nobody can use."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from protocol import freshtime, identity, lockrecord, manifest, receipt, token
from protocol.errors import ProtocolError
from protocol.freshtime import FreshTime
from protocol.manifest import RoleKey
from protocol.minting import Minter
from protocol.token import Scope
from tests.protocol.vectors import news, world

CLAIMS = world.CLAIMS
_BAD_CLAIMS = [
    replace(CLAIMS, binding=bytes(7)),
    replace(CLAIMS, token_id=b""),
    replace(CLAIMS, grp=65536),
    replace(CLAIMS, grp=-1),
    replace(CLAIMS, scope=Scope(8)),
    replace(CLAIMS, scope=Scope(0)),
    replace(CLAIMS, expires=CLAIMS.not_before),
    replace(CLAIMS, issued_at=-1),
    replace(CLAIMS, not_before=2**32, expires=2**32 + 9),
]


@pytest.mark.parametrize("claims", _BAD_CLAIMS)
def test_tokens(claims: token.TokenClaims) -> None:
    with pytest.raises(ProtocolError):
        token.issue(claims, world.TOKEN_KEY, world.PHONE_KEY)
    with pytest.raises(ProtocolError):
        Minter(world.TOKEN_KEY).mint(claims, world.PHONE_KEY)


_OTHERS: dict[str, Callable[[], object]] = {
    "lock record": lambda: lockrecord.sign(replace(world.RECORD, adv_keys=()), world.BULLETIN_KEY),
    "lock record, binding": lambda: lockrecord.sign(replace(world.RECORD, binding=b""), world.BULLETIN_KEY),
    "receipt": lambda: receipt.sign(replace(news.RECEIPT, hash=bytes(31)), world.RECEIPT_KEY),
    "fresh time": lambda: freshtime.sign(FreshTime(world.BINDING, bytes(32), 2**32), world.BULLETIN_KEY),
    "identity": lambda: identity.sign(replace(world.LOCK, suites=256), world.LOCK_LOG_KEY),
    "manifest, version": lambda: manifest.sign(replace(world.MANIFEST, version=0), world.ROOTS),
    "manifest, kid": lambda: manifest.sign(
        replace(
            world.MANIFEST,
            role_keys=(*world.MANIFEST.role_keys, RoleKey(manifest.Role.TOKEN, b"abc", bytes(32))),
        ),
        world.ROOTS,
    ),
    "manifest, signers": lambda: manifest.sign(world.MANIFEST, world.ROOTS * 2),
}


@pytest.mark.parametrize("name", _OTHERS)
def test_others(name: str) -> None:
    with pytest.raises(ProtocolError):
        _OTHERS[name]()

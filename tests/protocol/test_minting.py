"""Minting gives the very bytes that `token.issue` gives, and refuses what it refuses."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import token
from protocol.errors import ProtocolError
from protocol.keys import HolderKey, KeyType, SigningKey
from protocol.minting import Minter
from protocol.token import Scope, TokenClaims

KEY = SigningKey.from_seed(b"\x01\x02", bytes(range(32)))
HOLDER = HolderKey(KeyType.X25519, b"h" * 32)
CLAIMS = TokenClaims(
    b"b" * 8, 1_800_000_000, 1_800_030_000, 1_799_990_000, b"t" * 8, 7, Scope.OPEN | Scope.LOCK
)


@st.composite
def good_claims(draw: st.DrawFn) -> TokenClaims:
    not_before = draw(st.integers(70_000, 2**32 - 200_000))
    return TokenClaims(
        binding=draw(st.binary(min_size=8, max_size=8)),
        not_before=not_before,
        expires=not_before + draw(st.integers(1, token.MAX_LIFETIME)),
        issued_at=not_before - draw(st.integers(0, 4000)),
        token_id=draw(st.binary(min_size=8, max_size=8)),
        grp=draw(st.integers(0, token.MAX_GRP)),
        scope=Scope(draw(st.integers(1, 7))),
    )


@given(good_claims(), st.builds(HolderKey, st.just(KeyType.X25519), st.binary(min_size=32, max_size=32)))
def test_minted_tokens_are_issued_tokens(claims: TokenClaims, holder: HolderKey) -> None:
    minted = Minter(KEY).mint(claims, holder)
    assert minted == token.issue(claims, KEY, holder)
    assert token.parse(minted).verify(KEY.verify_key, holder) == claims


def test_p256_holders_too() -> None:
    holder = HolderKey(KeyType.P256, b"\x02" * 33)
    assert Minter(KEY).mint(CLAIMS, holder) == token.issue(CLAIMS, KEY, holder)


@pytest.mark.parametrize(
    "changes",
    [
        {"expires": CLAIMS.not_before},
        {"expires": CLAIMS.not_before + token.MAX_LIFETIME + 1},
        {"scope": Scope(0)},
        {"issued_at": CLAIMS.expires},
        {"issued_at": 60_000},
        {"not_before": 2**32, "expires": 2**32 + 9},
        {"binding": b"short"},
        {"token_id": b"far too long"},
        {"grp": 65_536},
        {"grp": -1},
    ],
)
def test_what_no_lock_would_accept_is_not_minted(changes: dict[str, object]) -> None:
    with pytest.raises(ProtocolError):
        Minter(KEY).mint(replace(CLAIMS, **changes), HOLDER)  # type: ignore[arg-type]

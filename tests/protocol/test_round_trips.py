"""What is written is read back the same, whatever stands in it."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import (
    advert,
    bulletin,
    cbor,
    freshtime,
    identity,
    lockrecord,
    manifest,
    messages,
    receipt,
    token,
)
from protocol.bulletin import Bulletin
from protocol.errors import ProtocolError
from protocol.freshtime import FreshTime
from protocol.keys import HolderKey, KeyType, holder_key
from protocol.lockrecord import LockRecord
from protocol.manifest import Role, RoleKey
from protocol.messages import Carry, Decision, DecisionFlag, Done, Outcome, OutcomeCode
from protocol.receipt import Receipt
from protocol.settings import DoorKind, LockSettings
from protocol.token import Scope, TokenClaims
from tests.protocol.vectors import world

counters = st.integers(0, 2**32 - 1)
numbers = st.integers(1, 2**32 - 1)


def octets(length: int) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=length, max_size=length)


@st.composite
def claims(draw: st.DrawFn) -> TokenClaims:
    begins = draw(st.integers(0, 2**32 - 1 - token.MAX_LIFETIME))
    ends = begins + draw(st.integers(1, token.MAX_LIFETIME))
    return TokenClaims(
        binding=draw(octets(8)),
        not_before=begins,
        expires=ends,
        issued_at=draw(st.integers(0, ends - 1)),
        token_id=draw(octets(8)),
        grp=draw(st.integers(0, 65535)),
        scope=Scope(draw(st.integers(1, 7))),
    )


@given(claims(), octets(32))
def test_tokens(one: TokenClaims, phone: bytes) -> None:
    holder = HolderKey(KeyType.X25519, phone)
    data = token.issue(one, world.TOKEN_KEY, holder)
    assert len(data) <= token.MAX_SIZE
    assert token.parse(data).kid == world.TOKEN_KEY.kid
    assert token.parse(data).verify(world.TOKEN_KEY.verify_key, holder) == one


@given(claims(), octets(32), octets(32))
def test_rule_01_a_token_holds_for_one_phone_only(one: TokenClaims, phone: bytes, other: bytes) -> None:
    data = token.issue(one, world.TOKEN_KEY, HolderKey(KeyType.X25519, phone))
    if phone != other:
        with pytest.raises(ProtocolError):
            token.parse(data).verify(world.TOKEN_KEY.verify_key, HolderKey(KeyType.X25519, other))


def test_a_token_holds_for_one_type_of_key_only() -> None:
    p256 = HolderKey(KeyType.P256, b"\x02" + bytes(32))
    data = token.issue(world.CLAIMS, world.TOKEN_KEY, p256)
    with pytest.raises(ProtocolError):
        token.parse(data).verify(world.TOKEN_KEY.verify_key, world.PHONE_KEY)
    token.parse(data).verify(world.TOKEN_KEY.verify_key, p256)


@pytest.mark.parametrize(("kind", "length"), [(1, 31), (1, 33), (2, 32), (3, 32), (0, 32)])
def test_holder_keys_refused(kind: int, length: int) -> None:
    with pytest.raises(ProtocolError):
        holder_key(kind, bytes(length))


lock_settings = st.builds(
    LockSettings,
    door_kind=st.sampled_from(DoorKind),
    relock_after=st.integers(0, 3600),
    hold_milliseconds=st.integers(0, 60_000),
    count_hand_openings=st.booleans(),
    clock_ppm=st.integers(-1000, 1000),
    open_with_last_energy=st.booleans(),
)
bulletins = st.builds(
    Bulletin,
    binding=octets(8),
    lock_id=octets(8),
    seq=numbers,
    time=counters,
    settings=lock_settings,
    revoked=st.frozensets(octets(8), max_size=20),
    grp_not_before=st.dictionaries(st.integers(0, 65535), counters, max_size=20),
    not_before=counters,
    manifest=st.just(world.MANIFEST_BYTES) | st.none(),
    receipt=octets(150) | st.none(),
    secrets=octets(117) | st.none(),
)


@given(bulletins)
def test_bulletins(one: Bulletin) -> None:
    read, held = bulletin.parse(bulletin.sign(one, world.BULLETIN_KEY)).verify(world.MANIFEST)
    assert (read, held) == (one, world.MANIFEST)


def test_the_largest_bulletin_fits() -> None:
    full = replace(
        world.BULLETIN,
        revoked=frozenset(n.to_bytes(8, "big") for n in range(bulletin.MAX_REVOKED)),
        grp_not_before={65_535 - n: 2**32 - 1 for n in range(bulletin.MAX_GRPS)},
        manifest=bytes(manifest.MAX_SIZE),
        receipt=bytes(receipt.MAX_SIZE),
        secrets=bytes(bulletin.MAX_SECRETS),
    )
    assert len(bulletin.sign(full, world.BULLETIN_KEY)) <= bulletin.MAX_SIZE


def test_the_largest_manifest_fits() -> None:
    roots = [manifest.root_signing_key(bytes([n]) * 32) for n in range(1, 11)]
    keys = [RoleKey(Role.TOKEN, bytes([n, n]), bytes([n]) * 32) for n in range(15)]
    full = replace(
        world.MANIFEST,
        version=2**32 - 1,
        roots=world.root_set(tuple(roots[5:]), 5),
        role_keys=tuple(sorted([*keys, world.SEALING_KEY])),
    )
    data = manifest.sign(full, roots)
    assert len(data) <= manifest.MAX_SIZE
    assert manifest.verify(data, world.root_set(tuple(roots[:5]), 5)) == full


@given(st.tuples(octets(8), octets(8), octets(8)), st.integers(0, 65535), counters, counters)
def test_revoked_and_ended(ids: tuple[bytes, bytes, bytes], grp: int, ends: int, issued: int) -> None:
    binding, mine, other = ids
    news = replace(
        world.BULLETIN,
        binding=binding,
        revoked=frozenset({bulletin.revoked_hash(binding, mine)}),
        grp_not_before={grp: ends},
    )
    assert news.revokes(mine)
    assert news.revokes(other) == (mine == other)
    assert news.ends(grp, issued) == (issued < ends)
    assert not news.ends(grp ^ 1, issued)
    assert replace(news, not_before=ends).ends(grp ^ 1, issued) == (issued < ends)


records = st.builds(
    LockRecord,
    binding=octets(8),
    lock_id=octets(8),
    static_public=octets(32),
    adv_keys=st.lists(octets(32), min_size=1, max_size=2, unique=True).map(tuple),
    door_kind=st.sampled_from(DoorKind),
    issued_at=counters,
    protocol_version=st.integers(0, 255),
    suites=st.integers(0, 255),
)


@given(records)
def test_lock_records(one: LockRecord) -> None:
    assert lockrecord.verify(lockrecord.sign(one, world.BULLETIN_KEY), world.MANIFEST) == one


@given(st.builds(FreshTime, octets(8), octets(32), counters))
def test_fresh_time(one: FreshTime) -> None:
    assert freshtime.verify(freshtime.sign(one, world.BULLETIN_KEY), world.MANIFEST) == one


@given(st.builds(Receipt, octets(8), counters, counters, octets(32), counters))
def test_receipts(one: Receipt) -> None:
    assert receipt.verify(receipt.sign(one, world.RECEIPT_KEY), world.MANIFEST) == one


session_messages = st.one_of(
    st.builds(Decision, st.integers(0, 255), counters, counters, counters, st.sampled_from(DecisionFlag)),
    st.builds(Outcome, st.sampled_from(OutcomeCode), counters, st.none() | st.integers(0, 100)),
    st.builds(Done, counters),
)


@given(session_messages)
def test_session_messages(one: Any) -> None:
    assert messages.parse_from_lock(messages.encode(one)) == one


@given(st.builds(Carry, counters))
def test_carry(one: Carry) -> None:
    assert messages.parse_from_phone(messages.encode(one)) == one


def test_one_advert_among_4000_keys() -> None:
    keys = [(n.to_bytes(8, "big"), world.seed(f"adv_key {n}")) for n in range(4000)]
    resolver = advert.Resolver(keys)
    for n in (0, 1999, 3999):
        seen = advert.parse(advert.make(keys[n][1], bytes(8)).data)
        assert resolver.resolve(seen) == keys[n] == resolver.resolve(seen)
    assert resolver.resolve(advert.make(world.ADV_KEY, bytes(8))) is None


def test_rule_08_adverts_of_one_lock_have_nothing_in_common() -> None:
    made = [advert.make(world.ADV_KEY, world.seed(f"salt {n}", 8)).data[1:] for n in range(50)]
    parts = [part for data in made for part in (data[:8], data[8:])]
    assert len(set(parts)) == 100


def test_manifests_and_identities() -> None:
    assert manifest.verify(world.MANIFEST_BYTES, world.TRUSTED) == world.MANIFEST
    assert identity.verify(world.IDENTITY_BYTES) == world.LOCK


def test_map_keys_are_ordered_as_rfc_8949_says_and_not_as_rfc_7049() -> None:
    """100000 has a longer encoding than -1 and comes first nonetheless."""
    data = cbor.encode({-1: 0, 100_000: 0})
    assert data == bytes.fromhex("a21a000186a0002000")
    assert cbor.decode(data, max_size=20) == {100_000: 0, -1: 0}
    with pytest.raises(ProtocolError):
        cbor.decode(bytes.fromhex("a220001a000186a000"), max_size=20)

"""The manifest: who must sign, how roots change, and that nothing leads back."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol import bulletin, manifest
from protocol.errors import ProtocolError, SignatureError
from protocol.keys import SigningKey
from protocol.manifest import Manifest, RootSet
from tests.protocol.vectors import world
from tests.protocol.vectors.world import seed

KEYS = tuple(manifest.root_signing_key(seed(f"some root {n}")) for n in range(8))
root_indices = st.sets(st.integers(0, 7), min_size=1, max_size=5)


def roots(chosen: set[int], threshold: int) -> RootSet:
    return RootSet(tuple(sorted(KEYS[n].public for n in chosen)), min(threshold, len(chosen)))


def version(number: int, held: RootSet, signers: list[SigningKey]) -> bytes:
    return manifest.sign(replace(world.MANIFEST, version=number, roots=held), signers)


@settings(max_examples=150)
@given(
    root_indices, st.integers(1, 5), root_indices, st.integers(1, 5), st.sets(st.integers(0, 7), max_size=8)
)
def test_a_threshold_of_the_old_and_of_the_new_must_sign(
    old: set[int], old_threshold: int, new: set[int], new_threshold: int, signers: set[int]
) -> None:
    trusted, own = roots(old, old_threshold), roots(new, new_threshold)
    data = version(2, own, [KEYS[n] for n in signers])
    enough = len(old & signers) >= trusted.threshold and len(new & signers) >= own.threshold
    if enough:
        assert manifest.verify(data, trusted).roots == own
    else:
        with pytest.raises(ProtocolError):
            manifest.verify(data, trusted)


def test_roots_may_change_all_at_once_and_go_on() -> None:
    first, second, third = roots({0, 1, 2}, 2), roots({3, 4, 5}, 2), roots({5, 6, 7}, 2)
    held = manifest.verify(version(1, first, [KEYS[0], KEYS[1]]), first)
    held = manifest.accept(version(2, second, [KEYS[1], KEYS[2], KEYS[3], KEYS[4]]), held)
    held = manifest.accept(version(3, third, [KEYS[4], KEYS[5], KEYS[6]]), held)
    assert (held.version, held.roots) == (3, third)
    with pytest.raises(SignatureError):
        manifest.accept(version(4, first, [KEYS[0], KEYS[1]]), held)


def test_a_lock_that_missed_a_rotation_follows_what_the_old_roots_signed_too() -> None:
    first, second = roots({0, 1, 2}, 2), roots({3, 4, 5}, 2)
    held = manifest.verify(version(1, first, [KEYS[0], KEYS[1]]), first)
    assert manifest.accept(version(3, second, [KEYS[0], KEYS[1], KEYS[3], KEYS[4]]), held).version == 3
    with pytest.raises(SignatureError):
        manifest.accept(version(3, second, [KEYS[3], KEYS[4]]), held)


@given(st.integers(1, 2**32 - 1), st.integers(1, 2**32 - 1))
def test_rule_04_versions_only_go_up(held_version: int, offered: int) -> None:
    held = replace(world.MANIFEST, version=held_version)
    data = version(offered, world.TRUSTED, list(world.ROOTS[:2]))
    if offered > held_version:
        assert manifest.accept(data, held).version == offered
    else:
        with pytest.raises(ProtocolError):
            manifest.accept(data, held)


def _carrying(data: bytes, key: SigningKey = world.BULLETIN_KEY) -> bulletin.UnverifiedBulletin:
    return bulletin.parse(bulletin.sign(replace(world.BULLETIN, manifest=data), key))


def test_a_bulletin_brings_the_manifest_that_makes_it_true() -> None:
    news = _carrying(world.NEXT_MANIFEST_BYTES, world.NEXT_BULLETIN_KEY)
    assert news.verify(world.MANIFEST)[1] == world.NEXT_MANIFEST


def test_a_bulletin_cannot_bring_an_older_manifest() -> None:
    newer = replace(world.MANIFEST, version=5)
    assert _carrying(world.MANIFEST_BYTES).verify(newer)[1] is newer


@pytest.mark.parametrize(
    "held",
    [
        replace(world.MANIFEST, municipality=seed("elsewhere", 8)),
        replace(world.MANIFEST, roots=world.root_set((world.STRANGER_ROOT,), 1)),
    ],
    ids=["another municipality", "other roots"],
)
def test_a_bulletin_with_a_foreign_manifest_is_refused_whole(held: Manifest) -> None:
    with pytest.raises(ProtocolError):
        _carrying(world.MANIFEST_BYTES).verify(held)


def test_a_key_has_one_role_and_one_name() -> None:
    """A token key signs no bulletin, though it stands in the same manifest."""
    assert world.MANIFEST.verify_key(manifest.Role.TOKEN, world.TOKEN_KEY.kid) is not None
    assert world.MANIFEST.verify_key(manifest.Role.BULLETIN, world.TOKEN_KEY.kid) is None
    with pytest.raises(SignatureError):
        bulletin.parse(bulletin.sign(world.BULLETIN, world.TOKEN_KEY)).verify(world.MANIFEST)


@pytest.mark.parametrize(("chosen", "threshold"), [(set(), 1), (set(range(6)), 2), ({0, 1}, 3), ({0}, 0)])
def test_impossible_root_sets(chosen: set[int], threshold: int) -> None:
    with pytest.raises(ProtocolError):
        RootSet(tuple(KEYS[n].public for n in chosen), threshold)


def test_fingerprint_does_not_depend_on_order_but_on_the_threshold() -> None:
    forwards = RootSet((KEYS[0].public, KEYS[1].public), 1)
    backwards = RootSet((KEYS[1].public, KEYS[0].public), 1)
    stricter = RootSet((KEYS[0].public, KEYS[1].public), 2)
    assert forwards.fingerprint == backwards.fingerprint != stricter.fingerprint

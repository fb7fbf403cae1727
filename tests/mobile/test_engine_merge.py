"""What a sync may bring into the vault: only what holds under the pinned roots, and never backwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from mobile.engine import answers
from mobile.engine.answers import text_of
from mobile.engine.content import Content, Identity, Trust
from mobile.engine.errors import ServerError
from mobile.engine.merge import KEEP_EXPIRED, adv_keys, merge, onto
from mobile.engine.state import DoorKind, HistoryEntry, OpeningState, Operation
from protocol import manifest
from protocol.identity import LockIdentity
from protocol.keys import HolderKey, KeyType, x25519_public
from protocol.manifest import RootSet
from tests.lockagent.world import APARTMENT, T0, Issuer, Place, secret
from tests.mobile.issuing import SmallServer, Ware

PRIVATE = secret("a phone")
Spoil = Callable[[dict[str, Any]], None]


def _identity(name: str) -> LockIdentity:
    return LockIdentity(
        x25519_public(secret(f"{name}/s")), secret(f"{name}/l"), x25519_public(secret(f"{name}/e"))
    )


class Desk:
    """A server with two doors, and a vault's content that follows its answers."""

    def __init__(self, issuer: Issuer | None = None) -> None:
        self.time = T0
        self.server = SmallServer(now=lambda: self.time, issuer=issuer or Issuer())
        self.server.holders["device-1"] = HolderKey(KeyType.X25519, x25519_public(PRIVATE))
        for name in ("d1", "d2"):
            place = Place(
                self.server.issuer,
                _identity(name),
                binding=secret(name)[:8],
                settings=APARTMENT,
                adv_key=secret(name),
            )
            self.server.wares.append(Ware(place, name))
        roots = self.server.issuer.root_set
        self.content = Content(
            identity=Identity("http://localhost", "1", "2", "device-1", PRIVATE),
            trust=Trust(roots.keys, roots.threshold, self.server.issuer.manifest_bytes()),
            session="signed-in",
        )

    def sync(self, spoil: Spoil = lambda body: None) -> Any:
        """One sync; `spoil` changes the answer on its way."""
        request = httpx.Request(
            "POST",
            "http://localhost/api/v1/sync",
            headers={"authorization": "Device device-1", "x-session-token": "signed-in"},
        )
        body = self.server._sync(request, {"cursor": self.content.cursor}).json()
        spoil(body)
        merged = merge(self.content, answers.sync_answer(body), clock_offset=0)
        self.content = merged.content
        return merged


@pytest.fixture
def desk() -> Desk:
    made = Desk()
    for ware in made.server.wares:
        made.server.grant(ware)
    return made


def _first(body: dict[str, Any]) -> dict[str, Any]:
    right: dict[str, Any] = body["rights"][0]
    return right


def _flip(text: str, at: int = -10) -> str:
    data = bytearray(answers.blob(text, "x"))
    data[at] ^= 1
    return text_of(bytes(data))


def test_a_whole_answer_is_kept_whole(desk: Desk) -> None:
    merged = desk.sync()
    assert (merged.new_rights, merged.removed_rights, merged.spoilt) == (2, 0, 0)
    assert len(desk.content.rights) == len(desk.content.locks) == len(desk.content.doors) == 2
    assert desk.content.synced_at == T0
    assert len(adv_keys(desk.content.locks)) == 2
    again = desk.sync()
    assert (again.new_rights, again.removed_rights) == (0, 0)
    assert len(desk.content.rights) == 2


def test_rule_01_only_tokens_for_this_phones_key_are_kept(desk: Desk) -> None:
    desk.content = replace(desk.content, identity=replace(desk.content.identity, private_key=secret("bo")))
    assert desk.sync().spoilt == 2
    assert desk.content.rights == {}


@pytest.mark.parametrize("part", ["token", "lock_record", "bulletin"])
def test_one_spoilt_right_is_left_out_and_asked_for_again(desk: Desk, part: str) -> None:
    merged = desk.sync(lambda body: _first(body).update({part: _flip(_first(body)[part])}))
    assert merged.spoilt == 1
    assert len(desk.content.rights) == len(desk.content.locks) == 1
    assert desk.content.cursor is None, "the next sync asks for everything"
    assert desk.sync().spoilt == 0
    assert len(desk.content.rights) == 2


@pytest.mark.parametrize("part", ["token", "lock_record", "bulletin", "binding", "token_id"])
def test_parts_of_two_doors_do_not_mix(desk: Desk, part: str) -> None:
    def swap(body: dict[str, Any]) -> None:
        body["rights"][0][part] = body["rights"][1][part]

    assert desk.sync(swap).spoilt == 1
    assert len(desk.content.rights) == 1


def test_another_municipalitys_signatures_mean_nothing(desk: Desk) -> None:
    other = Desk(Issuer(name="grannkommun"))
    other.server.grant(other.server.wares[0])
    other.content = replace(other.content, trust=desk.content.trust)
    with pytest.raises(ServerError) as refused:
        other.sync()
    assert refused.value.code == "server_not_trusted"
    assert other.sync(lambda body: body.update(manifest=None)).spoilt == 1
    assert other.content.rights == {}


def test_a_manifest_is_renewed_and_never_rolled_back(desk: Desk) -> None:
    old = desk.server.issuer.manifest_bytes()
    desk.sync()
    desk.server.issuer.version = 2
    desk.sync()
    newer = desk.content.trust.manifest
    assert newer != old
    with pytest.raises(ServerError) as refused:
        desk.sync(lambda body: body.update(manifest=text_of(old)))
    assert refused.value.code == "server_not_trusted"
    assert desk.content.trust.manifest == newer


def test_a_manifest_needs_a_threshold_of_roots(desk: Desk) -> None:
    desk.server.issuer.version = 2
    lone = desk.server.issuer.manifest_bytes(signers=1)
    with pytest.raises(ServerError):
        desk.sync(lambda body: body.update(manifest=text_of(lone)))
    assert desk.content.rights == {}


def test_the_same_manifest_signed_by_other_roots_is_no_news(desk: Desk) -> None:
    issuer = desk.server.issuer
    again = manifest.sign(issuer.manifest(), issuer.roots[1:])
    assert again != desk.content.trust.manifest
    before = desk.content.trust
    desk.sync(lambda body: body.update(manifest=text_of(again)))
    assert desk.content.trust == before


def test_roots_change_only_when_the_old_ones_sign_the_new(desk: Desk) -> None:
    issuer = desk.server.issuer
    new_roots = [manifest.root_signing_key(secret(f"new/{number}")) for number in range(3)]
    new_set = RootSet(tuple(sorted(key.public for key in new_roots)), 2)
    second = replace(issuer.manifest(), version=2, roots=new_set)

    def bring(signed: bytes) -> Spoil:
        return lambda body: body.update(manifest=text_of(signed))

    for signers in (new_roots, issuer.roots, [*issuer.roots[:1], *new_roots]):
        with pytest.raises(ServerError):
            desk.sync(bring(manifest.sign(second, signers)))
    desk.sync(bring(manifest.sign(second, [*issuer.roots[:2], *new_roots[:2]])))
    assert set(desk.content.trust.roots) == set(new_set.keys)
    third = replace(second, version=3)
    with pytest.raises(ServerError):
        desk.sync(bring(manifest.sign(third, issuer.roots)))
    desk.sync(bring(manifest.sign(third, new_roots[1:])))
    assert desk.content.trust.threshold == 2


def test_rule_04_a_bulletin_never_goes_back(desk: Desk) -> None:
    ware = desk.server.wares[0]
    desk.sync()
    old = desk.content.locks[ware.place.binding].bulletin
    newest = desk.server.news(ware)
    desk.sync()
    assert desk.content.locks[ware.place.binding].bulletin == newest
    ware.news = old
    desk.sync()
    assert desk.content.locks[ware.place.binding].bulletin == newest
    desk.server.grant(ware, hours=9)
    desk.sync()
    assert len(desk.content.rights) == 3, "a new right may come with a bulletin seen before"
    assert desk.content.locks[ware.place.binding].bulletin == newest


def test_a_lock_record_never_goes_back(desk: Desk) -> None:
    """An old record that is played again must not bring back an advert key that has been rotated away."""
    ware = desk.server.wares[0]
    desk.sync()
    ware.place.adv_key = secret("d1 rotated")
    desk.time += 60
    desk.server.grant(ware, hours=9)
    desk.sync()
    assert desk.content.locks[ware.place.binding].adv_keys == (secret("d1 rotated"),)
    ware.place.adv_key = secret("d1")
    desk.time -= 60
    desk.server.grant(ware, hours=10)
    desk.sync()
    assert len([right for right in desk.content.rights.values() if right.binding == ware.place.binding]) == 3
    assert desk.content.locks[ware.place.binding].adv_keys == (secret("d1 rotated"),)


def test_a_bulletin_for_another_door_is_refused(desk: Desk) -> None:
    desk.sync()
    one, two = desk.server.wares
    news = desk.server.news(two)

    def misdirect(body: dict[str, Any]) -> None:
        body["bulletins"] = [{"binding": text_of(one.place.binding), "seq": 9, "bulletin": text_of(news)}]

    held = desk.content.locks
    assert desk.sync(misdirect).spoilt == 1
    assert desk.content.locks == held


def test_the_kind_of_a_door_is_the_signed_one(desk: Desk) -> None:
    """A gate's lock must not be shown as somebody's apartment because the unsigned description says so."""
    desk.sync(lambda body: body["doors"][0].update(kind="gate"))
    assert desk.content.doors["d1"].kind is DoorKind.APARTMENT


def test_no_secret_of_an_answer_shows_in_a_repr(desk: Desk) -> None:
    shown: list[str] = []
    desk.sync(lambda body: shown.append(repr(answers.sync_answer(body))))
    for right in desk.content.rights.values():
        assert repr(right.token) not in shown[0]
    assert "lock_record" not in shown[0]


def test_removed_rights_take_lock_record_and_bulletin_with_them(desk: Desk) -> None:
    desk.sync()
    gone = next(iter(desk.server.rights))
    binding = desk.content.rights[gone].binding
    desk.server.withdraw(gone)
    merged = desk.sync()
    assert merged.removed_rights == 1
    assert gone not in desk.content.rights
    assert binding not in desk.content.locks


def test_an_answer_to_no_cursor_is_everything_there_is(desk: Desk) -> None:
    """What the phone held and the server does not name any more is gone, doors too."""
    desk.sync()
    desk.content = replace(desk.content, cursor=None)
    del desk.server.rights[next(iter(desk.server.rights))]
    desk.server.wares.pop()
    assert desk.sync().removed_rights == 1
    assert len(desk.content.rights) == len(desk.content.doors) == 1


def test_long_expired_tokens_are_dropped_and_fresh_ones_kept_for_the_lock_to_refuse(desk: Desk) -> None:
    desk.sync()
    desk.time += 9 * 3600
    desk.sync()
    assert len(desk.content.rights) == 2
    desk.time += KEEP_EXPIRED
    desk.sync()
    assert desk.content.rights == {}


def test_taps_made_during_a_sync_are_not_lost(desk: Desk) -> None:
    before = desk.content
    merged = desk.sync().content
    tap = HistoryEntry(T0, "d1", "Lås d1", Operation.OPEN, OpeningState.OPEN)
    now = replace(
        before, history=(tap,), left_unlocked=frozenset({"d1", "gone"}), practised=frozenset({"near"})
    )
    laid = onto(now, merged)
    assert laid.history == (tap,)
    assert laid.practised == {"near"}
    assert laid.left_unlocked == {"d1"}
    assert len(laid.rights) == 2


def test_a_sign_out_during_a_sync_wins(desk: Desk) -> None:
    merged = desk.sync().content
    signed_out = merged.without_work()
    assert onto(signed_out, merged) is signed_out

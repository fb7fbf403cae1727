"""Phones with no right: what each holds instead of one, and what it must be told.

Their vaults are written by hand, as somebody with a modified app would: a phone's own checks leave out most
of these tokens long before a door. The engine and the lock's judgement are the real ones.
"""

from __future__ import annotations

from collections.abc import Sequence

from protocol.keys import SigningKey
from protocol.token import Scope, TokenClaims
from simulation.taps.townhall import ENDED_GRP, Place, TownHall, secret

EXPECTED: dict[str, frozenset[str]] = {
    "expired": frozenset({"expired"}),
    "early": frozenset({"not_yet_valid"}),
    "other door": frozenset({"wrong_binding"}),
    "earlier binding": frozenset({"not_found"}),
    "copied": frozenset({"token_invalid"}),
    "stretched": frozenset({"token_invalid"}),
    "forged": frozenset({"token_invalid"}),
    "unknown issuer": frozenset({"key_unknown"}),
    "revoked": frozenset({"revoked"}),
    "withholds news": frozenset({"revoked", "need_update", "key_unknown"}),
    "provider ended": frozenset({"provider_ended"}),
    "other operation": frozenset({"not_permitted"}),
    "no right": frozenset({"no_right"}),
}
"""What the phone may truly be told for each kind; beside it only that no answer came."""
KINDS = tuple(EXPECTED)
OPEN_TO_ALL = frozenset({"", "no_answer", "not_found", "link_lost", "handshake_failed", "busy"})
"""What the air may do to any tap."""


def held(
    kind: str, hall: TownHall, *, place: Place, others: Sequence[Place], key: bytes, now: int
) -> bytes | None:
    """The token that a phone of this kind holds for a door; `key` is its own X25519 key."""
    if kind == "no right":
        return None
    claims = _claims(kind, hall, place, others, now)
    if kind in ("revoked", "withholds news"):
        hall.revoked.add(claims.token_id)
    if kind == "copied":
        return hall.token(claims, secret(f"{place.name}/somebody else"))
    if kind == "forged":
        return hall.token(claims, key, key=SigningKey.from_seed(hall.token_key.kid, secret("forger")))
    if kind == "unknown issuer":
        return hall.token(claims, key, key=SigningKey.from_seed(b"zz", secret("forger")))
    token = hall.token(claims, key)
    if kind == "stretched":
        longer = claims.expires + 6 * 3600
        return token.replace(claims.expires.to_bytes(4, "big"), longer.to_bytes(4, "big"))
    return token


def _claims(kind: str, hall: TownHall, place: Place, others: Sequence[Place], now: int) -> TokenClaims:
    match kind:
        case "expired":
            return hall.claims(place.binding, now, begins=-9 * 3600, ends=-360)
        case "early":
            return hall.claims(place.binding, now, begins=12 * 3600, ends=20 * 3600)
        case "other door":
            return hall.claims(next(each for each in others if each is not place).binding, now)
        case "provider ended":
            return hall.claims(place.binding, now, grp=ENDED_GRP)
        case "other operation":
            return hall.claims(place.binding, now, scope=Scope.LOCK)
    return hall.claims(place.binding, now)

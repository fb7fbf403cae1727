"""What the phones of a stairwell carry at the start of a shift: content as a sync would have left it."""

from __future__ import annotations

from collections.abc import Sequence

from mobile.engine.content import Content, DoorRecord, Identity, LockInfo, Right, Trust
from mobile.engine.state import DoorKind
from protocol import token
from protocol.errors import ProtocolError
from protocol.settings import DoorKind as LockKind
from simulation.taps import wrongful
from simulation.taps.townhall import Place, TownHall, secret

KINDS = {LockKind.GATE: DoorKind.GATE, LockKind.APARTMENT: DoorKind.APARTMENT}


def rightful(hall: TownHall, places: Sequence[Place], key: bytes, now: int) -> dict[str, bytes | None]:
    """A good token for every door, by door."""
    return {place.name: hall.token(hall.claims(place.binding, now), key) for place in places}


def without_right(
    kind: str, hall: TownHall, places: Sequence[Place], key: bytes, now: int
) -> dict[str, bytes | None]:
    """What a phone of this wrongful kind has instead, by door."""
    return {
        place.name: wrongful.held(kind, hall, place=place, others=places, key=key, now=now)
        for place in places
    }


def pack(
    hall: TownHall,
    places: Sequence[Place],
    news: dict[str, bytes],
    tokens: dict[str, bytes | None],
    *,
    key: bytes,
    now: int,
    kind: str = "",
    old_news: dict[str, bytes] | None = None,
) -> Content:
    """The whole vault. `news`: this shift's bulletin for each door; `old_news`: what is carried instead."""
    locks, rights, doors = {}, {}, {}
    for place in places:
        known = _known(place, kind)
        carried = (old_news or news)[place.name]
        seq = 1 if old_news else hall.shift
        lock = LockInfo(
            binding=known.binding,
            lock_id=place.secrets.identity.lock_id,
            static_public=place.secrets.identity.static_public,
            adv_keys=(known.adv_key,),
            issued_at=now,
            bulletin=carried,
            bulletin_seq=seq,
        )
        locks[known.binding] = lock
        doors[place.name] = DoorRecord(
            id=place.name,
            kind=KINDS[place.settings.door_kind],
            binding=known.binding,
            address="Provgatan 1",
            lock_name=place.name,
        )
        encoded = tokens[place.name]
        if encoded is not None:
            right = _right(known.binding, encoded)
            rights[right.token_id] = right
    return Content(
        identity=Identity("http://localhost", "1", "1", "device", key, staff_name="Anna Lind"),
        trust=Trust(hall.roots.keys, hall.roots.threshold, hall.manifest()),
        synced_at=now,
        doors=doors,
        locks=locks,
        rights=rights,
    )


def _known(place: Place, kind: str) -> Place:
    """The lock as the phone knows it: before it was moved, if its right is for an earlier binding."""
    if kind != "earlier binding":
        return place
    return Place(
        place.name,
        place.settings,
        place.secrets,
        secret(f"{place.name}/earlier")[:8],
        secret(f"{place.name}/earlier adv"),
    )


def _right(binding: bytes, encoded: bytes) -> Right:
    try:
        claims = token.parse(encoded).claims
    except ProtocolError as error:
        raise RuntimeError("a token of the bench must at least be well-formed") from error
    return Right(
        token_id=claims.token_id,
        binding=binding,
        token=encoded,
        not_before=claims.not_before,
        expires=claims.expires,
        scope=int(claims.scope),
    )

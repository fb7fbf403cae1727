"""What a story's phones say: good requests, bulletins and statements, and the same with one thing wrong."""

from __future__ import annotations

from typing import Any

from fuzz.luck import Luck
from fuzz.mutations import altered, loosely, mutated
from fuzz.signing import commission, one_signer
from protocol import bulletin, cbor, cose, receipt, seal
from protocol.commission import encode
from protocol.errors import ProtocolError
from protocol.keys import HolderKey, SigningKey
from protocol.phonekeys import P256Key, PhoneKey, X25519Key
from protocol.receipt import Receipt
from tests.protocol.vectors import world
from tests.protocol.vectors.trust import first_bulletin
from tests.protocol.vectors.world import HOUR, seed

FORGER = SigningKey.from_seed(world.TOKEN_KEY.kid, seed("forger"))
REVOKED_IDS = tuple(seed(f"revoked {n}", 8) for n in range(3))
MANIFESTS = (None, None, None, world.MANIFEST_BYTES, world.NEXT_MANIFEST_BYTES)
_STEPS = (0, 1, -1, 299, 301, -299, -301, 3600, -3600, 86_399, 86_401, -86_401, 10**6)


PHONES: tuple[PhoneKey, ...] = (
    X25519Key(seed("phone 0")),
    X25519Key(seed("phone 1")),
    P256Key(seed("phone 2")),
)
"""Two phones of suite 1 and one of suite 2."""
HOLDERS = tuple(phone.holder for phone in PHONES)
_PACKAGE = encode(world.TRUSTED, world.MANIFEST_BYTES, first_bulletin(binding=world.OTHER_BINDING, seq=1))
_NEWS = cose.context("bulletin")
_TIME = cose.context("fresh-time")


def _encoded(body: Any, luck: Luck, *, spoil: bool) -> bytes:
    """A payload; with ``spoil``, one item in it is another."""
    try:
        return cbor.encode(altered(body, luck) if spoil else body)
    except ProtocolError:
        return loosely(body, luck)


def token(luck: Luck, holder: HolderKey, now: int) -> bytes:
    """A token for ``holder``; half of them are as they should be."""
    claims: dict[int, Any] = {3: world.BINDING, 4: now + 4 * HOUR, 5: now - HOUR, 6: now - HOUR}
    claims |= {7: seed("cti", 8), 9: 1 + luck.below(7), -65537: luck.pick((1, 1, 2, 9))}
    key, how = world.TOKEN_KEY, luck.below(16)
    if how == 8:
        claims[luck.pick((4, 5, 6))] += luck.pick(_STEPS)
    elif how == 9:
        begins = now + luck.pick(_STEPS)
        claims |= {5: begins, 4: begins + luck.pick((1, 300, HOUR, 48 * HOUR)), 6: begins - luck.below(7200)}
    elif how == 10:
        claims[7] = luck.pick(REVOKED_IDS)
    elif how == 11:
        claims[3] = luck.pick((world.OTHER_BINDING, bytes(8)))
    elif how == 12:
        key = luck.pick((FORGER, world.BULLETIN_KEY, world.NEXT_TOKEN_KEY))
    elif how == 13:
        holder = luck.pick(HOLDERS)
    aad = cose.context("token", holder.encoded)
    payload = _encoded(claims, luck, spoil=how == 14)
    made = cose.sign1(payload, key, aad)
    return mutated(made, luck, one_signer(aad, key)) if how == 15 else made


def request(luck: Luck, holder: HolderKey, now: int, request_id: bytes) -> bytes:
    """The plaintext of an m1."""
    command = luck.pick((1, 1, 1, 2, 2, 3))
    made = cbor.encode([command, request_id, token(luck, holder, now)])
    return mutated(made, luck) if luck.below(16) == 15 else made


def news(luck: Luck, seq: int, now: int, known: Receipt) -> bytes:
    """A bulletin after number ``seq``; ``known`` is a receipt that is true of the lock's log."""
    body: dict[int, Any] = {
        1: world.BINDING,
        2: world.LOCK.lock_id,
        3: seq + luck.pick((1, 1, 1, 2, 0, -1)),
        4: now + luck.pick((0, 0, 0, *_STEPS)),
        5: sorted({bulletin.revoked_hash(world.BINDING, one) for one in REVOKED_IDS[: luck.below(4)]}),
        6: {2: now - HOUR} if luck.below(4) == 1 else {},
        7: 0 if luck.below(16) else now,
        8: world.SETTINGS.as_map() | {1: 1 + luck.below(5), 2: luck.pick((0, 7, 120)), 6: luck.below(2)},
    }
    if (brought := luck.pick(MANIFESTS)) is not None:
        body[9] = brought
    if luck.below(3) == 1:
        body[10] = _receipt(luck, known)
    if luck.below(8) == 1:
        body[11] = seal.seal_adv_keys(
            (world.ADV_KEY,), world.LOCK.seal_public, world.BINDING, max(0, body[3])
        )
    key = luck.pick((world.BULLETIN_KEY,) * 6 + (world.NEXT_BULLETIN_KEY, world.TOKEN_KEY))
    how = luck.below(8)
    made = cose.sign1(_encoded(body, luck, spoil=how == 6), key, _NEWS)
    return mutated(made, luck, one_signer(_NEWS, key)) if how == 7 else made


def _receipt(luck: Luck, known: Receipt) -> bytes:
    how = luck.below(6)
    if how == 3:
        known = Receipt(known.lock_id, known.epoch, known.seq + 1, known.hash, known.time)
    elif how == 4:
        known = Receipt(known.lock_id, known.epoch + 1, known.seq, known.hash, known.time)
    made = receipt.sign(known, world.RECEIPT_KEY)
    return mutated(made, luck)[: receipt.MAX_SIZE] or made if how == 5 else made


def service(luck: Luck, now: int) -> list[Any]:
    """What an installer's phone might say; no package is good, some orders to end the binding are."""
    how = luck.below(8)
    if how < 2:
        return [22]
    if how == 2:
        order = cbor.encode([world.LOCK.lock_id, luck.pick((world.BINDING, bytes(8))), now])
        key = luck.pick((world.BULLETIN_KEY, world.TOKEN_KEY))
        return [23, cose.sign1(order, key, cose.context("retire"))]
    if how == 3:
        return [21, mutated(_PACKAGE, luck, commission)[:12_000] or b"\0"]
    if how == 4:
        return [19, luck.take(60)]
    if how == 5:
        return [20, luck.below(65_536), luck.take(1 + luck.below(40))]
    return [luck.pick((19, 20, 21, 22, 23)), luck.take(luck.below(20))]


def statement(luck: Luck, m0_hash: bytes, now: int) -> bytes:
    """Fresh time for this session, or for none."""
    body: list[Any] = [world.BINDING, m0_hash, now + luck.pick((0, 0, *_STEPS))]
    key = luck.pick((world.BULLETIN_KEY,) * 5 + (world.TOKEN_KEY,))
    how = luck.below(6)
    made = cose.sign1(_encoded(body, luck, spoil=how == 4), key, _TIME)
    return mutated(made, luck, one_signer(_TIME, key)) if how == 5 else made

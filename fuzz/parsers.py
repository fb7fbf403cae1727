"""Every parser of the protocol as a target, held against the independent reader of the page."""

from __future__ import annotations

from typing import Any

from fuzz import signing
from fuzz.comparison import ACCEPTED, REFUSED, compared, rewritten, vectors
from fuzz.target import Target
from lockagent.core.bulletins import BulletinRefusedError, examine
from lockagent.core.clock import Anchor, Clock, RtcReading
from lockagent.core.judge import Bench, Hearing, judge
from lockagent.core.memory import Binding
from lockagent.core.requests import KnownRequests
from lockagent.core.uncertain import UncertainUse
from protocol import (
    advert,
    bulletin,
    cbor,
    commission,
    cose,
    freshtime,
    identity,
    lockrecord,
    log,
    manifest,
    messages,
    receipt,
    seal,
    token,
)
from protocol.batchhead import Head
from protocol.entries import Entry
from protocol.errors import ProtocolError
from protocol.keys import SigningKey
from protocol.manifest import Role
from protocol.messages import Request
from tests.protocol.independent import carried, door, form, trust
from tests.protocol.vectors import logs, world

_PAGE_MANIFEST = trust.manifest(world.MANIFEST_BYTES, (sorted(key.public for key in world.ROOTS), 2))
_LOCK_ID = world.LOCK.lock_id
_HELD = Binding(world.MANIFEST, world.MANIFEST_BYTES, world.BULLETIN, world.BULLETIN_BYTES, (world.ADV_KEY,))


def _signed(name: str, *keys: SigningKey) -> Any:
    return signing.one_signer(cose.context(name), *keys)


def _our_bulletin(data: bytes) -> str:
    try:
        examine(data, _HELD, _LOCK_ID, world.LOCK_SEAL)
    except BulletinRefusedError as refused:
        return refused.reason.slug
    return "granted"


def _our_token(data: bytes) -> object:
    parsed = token.parse(data)
    key = world.MANIFEST.verify_key(Role.TOKEN, parsed.kid)
    return parsed.verify(key, world.PHONE_KEY) if key is not None else REFUSED


def _our_batch(data: bytes) -> object:
    return log.parse(data).verify(world.LOCK.log_key).lock_id == _LOCK_ID or REFUSED


def _our_manifest(data: bytes) -> object:
    """As inside a bulletin: one that is not newer is passed over."""
    return manifest.verify(data, world.TRUSTED).municipality == world.MUNICIPALITY or REFUSED


def _our_commission(data: bytes) -> str:
    try:
        package = commission.verify(data)
    except ProtocolError:
        return "commission_invalid"
    reason = commission.judge(package, lock_id=_LOCK_ID, held=None, newest=None)
    if reason:
        return reason.slug
    first = package.bulletin
    try:
        seal.open_adv_keys(first.secrets or b"", world.LOCK_SEAL, first.binding, first.seq)
    except ProtocolError:
        return "commission_wrong_lock"
    return "granted"


def _our_judgement(data: bytes) -> str:
    clock = Clock(Anchor(world.NOW, 0, world.NOW, certain=True), RtcReading(0), 0.0)
    bench = Bench(_HELD, clock, 0.0, KnownRequests(), UncertainUse())
    return judge(Hearing(bench, world.PHONE_KEY, data)).reason.slug


def _page_token(data: bytes) -> None:
    message = door.token(data)
    public = _PAGE_MANIFEST.key(trust.TOKEN, message.kid)
    message.verify(public, trust.aad("token", world.PHONE_KEY.encoded))


def _page_judgement(data: bytes) -> str:
    body = carried.bulletin_form(world.BULLETIN_BYTES).body
    lock = door.Lock(world.BINDING, _PAGE_MANIFEST, body, world.NOW, True, 0, False, False, None)
    return door.judge(lock, world.PHONE_KEY.encoded, data)


def _page_bulletin(data: bytes) -> str:
    seq = world.BULLETIN.seq
    held = carried.Held(world.BINDING, _LOCK_ID, seq, _PAGE_MANIFEST, world.LOCK_SEAL)
    return carried.take(data, held)[0]


def _page_receipt(data: bytes) -> None:
    message = trust.signed("receipt", data, form.limit("receipt"))
    message.verify(_PAGE_MANIFEST.key(trust.RECEIPT, message.kid), trust.aad("receipt"))


def _page_time(data: bytes) -> None:
    message = trust.signed("fresh-time", data, form.limit("fresh time, bytes"))
    message.verify(_PAGE_MANIFEST.key(trust.BULLETIN, message.kid), trust.aad("fresh-time"))


def _page_manifest(data: bytes) -> None:
    trust.successor(data, _PAGE_MANIFEST)


def _page_alert(data: bytes) -> None:
    if len(data) != 1:
        raise form.MalformedError("alert")


_TALK = vectors("session")
PARSERS: tuple[Target, ...] = (
    compared(
        "cbor",
        lambda d: cbor.decode(d, max_size=4096),
        form.read,
        vectors("cbor"),
        again=rewritten,
        share=2,
        reads=("cbor.decode",),
    ),
    compared(
        "token",
        _our_token,
        _page_token,
        vectors("token"),
        sign=signing.token,
        again=lambda d: token.issue(token.parse(d).claims, world.TOKEN_KEY, world.PHONE_KEY),
        share=2,
        reads=("token.parse",),
    ),
    compared(
        "judgement",
        _our_judgement,
        _page_judgement,
        vectors("judgement", "request"),
        sign=signing.request,
        again=lambda d: Request.parse(d).encode(),
        share=4,
        reads=("messages.Request.parse", "token.parse"),
    ),
    compared(
        "bulletin",
        _our_bulletin,
        _page_bulletin,
        vectors("bulletin"),
        sign=signing.bulletin,
        again=lambda d: bulletin.sign(
            bulletin.parse(d).body, signing.BULLETIN_KEYS[bulletin.parse(d).message.kid]
        ),
        share=3,
        reads=("bulletin.parse", "manifest.accept"),
    ),
    compared(
        "manifest",
        _our_manifest,
        _page_manifest,
        vectors("manifest"),
        sign=signing.roots,
        again=rewritten,
        share=2,
        reads=("cose.parse", "manifest.verify", "manifest.read_payload"),
    ),
    compared(
        "commission",
        _our_commission,
        lambda d: trust.commission(d, _LOCK_ID, world.LOCK_SEAL, None),
        vectors("commission"),
        sign=signing.commission,
        again=rewritten,
        share=2,
        reads=("commission.verify", "seal.open_adv_keys"),
    ),
    compared(
        "lock-identity",
        identity.verify,
        trust.identity,
        vectors("lock-identity"),
        sign=_signed("lock-identity", world.LOCK_LOG_KEY),
        again=lambda d: identity.sign(identity.verify(d), world.LOCK_LOG_KEY),
        reads=("identity.verify",),
    ),
    compared(
        "lock-record",
        lambda d: lockrecord.verify(d, world.MANIFEST),
        lambda d: trust.lock_record(d, _PAGE_MANIFEST),
        vectors("lock-record"),
        sign=_signed("lock-record", world.BULLETIN_KEY),
        again=lambda d: lockrecord.sign(lockrecord.verify(d, world.MANIFEST), world.BULLETIN_KEY),
        reads=("lockrecord.verify",),
    ),
    compared(
        "fresh-time",
        lambda d: freshtime.verify(d, world.MANIFEST),
        _page_time,
        vectors("fresh-time"),
        sign=_signed("fresh-time", world.BULLETIN_KEY),
        again=lambda d: freshtime.sign(freshtime.verify(d, world.MANIFEST), world.BULLETIN_KEY),
        reads=("freshtime.verify",),
    ),
    compared(
        "receipt",
        lambda d: receipt.verify(d, world.MANIFEST),
        _page_receipt,
        vectors("receipt"),
        sign=_signed("receipt", world.RECEIPT_KEY),
        again=lambda d: receipt.sign(receipt.verify(d, world.MANIFEST), world.RECEIPT_KEY),
        reads=("receipt.verify",),
    ),
    compared(
        "log-batch",
        _our_batch,
        lambda d: carried.batch(d, _LOCK_ID, world.LOCK.log_public),
        lambda: [*vectors("log")(), logs.BATCH_BYTES],
        sign=_signed("log-batch", world.LOCK_LOG_KEY),
        again=lambda d: log.sign(log.parse(d).body, world.LOCK_LOG_KEY),
        share=2,
        reads=("log.parse", "cose.parse1"),
    ),
    compared(
        "entry",
        Entry.decode,
        carried.entry,
        lambda: [one.encode() for one in logs.ENTRIES] + vectors("log")(),
        again=lambda d: Entry.decode(d).encode(),
        reads=("entries.Entry.decode",),
    ),
    compared(
        "sealed-log",
        seal.parse_log,
        lambda d: form.shaped("sealed-log", d, form.limit("sealed batch")),
        vectors("sealed"),
        again=rewritten,
        reads=("seal.parse_log",),
    ),
    compared(
        "from-lock",
        messages.parse_from_lock,
        lambda d: door.message("lock-message", d),
        _TALK,
        again=lambda d: messages.encode(messages.parse_from_lock(d)),
        reads=("messages.parse_from_lock",),
    ),
    compared(
        "from-phone",
        messages.parse_from_phone,
        lambda d: door.message("phone-message", d),
        _TALK,
        again=lambda d: messages.encode(messages.parse_from_phone(d)),
        reads=("messages.parse_from_phone",),
    ),
    compared(
        "advert",
        lambda d: advert.parse(d).data == d,
        lambda d: door.resolve(d, []) or ACCEPTED,
        lambda: [advert.make(world.ADV_KEY, bytes(8)).data],
        again=lambda d: advert.parse(d).data,
        reads=("advert.parse",),
    ),
    compared("alert", messages.parse_alert, _page_alert, lambda: [b"\x01"], reads=("messages.parse_alert",)),
    compared(
        "batch-head",
        Head.decode,
        lambda d: form.shaped("batch-head", d),
        lambda: [Head.of(logs.BATCH, bytes(64)).encode()],
        again=lambda d: Head.decode(d).encode(),
        reads=("batchhead.Head.decode",),
    ),
)

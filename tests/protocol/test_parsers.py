"""Every parser, given wrong bytes of every kind: it refuses with ProtocolError and never trips."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocol import (
    advert,
    bulletin,
    cbor,
    commission,
    cose,
    firmware,
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
from protocol.entries import Entry
from protocol.errors import ProtocolError
from protocol.keys import SigningKey
from protocol.messages import Request
from tests.protocol.vectors import files, logs, news, opening, trust, world
from tests.protocol.vectors import firmware as programs


@dataclass(frozen=True)
class Parser:
    """A parser with bytes it accepts. ``signed``: a change of any bit must be refused."""

    name: str
    read: Callable[[bytes], object]
    good: bytes
    signed: bool = False
    key: SigningKey | None = None
    aad: bytes = b""


def _fresh() -> bytes:
    return bytes.fromhex(files.load("fresh-time")["cases"][0]["bytes"])


def _package() -> bytes:
    return commission.encode(world.TRUSTED, world.MANIFEST_BYTES, trust.first_bulletin())


def _read_token(data: bytes) -> object:
    return token.parse(data).verify(world.TOKEN_KEY.verify_key, world.PHONE_KEY)


def _signed(name: str, read: Callable[[bytes], object], good: bytes, key: SigningKey) -> Parser:
    return Parser(name, read, good, True, key, cose.context(name))


PARSERS = [
    Parser(
        "token",
        _read_token,
        world.TOKEN,
        True,
        world.TOKEN_KEY,
        cose.context("token", world.PHONE_KEY.encoded),
    ),
    _signed(
        "bulletin",
        lambda d: bulletin.parse(d).verify(world.MANIFEST),
        world.BULLETIN_BYTES,
        world.BULLETIN_KEY,
    ),
    _signed(
        "lock-record", lambda d: lockrecord.verify(d, world.MANIFEST), world.RECORD_BYTES, world.BULLETIN_KEY
    ),
    _signed("fresh-time", lambda d: freshtime.verify(d, world.MANIFEST), _fresh(), world.BULLETIN_KEY),
    _signed("receipt", lambda d: receipt.verify(d, world.MANIFEST), news.RECEIPT_BYTES, world.RECEIPT_KEY),
    _signed("lock-identity", identity.verify, world.IDENTITY_BYTES, world.LOCK_LOG_KEY),
    _signed(
        "log-batch", lambda d: log.parse(d).verify(world.LOCK.log_key), logs.BATCH_BYTES, world.LOCK_LOG_KEY
    ),
    Parser("manifest", lambda d: manifest.verify(d, world.TRUSTED), world.MANIFEST_BYTES, True),
    Parser("commission", commission.verify, _package(), True),
    _signed(
        "firmware", lambda d: firmware.verify(d, world.MANIFEST), programs.HEADER_BYTES, world.FIRMWARE_KEY
    ),
    Parser("firmware file", firmware.parse_file, bytes.fromhex(files.load("firmware")["file"])),
    Parser("request", Request.parse, opening.REQUEST.encode()),
    Parser("entry", Entry.decode, logs.ENTRIES[3].encode()),
    Parser("sealed log", seal.parse_log, bytes.fromhex(files.load("sealed")["log"]["bytes"])),
    Parser("advert", advert.parse, advert.make(world.ADV_KEY, bytes(8)).data),
    Parser("alert", messages.parse_alert, b"\x01"),
    *(
        Parser(f"lock: {one['name']}", messages.parse_from_lock, bytes.fromhex(one["bytes"]))
        for one in files.load("session")["from_lock"]
    ),
    *(
        Parser(f"phone: {one['name']}", messages.parse_from_phone, bytes.fromhex(one["bytes"]))
        for one in files.load("session")["from_phone"]
    ),
]
every = pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.name)
signed = pytest.mark.parametrize(
    "parser", [one for one in PARSERS if one.key is not None], ids=lambda parser: parser.name
)


@every
def test_good_bytes_are_accepted(parser: Parser) -> None:
    parser.read(parser.good)


@every
def test_cut_short_anywhere(parser: Parser) -> None:
    for length in range(len(parser.good)):
        with pytest.raises(ProtocolError):
            parser.read(parser.good[:length])


@every
def test_followed_by_anything(parser: Parser) -> None:
    for extra in (b"\0", b"\xf6", parser.good):
        with pytest.raises(ProtocolError):
            parser.read(parser.good + extra)


@every
def test_a_flipped_bit(parser: Parser) -> None:
    """In what is signed no bit can change; elsewhere a change may be another message, but never trips."""
    for at in range(len(parser.good)):
        bit = 1 << (at * 5 % 8)
        data = parser.good[:at] + bytes([parser.good[at] ^ bit]) + parser.good[at + 1 :]
        try:
            parser.read(data)
        except ProtocolError:
            continue
        assert not parser.signed


@every
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.binary(max_size=300))
def test_noise(parser: Parser, data: bytes) -> None:
    try:
        parser.read(data)
    except ProtocolError:
        return
    assert not parser.signed


@every
def test_far_too_large(parser: Parser) -> None:
    for data in (bytes(100_000), b"\x81" * 100_000, b"\x5a\x00\x01\x86\xa0" + bytes(100_000)):
        with pytest.raises(ProtocolError):
            parser.read(data)


HOSTILE: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    255,
    2**32,
    2**64 - 1,
    -(2**64),
    b"",
    bytes(7),
    bytes(8),
    bytes(32),
    "",
    "text",
    [],
    [[]],
    [0] * 20,
    {},
    {0: 0},
    {b"": None, "": []},
]


def _mutants(value: Any) -> Iterator[Any]:
    """``value`` with any one item in it replaced, left out or doubled."""
    yield from HOSTILE
    if isinstance(value, list):
        for at, item in enumerate(value):
            yield value[:at] + value[at + 1 :]
            yield [*value[:at], item, *value[at:]]
            yield from ([*value[:at], one, *value[at + 1 :]] for one in _mutants(item))
    if isinstance(value, dict):
        for key, item in value.items():
            yield {k: v for k, v in value.items() if k != key}
            yield value | {99: item}
            yield from (value | {key: one} for one in _mutants(item))


def _trips(parser: Parser, data: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        parser.read(data)


@every
def test_any_item_replaced_by_any_other(parser: Parser) -> None:
    if parser.name in ("advert", "alert"):
        return
    for mutant in _mutants(cbor.decode(parser.good, max_size=20_000)):
        _trips(parser, cbor.encode(mutant))


@signed
def test_any_item_replaced_under_a_good_signature(parser: Parser) -> None:
    """A signer gone wild: what it signs is still refused or understood, never tripped over."""
    assert parser.key is not None
    payload = cose.parse1(parser.good, max_size=20_000).payload
    for mutant in _mutants(cbor.decode(payload, max_size=20_000)):
        _trips(parser, cose.sign1(cbor.encode(mutant), parser.key, parser.aad))


@signed
def test_signed_as_something_else(parser: Parser) -> None:
    """A signature made for one kind of message never holds for another."""
    assert parser.key is not None
    payload = cose.parse1(parser.good, max_size=20_000).payload
    for other in PARSERS:
        if other.aad and other.aad != parser.aad:
            with pytest.raises(ProtocolError):
                parser.read(cose.sign1(payload, parser.key, other.aad))
    with pytest.raises(ProtocolError):
        parser.read(cose.sign1(payload, parser.key, b""))

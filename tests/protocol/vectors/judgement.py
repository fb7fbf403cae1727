"""Vectors for the order of checks: a request, what the lock knows, and the reason it must answer with."""

from dataclasses import replace
from typing import Any

from protocol import bulletin, cbor, token
from protocol.keys import SigningKey
from protocol.messages import Command, Request
from protocol.token import Scope
from tests.protocol.vectors import tokens, world
from tests.protocol.vectors.world import HOUR, NOW

_DAY = 24 * HOUR


def _issued(key: SigningKey = world.TOKEN_KEY, **changes: Any) -> bytes:
    return token.issue(replace(world.CLAIMS, **changes), key, world.PHONE_KEY)


def _request(encoded: bytes, command: int = Command.OPEN) -> bytes:
    return Request(command, world.REQUEST_ID, encoded).encode()


def _case(name: str, reason: str, request: bytes, **knows: Any) -> dict[str, Any]:
    """``knows``: what differs from a lock that knows the time and is doing nothing else."""
    lock: dict[str, Any] = {"now": NOW, "certain": True, "openings": 0, "busy": False, "known": False}
    lock["battery"] = None
    lock["bulletin"] = world.BULLETIN_BYTES
    return {"name": name, "reason": reason, "request": request, "lock": lock | knows}


def _bulletin(**changes: Any) -> bytes:
    return bulletin.sign(replace(world.BULLETIN, **changes), world.BULLETIN_KEY)


def _forms() -> list[dict[str, Any]]:
    good = _request(world.TOKEN)
    cases = [
        _case("open", "granted", good),
        _case("lock", "granted", _request(world.TOKEN, Command.LOCK)),
        _case("request cut short", "malformed", good[:-1]),
        _case("request with a byte after it", "malformed", good + b"\0"),
        _case("service", "granted", _request(_issued(scope=Scope.SERVICE), Command.SERVICE)),
        _case("unknown command", "malformed", _request(world.TOKEN, 4)),
        _case("command as an array", "malformed", cbor.encode([[], world.REQUEST_ID, world.TOKEN])),
        _case("request id of 7 bytes", "malformed", cbor.encode([1, bytes(7), world.TOKEN])),
        _case("no token", "malformed", cbor.encode([1, world.REQUEST_ID, b""])),
        _case("token as text", "malformed", cbor.encode([1, world.REQUEST_ID, "token"])),
    ]
    cases += [
        _case(f"token: {name}", "malformed", _request(data)) for name, data in tokens.malformed_tokens()
    ]
    cases += [
        _case(f"token: {name}", "token_invalid", _request(data)) for name, data in tokens.invalid_tokens()
    ]
    return cases


def _rights() -> list[dict[str, Any]]:
    revoked = _issued(token_id=world.REVOKED_TOKEN_ID)
    return [
        _case("unknown kid", "key_unknown", _request(_issued(world.NEXT_TOKEN_KEY))),
        _case("kid of a key with another role", "key_unknown", _request(_issued(world.BULLETIN_KEY))),
        _case("other binding", "wrong_binding", _request(_issued(binding=world.OTHER_BINDING))),
        _case("revoked", "revoked", _request(revoked)),
        _case("provider ended", "provider_ended", _request(_issued(grp=9))),
        _case("issued the second the provider ended", "granted", _request(_issued(grp=9, issued_at=NOW))),
        _case("provider ended before", "granted", _request(_issued(grp=300))),
        _case(
            "not-before for all",
            "provider_ended",
            _request(world.TOKEN),
            bulletin=_bulletin(not_before=NOW - HOUR + 1),
        ),
        _case("open with a right to lock", "not_permitted", _request(_issued(scope=Scope.LOCK))),
        _case(
            "lock with a right to open", "not_permitted", _request(_issued(scope=Scope.OPEN), Command.LOCK)
        ),
        _case("open with a right to service", "not_permitted", _request(_issued(scope=Scope.SERVICE))),
        _case(
            "service with a right to open and lock", "not_permitted", _request(world.TOKEN, Command.SERVICE)
        ),
        _case("another phone is acting", "busy", _request(world.TOKEN), busy=True),
        _case("granted before", "granted", _request(world.TOKEN), known=True),
        _case(
            "granted before, another phone is acting", "granted", _request(world.TOKEN), busy=True, known=True
        ),
        _case("granted before, revoked since", "revoked", _request(revoked), known=True),
        *_last_energy(),
    ]


def _last_energy() -> list[dict[str, Any]]:
    """A battery at its reserve, at a lock that is to open with it and at one that keeps it for locking."""
    keeps = _bulletin(settings=replace(world.SETTINGS, open_with_last_energy=False))
    good, lock = _request(world.TOKEN), _request(world.TOKEN, Command.LOCK)
    other = _request(_issued(scope=Scope.LOCK))
    return [
        _case("reserve, to be opened with", "granted", good, battery=5),
        _case("reserve, kept for locking", "battery_empty", good, battery=5, bulletin=keeps),
        _case("more than the reserve", "granted", good, battery=6, bulletin=keeps),
        _case("reserve, lock", "granted", lock, battery=0, bulletin=keeps),
        _case("reserve, granted before", "granted", good, battery=0, known=True, bulletin=keeps),
        _case("no such scope, reserve", "not_permitted", other, battery=0, bulletin=keeps),
        _case("busy, reserve", "busy", good, battery=0, busy=True, bulletin=keeps),
        _case("mains", "granted", good, bulletin=keeps),
    ]


def _times() -> list[dict[str, Any]]:
    good, end = _request(world.TOKEN), world.CLAIMS.expires
    return [
        _case("five minutes early", "granted", good, now=NOW - 300),
        _case("a second earlier", "not_yet_valid", good, now=NOW - 301),
        _case("five minutes late", "granted", good, now=end + 300),
        _case("a second later", "expired", good, now=end + 301),
        _case(
            "bulletin a day older than the token",
            "granted",
            good,
            bulletin=_bulletin(time=NOW - HOUR - _DAY),
        ),
        _case("a second older", "need_update", good, bulletin=_bulletin(time=NOW - HOUR - _DAY - 1)),
        _case(
            "slow clock set right by iat", "granted", _request(_issued(issued_at=NOW)), now=NOW - 20 * HOUR
        ),
        _case(
            "iat moves the clock a day at most",
            "not_yet_valid",
            _request(_issued(issued_at=NOW)),
            now=NOW - _DAY - 301,
        ),
        _case("uncertain time, before nbf", "granted", good, now=NOW - 2 * HOUR, certain=False),
        _case("uncertain time, bound after exp", "expired", good, now=end + 301, certain=False),
        _case("uncertain time, sixteenth opening", "granted", good, certain=False, openings=15),
        _case("uncertain time, seventeenth", "time_uncertain", good, certain=False, openings=16),
        _case(
            "uncertain time, sixteenth asked again", "granted", good, certain=False, openings=16, known=True
        ),
        _case("certain time, seventeenth", "granted", good, openings=16),
    ]


def _orders() -> list[dict[str, Any]]:
    """Requests with two faults: the earlier check names the reason."""
    away: dict[str, Any] = {"binding": world.OTHER_BINDING}
    strange = replace(world.CLAIMS, **away)
    others = token.issue(strange, world.TOKEN_KEY, world.OTHER_PHONE_KEY)
    late = world.CLAIMS.expires + 301
    revoked: dict[str, Any] = {"token_id": world.REVOKED_TOKEN_ID}
    stale = _bulletin(time=NOW - 3 * _DAY)
    return [
        _case("unknown kid, other binding", "key_unknown", _request(_issued(world.NEXT_TOKEN_KEY, **away))),
        _case("other binding, other phone's", "wrong_binding", _request(others)),
        _case("tampered, late", "token_invalid", _request(tokens.invalid_tokens()[1][1]), now=late),
        _case("late, bulletin stale", "expired", _request(world.TOKEN), now=late, bulletin=stale),
        _case("bulletin stale, revoked", "need_update", _request(_issued(**revoked)), bulletin=stale),
        _case(
            "allowance used up, revoked",
            "time_uncertain",
            _request(_issued(**revoked)),
            certain=False,
            openings=16,
        ),
        _case("revoked, provider ended", "revoked", _request(_issued(**revoked, grp=9))),
        _case("provider ended, no such scope", "provider_ended", _request(_issued(grp=9, scope=Scope.LOCK))),
        _case("no such scope, busy", "not_permitted", _request(_issued(scope=Scope.LOCK)), busy=True),
    ]


def judgement_file() -> dict[str, Any]:
    return {
        "about": "Section 13, checks 4 to 16, under the manifest of manifest.json. openings: of this token"
        " since the time was lost; known: this very request was granted before.",
        "binding": world.BINDING,
        "holder": world.PHONE_KEY.encoded,
        "manifest": world.MANIFEST_BYTES,
        "cases": _forms() + _rights() + _times() + _orders(),
        "revoked_hash": {
            "binding": world.BINDING,
            "cti": world.REVOKED_TOKEN_ID,
            "hash": bulletin.revoked_hash(world.BINDING, world.REVOKED_TOKEN_ID),
        },
    }

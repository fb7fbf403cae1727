"""The judgement of one request, check by check in the order of the specification.

Length, mac1 and AEAD come before (see `links`), writing to the log, m2, motor and m3 after (see `actor`).
Each check returns the reason it refuses for, or None to let the next one look.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from lockagent.core.clock import EDGE_SECONDS, Clock
from lockagent.core.memory import Binding
from lockagent.core.requests import KnownRequest, KnownRequests, RequestKey
from lockagent.core.uncertain import UncertainUse
from protocol import token
from protocol.bulletin import STALE_AFTER
from protocol.errors import ProtocolError, SignatureError
from protocol.keys import HolderKey, VerifyKey
from protocol.manifest import Role
from protocol.messages import Command, Request
from protocol.reasons import Reason
from protocol.token import TokenClaims, UnverifiedToken


@dataclass(frozen=True)
class Bench:
    """What the lock judges by at this moment."""

    binding: Binding
    clock: Clock
    mono: float
    known: KnownRequests
    uncertain: UncertainUse
    busy_with: RequestKey | None = None
    """The request another phone's motor run belongs to, if one is under way."""
    reserve_only: bool = False
    """What the battery still holds is kept for locking."""


@dataclass
class Hearing:
    """One request on its way through the checks, with what has come to light so far."""

    bench: Bench
    holder: HolderKey
    plaintext: bytes
    request: Request | None = None
    unverified: UnverifiedToken | None = None
    key: VerifyKey | None = None
    claims: TokenClaims | None = None
    known: KnownRequest | None = None
    time_uncertain: bool = False
    reason: Reason = field(default=Reason.GRANTED)

    @property
    def request_key(self) -> RequestKey:
        """Phone, command and request id; only after `canonical` has passed."""
        request = _proved(self.request)
        return RequestKey(self.holder.fingerprint, int(request.command), request.request_id)

    @property
    def command(self) -> Command:
        """What is asked; only after `canonical` has passed."""
        return Command(_proved(self.request).command)


_T = TypeVar("_T")
Check = Callable[[Hearing], Reason | None]


def judge(hearing: Hearing) -> Hearing:
    """Run the checks in order up to the first that refuses; the verdict is `hearing.reason`."""
    for check in CHECKS:
        refusal = check(hearing)
        if refusal is not None:
            hearing.reason = refusal
            return hearing
    hearing.reason = Reason.GRANTED
    return hearing


def canonical(hearing: Hearing) -> Reason | None:
    """Request and token are deterministic CBOR of the specified form."""
    try:
        hearing.request = Request.parse(hearing.plaintext)
        hearing.unverified = token.parse(hearing.request.token)
    except ProtocolError:
        return Reason.MALFORMED
    return None


def issuer_key(hearing: Hearing) -> Reason | None:
    """The key id names a token key of the manifest (the algorithm is fixed by the parser)."""
    kid = _proved(hearing.unverified).kid
    hearing.key = hearing.bench.binding.manifest.verify_key(Role.TOKEN, kid)
    return Reason.KEY_UNKNOWN if hearing.key is None else None


def audience(hearing: Hearing) -> Reason | None:
    """The token is for this lock on this door since its last mounting."""
    ours = hearing.bench.binding.bulletin.binding
    return None if _proved(hearing.unverified).claims.binding == ours else Reason.WRONG_BINDING


def signature(hearing: Hearing) -> Reason | None:
    """The issuer signed these claims for the key this phone proved to hold."""
    try:
        hearing.claims = _proved(hearing.unverified).verify(_proved(hearing.key), hearing.holder)
    except SignatureError:
        return Reason.TOKEN_INVALID
    bench = hearing.bench
    bench.clock.learn_issue(hearing.claims.issued_at, bench.mono)
    return None


def window(hearing: Hearing) -> Reason | None:
    """The token is valid now, as far as the lock knows what now is."""
    claims, bench = _proved(hearing.claims), hearing.bench
    now = bench.clock.now(bench.mono)
    if bench.clock.certain and now < claims.not_before - EDGE_SECONDS:
        return Reason.NOT_YET_VALID
    if now > claims.expires + EDGE_SECONDS:
        return Reason.EXPIRED
    return None


def fresh_news(hearing: Hearing) -> Reason | None:
    """The phone has not kept newer news from the lock: its bulletin is not a day older than the token."""
    stale = _proved(hearing.claims).issued_at - hearing.bench.binding.bulletin.time > STALE_AFTER
    return Reason.NEED_UPDATE if stale else None


def lost_time(hearing: Hearing) -> Reason | None:
    """Without certain time a token works only so often and so long, whatever its window says."""
    bench = hearing.bench
    if bench.clock.certain:
        return None
    hearing.time_uncertain = True
    # A repeated request is only told what came of it: that uses nothing up.
    known = bench.known.find(hearing.request_key) is not None
    allowed = known or bench.uncertain.allows(_proved(hearing.claims), bench.mono)
    return None if allowed else Reason.TIME_UNCERTAIN


def revocation(hearing: Hearing) -> Reason | None:
    """The token is not on the bulletin's list."""
    revoked = hearing.bench.binding.bulletin.revokes(_proved(hearing.claims).token_id)
    return Reason.REVOKED if revoked else None


def provider(hearing: Hearing) -> Reason | None:
    """The provider the token stands for has not ended here."""
    claims = _proved(hearing.claims)
    ended = hearing.bench.binding.bulletin.ends(claims.grp, claims.issued_at)
    return Reason.PROVIDER_ENDED if ended else None


def scope(hearing: Hearing) -> Reason | None:
    """The token permits this operation."""
    permitted = _proved(hearing.claims).scope & hearing.command.scope
    return None if permitted else Reason.NOT_PERMITTED


def known_request(hearing: Hearing) -> Reason | None:
    """A request granted before is recognised; a new one waits for the phone that is acting."""
    hearing.known = hearing.bench.known.find(hearing.request_key)
    if hearing.known is None and hearing.bench.busy_with is not None:
        return Reason.BUSY
    return None


def energy(hearing: Hearing) -> Reason | None:
    """A lock that keeps its last energy for locking opens with more than that only."""
    opens = hearing.known is None and hearing.command is Command.OPEN
    return Reason.BATTERY_EMPTY if opens and hearing.bench.reserve_only else None


CHECKS: tuple[Check, ...] = (
    canonical,
    issuer_key,
    audience,
    signature,
    window,
    fresh_news,
    lost_time,
    revocation,
    provider,
    scope,
    known_request,
    energy,
)


def _proved(value: _T | None) -> _T:
    """What an earlier check has established; reaching this without it is a fault of the chain itself."""
    if value is None:
        raise RuntimeError("checks ran out of order")
    return value

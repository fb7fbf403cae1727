"""Who plays: a lock that guards nothing, one phone, and the right it has."""

from __future__ import annotations

from lockagent.core.identity import LockSecrets
from protocol import token
from protocol.phonekeys import X25519Key
from protocol.token import Scope, TokenClaims
from simulation.conformance.municipality import Place, secret

BEGIN = 1_790_000_000
"""Unix time at which the year begins."""
SHIFT_SECONDS = 8 * 3600
SECRETS = LockSecrets(secret("energy/static"), secret("energy/log"), secret("energy/seal"))
PHONE = X25519Key(secret("energy/phone"))


def right(place: Place, now: int) -> bytes:
    """Return a token for the shift that begins now."""
    claims = TokenClaims(
        binding=place.binding,
        not_before=now,
        expires=now + SHIFT_SECONDS,
        issued_at=now,
        token_id=secret(f"energy/cti/{now}")[:8],
        grp=1,
        scope=Scope.OPEN | Scope.LOCK,
    )
    return token.issue(claims, place.issuer.token_key, PHONE.holder)

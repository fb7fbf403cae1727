"""From a decision to what must be signed and what must go: pure, so that every case can be tried."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache

from protocol.token import MAX_LIFETIME, Scope
from server.access.models import Revocation, Token
from server.access.reasons import WhyNot
from server.access.rules import Decision, Right

SCOPE = Scope.OPEN | Scope.LOCK
"""What home care may do at a door."""

_REASONS = {
    WhyNot.NOT_EMPLOYED: Revocation.Reason.EMPLOYMENT_ENDED,
    WhyNot.ASSIGNMENT_ENDED: Revocation.Reason.ASSIGNMENT_ENDED,
    WhyNot.NO_ASSIGNMENT: Revocation.Reason.ASSIGNMENT_ENDED,
    WhyNot.NO_CLIENT_CONSENT: Revocation.Reason.CONSENT_WITHDRAWN,
    WhyNot.NO_OWNER_CONSENT: Revocation.Reason.CONSENT_WITHDRAWN,
    WhyNot.RIGHT_WITHDRAWN: Revocation.Reason.RIGHT_ENDED,
    WhyNot.RIGHT_OVER: Revocation.Reason.RIGHT_ENDED,
}


@dataclass(frozen=True)
class Window:
    """A token's window in whole seconds since 1970 UTC, never wider than the right's."""

    not_before: int
    expires: int

    @cached_property
    def start(self) -> datetime:
        """The window's start."""
        return datetime.fromtimestamp(self.not_before, UTC)

    @cached_property
    def end(self) -> datetime:
        """The window's end."""
        return datetime.fromtimestamp(self.expires, UTC)


@dataclass
class Plan:
    """What has to happen to one bearer's tokens of one duty."""

    sign: list[tuple[Right, Window]] = field(default_factory=list)
    replace: list[Token] = field(default_factory=list)
    """Superseded by a token that permits at least as much: of no harm where they still lie."""
    revoke: list[tuple[Token, str]] = field(default_factory=list)
    """They permit more than what is right now; with the reason, a `Revocation.Reason`."""

    @property
    def is_empty(self) -> bool:
        """Whether everything is as it should be."""
        return not (self.sign or self.replace or self.revoke)


@lru_cache(maxsize=1024)
def _window(not_before: datetime, expires: datetime) -> Window:
    """Round inwards to whole seconds; a morning's rights share a handful of windows."""
    start = -int(-not_before.timestamp() // 1)
    return Window(start, min(int(expires.timestamp()), start + MAX_LIFETIME))


def window_of(right: Right, *, at: datetime) -> Window | None:
    """Return the window to sign, or None when nothing useful would be left of it."""
    window = _window(right.not_before, right.expires)
    return window if window.start < window.end > at else None


def plan_tokens(
    decision: Decision,
    tokens: Iterable[Token],
    *,
    at: datetime,
    horizon: timedelta,
    ended_groups: Mapping[int, datetime],
) -> Plan:
    """Compare a decision with the tokens of the same bearer and duty that may still open.

    A replaced token did no harm while it permitted less than its successor; when the right shrinks below it,
    it must go as well, for the phone that holds it may be out of reach.

    `ended_groups`: by binding id, before when the provider's tokens there are dead by its group's not-before.
    """
    plan = Plan()
    held: dict[int, list[Token]] = {}
    superseded: list[Token] = []
    windows: dict[int, Window] = {}
    for token in tokens:
        if token.replaced_at is None:
            held.setdefault(token.binding_id, []).append(token)
        else:
            superseded.append(token)
    for right in decision.rights:
        window = window_of(right, at=at)
        if window is None or window.start >= at + horizon:
            continue
        windows[right.binding.pk] = window
        _compare(plan, right, window, held.pop(right.binding.pk, []), ended_groups.get(right.binding.pk))
    for left in held.values():
        plan.revoke += [(token, _why(decision, token)) for token in left]
    for token in superseded:
        window, dead_before = windows.get(token.binding_id), ended_groups.get(token.binding_id)
        dead = dead_before is not None and token.issued_at < dead_before
        if not dead and not (window and _within(token, window)):
            plan.revoke.append((token, _why(decision, token)))
    return plan


def _compare(
    plan: Plan, right: Right, window: Window, tokens: Sequence[Token], dead_before: datetime | None
) -> None:
    for token in tokens:
        dead = dead_before is not None and token.issued_at < dead_before
        if not dead and _same(token, window):
            return
        if dead or _within(token, window):
            plan.replace.append(token)
        else:
            plan.revoke.append((token, Revocation.Reason.PLAN_CHANGED))
    plan.sign.append((right, window))


def _same(token: Token, window: Window) -> bool:
    return (token.not_before, token.expires, token.scope) == (window.start, window.end, int(SCOPE))


def _within(token: Token, window: Window) -> bool:
    inside = window.start <= token.not_before and token.expires <= window.end
    return inside and not token.scope & ~int(SCOPE)


def _why(decision: Decision, token: Token) -> str:
    reason = decision.why_not(token.binding.door_id)
    return _REASONS.get(reason, Revocation.Reason.PLAN_CHANGED) if reason else Revocation.Reason.PLAN_CHANGED

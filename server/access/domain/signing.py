"""Signing tokens in bulk and storing them; the only place that touches the token key."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from protocol import token as wire
from protocol.keys import HolderKey, holder_key
from protocol.token import TokenClaims
from server.access.domain.planning import SCOPE, Window
from server.access.models import Token
from server.care.models import Shift
from server.locks.models import Binding
from server.people.models import Bearer
from server.tenancy.domain import keyring
from server.tenancy.models import Municipality, RoleKey

_ID = wire.TOKEN_ID_LENGTH


@dataclass(frozen=True)
class Order:
    """One token to be signed."""

    bearer: Bearer
    binding: Binding
    shift: Shift
    window: Window
    grp: int


def sign_and_store(municipality: Municipality, orders: Sequence[Order], *, at: datetime) -> None:
    """Sign every order, issued at `at` (whole seconds), and store the tokens."""
    if not orders:
        return
    key = keyring.signing_key(municipality.pk, RoleKey.Role.TOKEN)
    issued_at = int(at.timestamp())
    ids = secrets.token_bytes(_ID * len(orders))
    holders: dict[int, HolderKey] = {}
    rows = []
    for number, order in enumerate(orders):
        bearer, window = order.bearer, order.window
        holder = holders.get(bearer.pk)
        if holder is None:
            holder = holders[bearer.pk] = holder_key(bearer.key_type, bytes(bearer.public_key))
        claims = TokenClaims(
            binding=bytes(order.binding.binding_id),
            not_before=window.not_before,
            expires=window.expires,
            issued_at=issued_at,
            token_id=ids[number * _ID : (number + 1) * _ID],
            grp=order.grp,
            scope=SCOPE,
        )
        rows.append(
            Token(
                municipality_id=municipality.pk,
                token_id=claims.token_id,
                bearer_id=bearer.pk,
                binding_id=order.binding.pk,
                shift_id=order.shift.pk,
                provider_id=order.shift.provider_id,
                issued_at=at,
                not_before=window.start,
                expires=window.end,
                scope=int(SCOPE),
                grp=order.grp,
                document=wire.issue(claims, key, holder),
            )
        )
    Token.objects.bulk_create(rows)

"""Signing tokens in bulk and storing them; the only place that touches the token key."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from protocol import token as wire
from protocol.keys import HolderKey, holder_key
from protocol.minting import Minter
from protocol.token import TokenClaims
from server.access.domain.planning import SCOPE, Window
from server.access.duties import Duty, key_of
from server.access.models import Token
from server.locks.models import Binding
from server.people.models import Bearer
from server.tenancy.bulk import insert_rows
from server.tenancy.domain import keyring
from server.tenancy.models import Municipality, RoleKey

_ID = wire.TOKEN_ID_LENGTH


class Order(NamedTuple):
    """One token to be signed."""

    bearer: Bearer
    binding: Binding
    duty: Duty
    window: Window
    grp: int


_COLUMNS = (
    "municipality",
    "token_id",
    "bearer",
    "binding",
    "shift",
    "extra",
    "provider",
    "issued_at",
    "not_before",
    "expires",
    "scope",
    "grp",
    "document",
)


def sign_and_store(municipality: Municipality, orders: Sequence[Order], *, at: datetime) -> None:
    """Sign every order, issued at `at` (whole seconds), and store the tokens."""
    if not orders:
        return
    minter = Minter(keyring.signing_key(municipality.pk, RoleKey.Role.TOKEN))
    municipality_id, issued_at, scope = municipality.pk, int(at.timestamp()), int(SCOPE)
    ids = secrets.token_bytes(_ID * len(orders))
    holders: dict[int, HolderKey] = {}
    rows = []
    for number, order in enumerate(orders):
        bearer, binding, duty, window = order.bearer, order.binding, order.duty, order.window
        bearer_id, token_id = bearer.pk, ids[number * _ID : (number + 1) * _ID]
        holder = holders.get(bearer_id)
        if holder is None:
            holder = holders[bearer_id] = holder_key(bearer.key_type, bytes(bearer.public_key))
        claims = TokenClaims(
            binding=bytes(binding.binding_id),
            not_before=window.not_before,
            expires=window.expires,
            issued_at=issued_at,
            token_id=token_id,
            grp=order.grp,
            scope=SCOPE,
        )
        rows.append(
            (
                municipality_id,
                token_id,
                bearer_id,
                binding.pk,
                *key_of(duty),
                duty.provider_id,
                at,
                window.start,
                window.end,
                scope,
                order.grp,
                minter.mint(claims, holder),
            )
        )
    insert_rows(Token, _COLUMNS, rows)

"""Sign-ins for the people at the desks: one of each role gets a password and a second factor, told once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.utils.crypto import get_random_string

from server.city.world import World
from server.people.models import User
from server.people.roles import Role

ADMINISTRATOR = "administrator"


@dataclass(frozen=True)
class SignIn:
    """Told to whoever ran the generator, and to nobody after."""

    username: str
    role: str
    password: str = field(repr=False)
    totp_secret: str = field(repr=False)


def make_desks(world: World) -> list[SignIn]:
    """Make one user of each role, and a coordinator for every provider; the first of each may sign in."""
    owner = world.properties[0].owner
    people: list[tuple[str, str, dict[str, Any]]] = [
        ("chef", ADMINISTRATOR, {"is_superuser": True}),
        ("jouren", Role.PATROL, {"role": Role.PATROL}),
        ("montor", Role.INSTALLER, {"role": Role.INSTALLER}),
        ("granskare", Role.AUDITOR, {"role": Role.AUDITOR}),
        ("fastighet", Role.OWNER_CONTACT, {"role": Role.OWNER_CONTACT, "owner": owner}),
    ]
    people += [
        (f"samordnare{number + 1}", Role.COORDINATOR, {"role": Role.COORDINATOR, "provider": provider})
        for number, provider in enumerate(world.providers)
    ]
    told: list[SignIn] = []
    for username, role, fields in people:
        first = all(one.role != role for one in told)
        sign_in = _make(world, username, str(role), fields, may_sign_in=first)
        told += [sign_in] if sign_in else []
    return told


def _make(
    world: World, username: str, role: str, fields: dict[str, Any], *, may_sign_in: bool
) -> SignIn | None:
    name = f"{world.municipality.slug}.{username}"
    user = User(username=name, municipality=world.municipality, **fields)
    if not may_sign_in:
        user.set_unusable_password()
        user.save()
        return None
    password, secret = get_random_string(16), generate_totp_secret()
    user.set_password(password)
    user.save()
    TOTP.activate(user, secret)
    return SignIn(name, role, password, secret)

"""The small world of `tests.server.world` with real keys: roots, role keys, and locks that can log.

Alice's phone has a real X25519 key and a device token; Alice can sign in with password and TOTP.
"""

from __future__ import annotations

import base64
import secrets
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.core.cache import cache
from django.test import Client as Http

from protocol import token
from protocol.keys import HolderKey, KeyType, x25519_public
from protocol.manifest import Manifest, Role
from protocol.token import TokenClaims
from server.access.models import Token
from server.locks.domain.commission import commission_lock, confirm
from server.locks.models import Binding
from server.people.domain.enrolment import hash_device_token, make_enrolment_code
from server.people.models import Bearer, StaffMember, User
from server.places.models import Door
from server.tenancy.domain.keyring import current_manifest
from server.tenancy.domain.keys import found_municipality
from server.tenancy.models import Municipality
from tests.server.device import Device
from tests.server.world import LONG_AGO, NOW, World, make_bearer, make_world

PASSWORD = "ett-riktigt-långt-lösenord"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def private_key() -> bytes:
    return X25519PrivateKey.generate().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def found(slug: str = "testköping") -> Municipality:
    municipality = found_municipality(slug=slug, name=slug.capitalize(), at=LONG_AGO).municipality
    municipality.support_phone = "010-000 00 00"
    municipality.save()
    return municipality


def mount(door: Door, device: Device, *, at: datetime = LONG_AGO, name: str = "") -> Binding:
    """Commission a device to a door and let it confirm."""
    binding = commission_lock(
        door=door, identity_document=device.identity_document(), at=at, name=name or secrets.token_hex(4)
    )
    assert binding.commission_document is not None
    device.take(bytes(binding.commission_document), at=int(at.timestamp()))
    confirm(binding=binding, at=at)
    binding.refresh_from_db()
    return binding


def real_phone(bearer: Bearer, device_token: str) -> bytes:
    """Give a bearer a real key and its phone a device token; returns the private key."""
    private = private_key()
    holder = HolderKey(KeyType.X25519, x25519_public(private))
    bearer.public_key, bearer.fingerprint = holder.public, holder.fingerprint
    bearer.save()
    bearer.phone.device_token_hash = hash_device_token(device_token)
    bearer.phone.save()
    return private


def give_sign_in(staff: StaffMember, username: str, *, totp: bool = True, **fields: Any) -> User:
    user = User.objects.create_user(username, password=PASSWORD, municipality=staff.municipality, **fields)
    if totp:
        TOTP.activate(user, SECRET)
    staff.user = user
    staff.save()
    return user


@dataclass
class Issuer:
    """The world, its locks, and Alice's phone."""

    world: World
    gate_lock: Device
    apartment_lock: Device
    device_token: str

    @property
    def municipality(self) -> Municipality:
        return self.world.municipality

    @property
    def manifest(self) -> Manifest:
        return current_manifest(self.municipality)[0]

    def claims(self, document: bytes, bearer: Bearer | None = None) -> TokenClaims:
        """Verify a token as a lock would: under the manifest, bound to the phone's key."""
        bearer = bearer or self.world.bearer
        parsed = token.parse(document)
        key = self.manifest.verify_key(Role.TOKEN, parsed.kid)
        assert key is not None
        return parsed.verify(key, HolderKey(KeyType.X25519, bytes(bearer.public_key)))

    def tokens(self) -> list[Token]:
        return list(Token.objects.order_by("pk"))

    def token_at(self, binding: Binding) -> Token:
        found: Token = Token.objects.filter(binding=binding, revoked_at=None, replaced_at=None).get()
        return found


def make_issuer(municipality: Municipality, device_token: str = "alices-telefon") -> Issuer:  # noqa: S107
    """Build the world with real keys; must run in the municipality's scope."""
    world = make_world(municipality)
    for binding in (world.gate_binding, world.apartment_binding):
        binding.delete()
        binding.lock.delete()
    gate_lock, apartment_lock = Device(), Device()
    world.gate_binding = mount(world.gate, gate_lock, name="Lås 1")
    world.apartment_binding = mount(world.apartment, apartment_lock, name="Lås 2")
    real_phone(world.bearer, device_token)
    return Issuer(world, gate_lock, apartment_lock, device_token)


def second_phone(issuer: Issuer, staff: StaffMember, device_token: str) -> Bearer:
    bearer = make_bearer(staff)
    real_phone(bearer, device_token)
    return bearer


def enrolment_code(staff: StaffMember, at: datetime = NOW) -> str:
    return make_enrolment_code(staff=staff, at=at)[1]


def code_now(secret: str = SECRET) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


class Phone:
    """A phone's HTTP side, without an app around it."""

    def __init__(self, http: Http, device_token: str = "", session: str = "") -> None:
        self.http, self.device_token, self.session = http, device_token, session

    def post(self, path: str, body: Any, **headers: str) -> Any:
        sent = dict(headers)
        if self.device_token:
            sent.setdefault("Authorization", f"Device {self.device_token}")
        if self.session:
            sent.setdefault("X-Session-Token", self.session)
        return self.http.post(f"/api/v1/{path}", body, content_type="application/json", headers=sent)

    def sign_in(self, username: str = "alice", code: str = "") -> None:
        """Both steps of signing in; a code is good once, so the record of used ones is cleared first."""
        cache.clear()
        login = "/_allauth/app/v1/auth/login"
        first = self._auth(login, {"username": username, "password": PASSWORD}, "")
        halfway = first.json()["meta"]["session_token"]
        second = self._auth("/_allauth/app/v1/auth/2fa/authenticate", {"code": code or code_now()}, halfway)
        assert second.status_code == 200, second.content
        self.session = second.json()["meta"].get("session_token", halfway)

    def _auth(self, path: str, body: dict[str, str], session: str) -> Any:
        return self.http.post(
            path, body, content_type="application/json", headers={"X-Session-Token": session}
        )

    def sync(self, cursor: str | None = None, version: str = "1.0.0") -> Any:
        return self.post("sync", {"cursor": cursor, "app_version": version})

    def hand_in(self, *sealed: bytes) -> Any:
        return self.post("logs", {"batches": [b64(one) for one in sealed]})

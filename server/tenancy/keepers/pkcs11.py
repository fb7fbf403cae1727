"""Role keys in a hardware security module, reached over PKCS#11 (OASIS, version 3.0; Ed25519 as CKM_EDDSA).

Keys are made inside and marked sensitive and not extractable. The module, its token and PIN are settings;
the library `python-pkcs11` belongs to the extra `hsm` and is loaded when a key is kept there, not before.
One session is held for each process, and one operation at a time goes over it, as the norm wants.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.conf import settings

from protocol.keys import Signer
from server.tenancy.keepers.port import KeyMissingError
from server.tenancy.models import RoleKey

if TYPE_CHECKING:
    from pkcs11 import Session

T = TypeVar("T")
_ED25519 = bytes.fromhex("06032b6570")
"""OBJECT IDENTIFIER 1.3.101.112, DER (RFC 8410)."""
_POINT_LENGTH = 32


def _label(key: RoleKey) -> str:
    return f"nyckelfri {key.municipality_id} {key.role} {bytes(key.kid).hex()}"


class Pkcs11Keeper:
    """A module that makes keys and signs with them, and never hands them out."""

    def __init__(self) -> None:
        self._guard = threading.RLock()
        self._session: Session | None = None

    def make(self, key: RoleKey) -> None:
        """Make the pair inside; the row gets the public half, and finds the private one by its label."""
        from pkcs11 import Attribute, KeyType, Mechanism  # noqa: PLC0415  only where a module is used

        def generate(session: Session) -> bytes:
            self._destroy(session, _label(key))  # what a try that failed half-way left behind
            curve = session.create_domain_parameters(
                KeyType.EC_EDWARDS, {Attribute.EC_PARAMS: _ED25519}, local=True
            )
            public, _private = curve.generate_keypair(
                mechanism=Mechanism.EC_EDWARDS_KEY_PAIR_GEN, store=True, label=_label(key), id=bytes(key.kid)
            )
            return bytes(public[Attribute.EC_POINT])[-_POINT_LENGTH:]

        key.public_key = self._do(generate)

    def signer(self, key: RoleKey) -> Signer:
        """Return what signs inside the module."""
        return _Signer(self, _label(key), bytes(key.public_key))

    def sign(self, label: str, data: bytes) -> bytes:
        """Return the Ed25519 signature over `data`."""
        from pkcs11 import KeyType, Mechanism, ObjectClass  # noqa: PLC0415

        def ask(session: Session) -> bytes:
            private: Any = session.get_key(
                object_class=ObjectClass.PRIVATE_KEY, key_type=KeyType.EC_EDWARDS, label=label
            )
            return bytes(private.sign(data, mechanism=Mechanism.EDDSA))

        return self._do(ask)

    def erase(self, key: RoleKey) -> None:
        """Destroy both halves in the module."""
        self._do(lambda session: self._destroy(session, _label(key)))

    def forget(self) -> None:
        """Close the session."""
        with self._guard:
            session, self._session = self._session, None
            if session is not None:
                session.close()

    @staticmethod
    def _destroy(session: Session, label: str) -> None:
        from pkcs11 import Attribute  # noqa: PLC0415

        for found in list(session.get_objects({Attribute.LABEL: label})):
            found.destroy()

    def _do(self, work: Callable[[Session], T]) -> T:
        """Work with the session; once more on a new one, for modules are restarted under us."""
        try:
            from pkcs11.exceptions import NoSuchKey, PKCS11Error  # noqa: PLC0415
        except ImportError as error:
            raise KeyMissingError("python-pkcs11 is not installed (extra hsm)") from error
        with self._guard:
            held_before = self._session is not None
            try:
                return work(self._opened())
            except NoSuchKey as error:
                raise KeyMissingError("the security module has no such key") from error
            except PKCS11Error as error:
                with suppress(PKCS11Error):
                    self.forget()  # a session left open would refuse the next one its sign-in
                if not held_before:
                    raise KeyMissingError(f"the security module says {type(error).__name__}") from error
            return self._do(work)

    def _opened(self) -> Session:
        if self._session is None:
            import pkcs11  # noqa: PLC0415

            if not settings.PKCS11_LIBRARY:
                raise KeyMissingError("no security module is configured (PKCS11_LIBRARY)")
            try:
                module = pkcs11.lib(settings.PKCS11_LIBRARY)
            except OSError as error:
                raise KeyMissingError("the security module's library cannot be loaded") from error
            token = module.get_token(token_label=settings.PKCS11_TOKEN)
            self._session = token.open(user_pin=settings.PKCS11_PIN, rw=True)
        return self._session


@dataclass(frozen=True)
class _Signer:
    """Signs in the module; knows its public half without asking."""

    keeper: Pkcs11Keeper
    label: str
    public: bytes

    def sign(self, data: bytes, /) -> bytes:
        """Return the signature."""
        return self.keeper.sign(self.label, data)

    def public_key(self) -> Ed25519PublicKey:
        """Return the public half."""
        return Ed25519PublicKey.from_public_bytes(self.public)

"""How people sign in: no self-service sign-up, sealed TOTP secrets, a second factor for every phone."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.http import HttpRequest

from server.tenancy import custody

TOTP_CONTEXT = "mfa.totp"


class AccountAdapter(DefaultAccountAdapter):
    """Users are made in the admin, never by themselves."""

    def is_open_for_signup(self, _request: HttpRequest) -> bool:
        """Nobody signs up."""
        return False


class SealingMFAAdapter(DefaultMFAAdapter):
    """TOTP secrets and recovery seeds rest encrypted; allauth itself would store them in clear."""

    def encrypt(self, text: str) -> str:
        """Seal a secret for the database."""
        return custody.seal(text.encode(), TOTP_CONTEXT).hex()

    def decrypt(self, encrypted_text: str) -> str:
        """Open a sealed secret."""
        return custody.unseal(bytes.fromhex(encrypted_text), TOTP_CONTEXT).decode()

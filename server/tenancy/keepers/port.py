"""What somebody who keeps private role keys can do."""

from __future__ import annotations

from typing import Protocol

from protocol.keys import Signer
from server.problems import Problem
from server.tenancy.models import RoleKey


class KeyMissingError(Problem):
    """A role key, its private half or the manifest is not here, or whoever keeps it is away."""

    def __init__(self, what: str) -> None:
        super().__init__("keys_missing", what=what)


class Keeper(Protocol):
    """Makes keys, signs with them, destroys them. Private halves never leave it but to sign or open."""

    def make(self, key: RoleKey) -> None:
        """Make a key pair for the row's role and kid; fill in its public half and what finds the private."""

    def signer(self, key: RoleKey) -> Signer:
        """Return what signs (Ed25519) with the row's private half."""

    def erase(self, key: RoleKey) -> None:
        """Destroy the private half for good; twice is harmless."""

    def forget(self) -> None:
        """Drop what is held open in memory."""

"""The municipality in small: its keys, and all that it signs for the locks and phones of one stairwell."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from lockagent.core.identity import LockSecrets
from protocol import bulletin, commission, manifest, seal, token
from protocol.bulletin import Bulletin
from protocol.keys import HolderKey, KeyType, SigningKey, x25519_public
from protocol.manifest import Manifest, Role, RoleKey, RootSet
from protocol.settings import LockSettings
from protocol.token import Scope, TokenClaims

ENDED_GRP = 9
"""Stands for a care provider whose assignments here have ended."""


def secret(name: str) -> bytes:
    """32 repeatable bytes."""
    return hashlib.sha256(name.encode()).digest()


@dataclass(frozen=True)
class Place:
    """One lock on one door, as the municipality knows it."""

    name: str
    settings: LockSettings
    secrets: LockSecrets
    binding: bytes
    adv_key: bytes

    @classmethod
    def make(cls, name: str, settings: LockSettings) -> Place:
        """A lock with keys of its own."""
        keys = LockSecrets(secret(f"{name}/static"), secret(f"{name}/log"), secret(f"{name}/seal"))
        return cls(name, settings, keys, secret(f"{name}/binding")[:8], secret(f"{name}/adv"))


@dataclass
class TownHall:
    """Signs; each shift has a bulletin, the third also another token key, which the bulletin brings along."""

    name: str
    shift: int = 0
    revoked: set[bytes] = field(default_factory=set)
    _tokens: int = 0

    @property
    def token_key(self) -> SigningKey:
        """The key that signs this shift's tokens."""
        kid = b"t2" if self.shift >= 3 else b"t1"
        return SigningKey.from_seed(kid, secret(f"{self.name}/{kid!r}"))

    @property
    def roots(self) -> RootSet:
        """Two of three root keys must sign."""
        return RootSet(tuple(key.public for key in self._root_keys()), 2)

    def manifest(self) -> bytes:
        """The role keys in force."""
        roles = [
            RoleKey(Role.TOKEN, self.token_key.kid, self.token_key.public),
            RoleKey(Role.BULLETIN, b"b1", self._key(b"b1").public),
            RoleKey(Role.RECEIPT, b"r1", self._key(b"r1").public),
            RoleKey(Role.SEALING, b"s1", x25519_public(secret(f"{self.name}/sealing"))),
        ]
        version = 2 if self.shift >= 3 else 1
        body = Manifest(version, secret(self.name)[:8], 1_700_000_000, self.roots, tuple(sorted(roles)))
        return manifest.sign(body, self._root_keys()[:2])

    def bulletin(self, place: Place, now: int) -> bytes:
        """This shift's news for one lock; bulletin 1 is the one it is commissioned with."""
        secrets = None
        if self.shift == 1:
            lock = place.secrets.identity
            secrets = seal.seal_adv_keys((place.adv_key,), lock.seal_public, place.binding, 1)
        news = Bulletin(
            binding=place.binding,
            lock_id=place.secrets.identity.lock_id,
            seq=self.shift,
            time=now,
            settings=place.settings,
            revoked=frozenset(bulletin.revoked_hash(place.binding, each) for each in self.revoked),
            grp_not_before={ENDED_GRP: now + 1},
            manifest=self.manifest() if self.shift >= 3 else None,
            secrets=secrets,
        )
        return bulletin.sign(news, self._key(b"b1"))

    def commission(self, place: Place, first: bytes) -> commission.Commission:
        """What makes a blank lock this door's."""
        return commission.verify(commission.encode(self.roots, self.manifest(), first))

    def claims(
        self,
        binding: bytes,
        now: int,
        *,
        begins: int = -900,
        ends: int = 9 * 3600,
        grp: int = 1,
        scope: Scope = Scope.OPEN | Scope.LOCK,
    ) -> TokenClaims:
        """A token's claims; `begins` and `ends` are seconds from now."""
        self._tokens += 1
        return TokenClaims(
            binding=binding,
            not_before=now + begins,
            expires=now + ends,
            issued_at=min(now, now + ends - 1),
            token_id=secret(f"{self.name}/token/{self._tokens}")[:8],
            grp=grp,
            scope=scope,
        )

    def token(self, claims: TokenClaims, private_key: bytes, *, key: SigningKey | None = None) -> bytes:
        """Sign claims for the phone with this X25519 key."""
        return token.issue(
            claims, key or self.token_key, HolderKey(KeyType.X25519, x25519_public(private_key))
        )

    def _root_keys(self) -> list[SigningKey]:
        return [manifest.root_signing_key(secret(f"{self.name}/root/{number}")) for number in range(3)]

    def _key(self, kid: bytes) -> SigningKey:
        return SigningKey.from_seed(kid, secret(f"{self.name}/{kid!r}"))

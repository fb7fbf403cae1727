"""The issuer's side in small: a municipality's keys, and everything it signs for locks and phones."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from protocol import bulletin, commission, freshtime, log, manifest, receipt, seal, token
from protocol.bulletin import Bulletin
from protocol.identity import LockIdentity
from protocol.keys import HolderKey, KeyType, SigningKey, x25519_public
from protocol.log import Batch
from protocol.manifest import Manifest, Role, RoleKey, RootSet
from protocol.settings import DoorKind, LockSettings
from protocol.token import Scope, TokenClaims

T0 = 1_790_000_000
"""When these stories begin (Unix seconds)."""
HOUR = 3600
APARTMENT = LockSettings(door_kind=DoorKind.APARTMENT, relock_after=0)


def secret(name: str) -> bytes:
    """32 repeatable bytes."""
    return hashlib.sha256(name.encode()).digest()


def role_signer(name: str, kid: bytes) -> SigningKey:
    return SigningKey.from_seed(kid, secret(name))


@dataclass
class Issuer:
    """One municipality."""

    name: str = "kommun"
    version: int = 1
    token_name: str = "token"
    extra: list[RoleKey] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.roots = [manifest.root_signing_key(secret(f"{self.name}/root/{n}")) for n in range(3)]
        self.token_key = role_signer(f"{self.name}/{self.token_name}", b"t1")
        self.bulletin_key = role_signer(f"{self.name}/bulletin", b"b1")
        self.receipt_key = role_signer(f"{self.name}/receipt", b"r1")
        self.sealing_private = secret(f"{self.name}/sealing")

    @property
    def root_set(self) -> RootSet:
        return RootSet(tuple(key.public for key in self.roots), 2)

    def manifest(self) -> Manifest:
        return Manifest(
            version=self.version,
            municipality=secret(self.name)[:8],
            issued_at=T0,
            roots=self.root_set,
            role_keys=(
                RoleKey(Role.TOKEN, b"t1", self.token_key.public),
                RoleKey(Role.BULLETIN, b"b1", self.bulletin_key.public),
                RoleKey(Role.RECEIPT, b"r1", self.receipt_key.public),
                RoleKey(Role.SEALING, b"s1", x25519_public(self.sealing_private)),
                *self.extra,
            ),
        )

    def manifest_bytes(self, signers: int = 2) -> bytes:
        return manifest.sign(self.manifest(), self.roots[:signers])


@dataclass
class Place:
    """One lock on one door, as the issuer knows it."""

    issuer: Issuer
    lock: LockIdentity
    binding: bytes = b"binding1"
    settings: LockSettings = APARTMENT
    adv_key: bytes = secret("adv")
    seq: int = 1

    def commission(
        self, *, time: int = T0, seal_to: bytes | None = None, lock_id: bytes | None = None
    ) -> bytes:
        secrets = seal.seal_adv_keys((self.adv_key,), seal_to or self.lock.seal_public, self.binding, 1)
        first = Bulletin(self.binding, lock_id or self.lock.lock_id, 1, time, self.settings, secrets=secrets)
        signed = bulletin.sign(first, self.issuer.bulletin_key)
        return commission.encode(self.issuer.root_set, self.issuer.manifest_bytes(), signed)

    def bulletin(
        self,
        *,
        time: int,
        seq: int | None = None,
        revoked: tuple[bytes, ...] = (),
        grp_not_before: dict[int, int] | None = None,
        not_before: int = 0,
        settings: LockSettings | None = None,
        with_manifest: bytes | None = None,
        with_receipt: bytes | None = None,
        adv_keys: tuple[bytes, ...] | None = None,
        key: SigningKey | None = None,
        binding: bytes | None = None,
    ) -> bytes:
        if seq is None:
            self.seq += 1
            seq = self.seq
        secrets = None
        if adv_keys is not None:
            secrets = seal.seal_adv_keys(adv_keys, self.lock.seal_public, self.binding, seq)
        news = Bulletin(
            binding=binding or self.binding,
            lock_id=self.lock.lock_id,
            seq=seq,
            time=time,
            settings=settings or self.settings,
            revoked=frozenset(bulletin.revoked_hash(self.binding, one) for one in revoked),
            grp_not_before=grp_not_before,
            not_before=not_before,
            manifest=with_manifest,
            receipt=with_receipt,
            secrets=secrets,
        )
        return bulletin.sign(news, key or self.issuer.bulletin_key)

    def receipt(self, batch: Batch, *, seq: int | None = None, digest: bytes | None = None) -> bytes:
        said = receipt.Receipt(
            self.lock.lock_id, batch.epoch, seq or batch.last, digest or batch.h_end, batch.now
        )
        return receipt.sign(said, self.issuer.receipt_key)

    def opened(self, sealed: bytes) -> Batch:
        """What the server reads in a sealed batch, its signature checked."""
        signed = seal.parse_log(sealed).open(self.issuer.sealing_private)
        return log.parse(signed).verify(self.lock.log_key)

    def fresh_time(self, m0_hash: bytes, time: int, *, key: SigningKey | None = None) -> bytes:
        statement = freshtime.FreshTime(self.binding, m0_hash, time)
        return freshtime.sign(statement, key or self.issuer.bulletin_key)


@dataclass
class Right:
    """A token and whose it is."""

    claims: TokenClaims
    encoded: bytes


def right(
    place: Place,
    phone: bytes | HolderKey,
    *,
    now: int,
    hours: float = 8,
    binding: bytes | None = None,
    grp: int = 1,
    scope: Scope = Scope.OPEN | Scope.LOCK,
    token_id: bytes | None = None,
    not_before: int | None = None,
    issued_at: int | None = None,
    key: SigningKey | None = None,
) -> Right:
    """A token for a phone at a door: for its X25519 private key, or for any key by its public half."""
    holder = phone if isinstance(phone, HolderKey) else HolderKey(KeyType.X25519, x25519_public(phone))
    begins = now if not_before is None else not_before
    claims = TokenClaims(
        binding=binding or place.binding,
        not_before=begins,
        expires=begins + int(hours * HOUR),
        issued_at=now if issued_at is None else issued_at,
        token_id=token_id or secret(f"cti/{begins}/{grp}/{holder.public.hex()}")[:8],
        grp=grp,
        scope=scope,
    )
    return Right(claims, token.issue(claims, key or place.issuer.token_key, holder))

"""A municipality of the kit's own: its keys, and everything it signs for the lock under test."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from protocol import bulletin, commission, freshtime, log, manifest, receipt, seal
from protocol.bulletin import Bulletin
from protocol.identity import LockIdentity
from protocol.keys import SigningKey, x25519_public
from protocol.log import Batch
from protocol.manifest import Manifest, Role, RoleKey, RootSet
from protocol.settings import DoorKind, LockSettings


def secret(name: str) -> bytes:
    """Return 32 bytes that are the same at every run: nothing of the kit's guards anything."""
    return hashlib.sha256(f"conformance/{name}".encode()).digest()


APARTMENT = LockSettings(door_kind=DoorKind.APARTMENT)


@dataclass
class Municipality:
    """Three roots, two of which must sign, and one key a role."""

    name: str = "kit"
    version: int = 1
    now: int = 0
    """Issue time of its manifests, Unix seconds."""

    def __post_init__(self) -> None:
        self.roots = [manifest.root_signing_key(secret(f"{self.name}/root/{n}")) for n in range(3)]
        self.token_key = SigningKey.from_seed(b"t1", secret(f"{self.name}/token"))
        self.bulletin_key = SigningKey.from_seed(b"b1", secret(f"{self.name}/bulletin"))
        self.receipt_key = SigningKey.from_seed(b"r1", secret(f"{self.name}/receipt"))
        self.firmware_key = SigningKey.from_seed(b"f1", secret(f"{self.name}/firmware"))
        self.sealing_private = secret(f"{self.name}/sealing")

    @property
    def root_set(self) -> RootSet:
        """Two of three."""
        return RootSet(tuple(key.public for key in self.roots), 2)

    def manifest(
        self, *, version: int | None = None, signers: int = 2, extra: tuple[RoleKey, ...] = ()
    ) -> bytes:
        """Return a signed manifest; ``extra``: role keys beside the four."""
        body = Manifest(
            version=version or self.version,
            municipality=secret(self.name)[:8],
            issued_at=self.now,
            roots=self.root_set,
            role_keys=(
                RoleKey(Role.TOKEN, b"t1", self.token_key.public),
                RoleKey(Role.BULLETIN, b"b1", self.bulletin_key.public),
                RoleKey(Role.RECEIPT, b"r1", self.receipt_key.public),
                RoleKey(Role.SEALING, b"s1", x25519_public(self.sealing_private)),
                RoleKey(Role.FIRMWARE, b"f1", self.firmware_key.public),
                *extra,
            ),
        )
        return manifest.sign(body, self.roots[:signers])


@dataclass
class Place:
    """The lock under test on a door of the kit's."""

    issuer: Municipality
    lock: LockIdentity
    binding: bytes = field(default_factory=lambda: secret("binding")[:8])
    settings: LockSettings = APARTMENT
    adv_key: bytes = field(default_factory=lambda: secret("adv"), repr=False)
    number: int = 1
    """Of the newest bulletin made."""

    def package(self, *, time: int, lock_id: bytes | None = None, seal_to: bytes | None = None) -> bytes:
        """Return a commissioning package; the bulletin inside has number 1."""
        secrets = seal.seal_adv_keys((self.adv_key,), seal_to or self.lock.seal_public, self.binding, 1)
        first = Bulletin(self.binding, lock_id or self.lock.lock_id, 1, time, self.settings, secrets=secrets)
        signed = bulletin.sign(first, self.issuer.bulletin_key)
        return commission.encode(self.issuer.root_set, self.issuer.manifest(), signed)

    def news(
        self,
        *,
        time: int,
        number: int | None = None,
        binding: bytes | None = None,
        lock_id: bytes | None = None,
        revoked: tuple[bytes, ...] = (),
        ended: dict[int, int] | None = None,
        not_before: int = 0,
        manifest: bytes | None = None,
        receipt: bytes | None = None,
        secrets: bytes | None = None,
        key: SigningKey | None = None,
    ) -> bytes:
        """Return a bulletin, the next in turn unless a number is given."""
        if number is None:
            self.number += 1
            number = self.number
        body = Bulletin(
            binding=binding or self.binding,
            lock_id=lock_id or self.lock.lock_id,
            seq=number,
            time=time,
            settings=self.settings,
            revoked=frozenset(bulletin.revoked_hash(self.binding, one) for one in revoked),
            grp_not_before=ended,
            not_before=not_before,
            manifest=manifest,
            receipt=receipt,
            secrets=secrets,
        )
        return bulletin.sign(body, key or self.issuer.bulletin_key)

    def fresh_time(
        self, m0_hash: bytes, time: int, *, key: SigningKey | None = None, binding: bytes | None = None
    ) -> bytes:
        """Return server time signed over a session's m0."""
        statement = freshtime.FreshTime(binding or self.binding, m0_hash, time)
        return freshtime.sign(statement, key or self.issuer.bulletin_key)

    def receipt(self, batch: Batch, *, digest: bytes | None = None, key: SigningKey | None = None) -> bytes:
        """Return a receipt for everything up to the end of a batch."""
        said = receipt.Receipt(self.lock.lock_id, batch.epoch, batch.last, digest or batch.h_end, batch.now)
        return receipt.sign(said, key or self.issuer.receipt_key)

    def opened(self, sealed: bytes) -> Batch:
        """Return what a server reads in a sealed batch, its signature checked. Raises ProtocolError."""
        signed = seal.parse_log(sealed).open(self.issuer.sealing_private)
        return log.parse(signed).verify(self.lock.log_key)

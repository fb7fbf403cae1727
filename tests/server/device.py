"""A lock for the server's tests: real keys, a real chained log, real sealed batches; no radio, no motor."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from protocol import bulletin, commission, identity, log, seal
from protocol import suites as handshakes
from protocol.entries import Entry, EntryType, Granted, OutcomeDetail, Refused
from protocol.identity import LockIdentity
from protocol.keys import SigningKey, x25519_public
from protocol.log import Batch, Gap, Kept
from protocol.manifest import Manifest
from protocol.messages import Command, OutcomeCode
from protocol.reasons import Reason

COURIER = b"courier8"


def _private() -> bytes:
    return X25519PrivateKey.generate().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())


@dataclass
class Device:
    """A lock that states its identity, takes a commissioning and keeps a log."""

    static_private: bytes = field(default_factory=_private)
    seal_private: bytes = field(default_factory=_private)
    log_seed: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    epoch: int = 1
    boot: int = 1
    ran: int = 0
    clock: int = 0
    acked: int = 0
    manifest: Manifest | None = None
    binding: bytes = b""
    adv_key: bytes = b""
    bulletin_seq: int = 0
    suites: int = handshakes.ALL
    entries: list[Entry] = field(default_factory=list)

    @property
    def log_key(self) -> SigningKey:
        unnamed = SigningKey.from_seed(b"\0", self.log_seed)
        name = LockIdentity(
            x25519_public(self.static_private), unnamed.public, x25519_public(self.seal_private)
        ).lock_id
        return SigningKey.from_seed(name, self.log_seed)

    @property
    def identity(self) -> LockIdentity:
        return LockIdentity(
            x25519_public(self.static_private),
            self.log_key.public,
            x25519_public(self.seal_private),
            suites=self.suites,
        )

    @property
    def lock_id(self) -> bytes:
        return self.identity.lock_id

    def identity_document(self) -> bytes:
        return identity.sign(self.identity, self.log_key)

    def take(self, package: bytes, *, at: int) -> None:
        """Take in a commissioning package, exactly as a lock would verify it."""
        brought = commission.verify(package)
        news = brought.bulletin
        assert news.lock_id == self.lock_id
        assert news.secrets is not None
        self.manifest, self.binding, self.bulletin_seq = brought.manifest, news.binding, news.seq
        self.adv_key = seal.open_adv_keys(news.secrets, self.seal_private, news.binding, news.seq)[0]
        self.clock = at
        self.add(EntryType.BOUND, (news.binding, news.seq))

    def read_bulletin(self, document: bytes) -> bulletin.Bulletin:
        """Verify a bulletin as the lock would, and take it in when it is newer."""
        assert self.manifest is not None
        news, self.manifest = bulletin.parse(document).verify(self.manifest)
        assert news.binding == self.binding
        self.bulletin_seq = max(self.bulletin_seq, news.seq)
        return news

    def add(self, kind: int, detail: tuple[Any, ...], token_id: bytes | None = None, at: int = 0) -> Entry:
        self.clock = max(self.clock + 1, at)
        entry = Entry(len(self.entries) + 1, self.clock, kind, token_id, detail)
        self.entries.append(entry)
        return entry

    def opened(
        self,
        token_id: bytes,
        phone: bytes,
        *,
        at: int = 0,
        grp: int = 1,
        outcome: OutcomeCode = OutcomeCode.MOVED,
        flags: int = 0,
        battery: int | None = 80,
    ) -> Entry:
        """Log a granted opening and what came of it; returns the granted entry."""
        what = Granted(Command.OPEN, secrets.token_bytes(8), phone, grp, self.bulletin_seq, flags)
        granted = self.add(EntryType.GRANTED, what.detail(), token_id, at)
        self.add(EntryType.OUTCOME, OutcomeDetail(granted.seq, outcome, battery).detail())
        return granted

    def refused(self, reason: Reason, phone: bytes, token_id: bytes | None = None) -> Entry:
        what = Refused(reason, Command.OPEN, secrets.token_bytes(8), phone, self.bulletin_seq)
        return self.add(EntryType.REFUSED, what.detail(), token_id)

    def hash_after(self, seq: int) -> bytes:
        start = log.genesis(self.lock_id, self.epoch)
        return log.chain(start, (entry.encode() for entry in self.entries[:seq]))

    def batch(self, first: int = 1, last: int | None = None, **changes: Any) -> Batch:
        """The batch of entries `first` to `last`; `changes` let a test play a liar."""
        body = Batch(
            lock_id=self.lock_id,
            epoch=self.epoch,
            boot=self.boot,
            ran=self.ran,
            now=self.clock,
            courier=COURIER,
            acked=self.acked,
            first=first,
            h_start=self.hash_after(first - 1),
            gap=None,
            entries=tuple(self.entries[first - 1 : last]),
        )
        return replace(body, **changes)

    def sealed(self, batch: Batch | None = None) -> bytes:
        """Sign and seal a batch for a courier."""
        assert self.manifest is not None
        signed = log.sign(batch or self.batch(), self.log_key)
        return seal.seal_log(signed, self.manifest.sealing_key)

    def gap(self, first: int, last: int, *kept: int) -> Gap:
        """The record of overwritten entries, of which those of the numbers `kept` survive."""
        survive = tuple(Kept(self.hash_after(seq - 1), self.entries[seq - 1]) for seq in kept)
        return Gap(first, last, self.hash_after(last), survive)

    def lose_log(self) -> None:
        """Start a new epoch, as after a lost store."""
        self.epoch += 1
        self.boot += 1
        self.acked = 0
        self.entries = []

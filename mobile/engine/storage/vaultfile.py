"""The bytes of a vault: Argon2id (RFC 9106) turns the PIN into keys, AES-256-GCM shuts the content.

    magic "NYVAULT" | version u8 | memory KiB u32 | passes u8 | lanes u8 | salt 16
      | hardware key number u32, 0 = none | generation u64, one more at every save | nonce 12   = 54 B header
    header tag 16   = HMAC-SHA256(tag key, header)[:16]
    ciphertext      = AES-256-GCM(content key, nonce, content, aad = header | header tag)
    checksum 16     = SHA-256(everything before it)[:16], no key

    stretched  = Argon2id(PIN, salt)
    question   = HKDF-Expand(stretched, "hardware question")           only with a hardware key:
    answer     = HMAC-SHA256(key that never leaves the hardware, question)
    stretched  = HKDF(salt = answer, stretched, "hardware answer")     so it is never weaker than without
    content key, tag key = HKDF-Expand(stretched, ...)                 RFC 5869

Version 1 had neither hardware key number nor generation; it is still read.

What an opening can tell apart, honestly:
- the unkeyed checksum finds accidents (bad sector, truncation, a half copy) before any PIN is tried: corrupt;
- a wrong header tag means a wrong PIN, or a header forged by somebody who also mended the checksum. These two
  cannot be told apart, since only the right PIN could have made the tag;
- a right header tag with a wrong GCM tag means the PIN is right and the content was forged: corrupt.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

from mobile.engine.errors import VaultCorruptError, VaultTooNewError, WrongPinError

MAGIC = b"NYVAULT"
VERSION = 2
SALT_BYTES = 16
NONCE_BYTES = 12
TAG_BYTES = 16
MAX_VAULT_BYTES = 32 * 1024 * 1024
_PURPOSE = b"nyckelfri vault 1 "

_HEADER = struct.Struct(f">7sBIBB{SALT_BYTES}sIQ{NONCE_BYTES}s")
_HEADER_1 = struct.Struct(f">7sBIBB{SALT_BYTES}s{NONCE_BYTES}s")
_TAGS = TAG_BYTES + TAG_BYTES + TAG_BYTES


@dataclass(frozen=True, slots=True)
class Cost:
    """Argon2id's price: memory in KiB, passes over it, lanes. Bounded, so no file can stall the phone."""

    memory_kib: int = 64 * 1024
    passes: int = 3
    lanes: int = 1

    def __post_init__(self) -> None:
        if not (8 * self.lanes <= self.memory_kib <= 256 * 1024 and 1 <= self.passes <= 10):
            raise ValueError("Argon2id cost out of bounds")
        if not 1 <= self.lanes <= 4:
            raise ValueError("Argon2id lanes out of bounds")


class Keys:
    """The two keys of one vault while it is open. Never shown; overwritten on `wipe` as far as Python can."""

    __slots__ = ("_content", "_tag", "cost", "hardware_key", "salt")

    def __init__(self, content: bytes, tag: bytes, cost: Cost, salt: bytes, hardware_key: int = 0) -> None:
        self._content, self._tag = bytearray(content), bytearray(tag)
        self.cost, self.salt, self.hardware_key = cost, salt, hardware_key

    def __repr__(self) -> str:
        return "<vault keys>"

    def header_tag(self, header: bytes) -> bytes:
        """Sixteen bytes that only the right PIN can make."""
        return hmac.digest(bytes(self._tag), header, "sha256")[:TAG_BYTES]

    def cipher(self) -> AESGCM:
        """AES-256-GCM under the content key."""
        return AESGCM(bytes(self._content))

    def wipe(self) -> None:
        """Overwrite the keys. Copies that the interpreter or OpenSSL made may live on until reused."""
        for key in (self._content, self._tag):
            key[:] = bytes(len(key))


def derive(
    secret: bytes, salt: bytes, cost: Cost, hardware_key: int = 0, ask: Callable[[bytes], bytes] | None = None
) -> Keys:
    """The slow step (about 0.2 s on a desktop core at the default cost): keep it off every event loop.

    `ask` is HMAC-SHA256 under the hardware key of that number; None when the vault has none.
    """
    stretched = Argon2id(
        salt=salt, length=32, iterations=cost.passes, lanes=cost.lanes, memory_cost=cost.memory_kib
    ).derive(secret)
    if ask is not None:
        answer = ask(_expand(stretched, b"hardware question"))
        stretched = HKDF(
            algorithm=hashes.SHA256(), length=32, salt=answer, info=_PURPOSE + b"hardware answer"
        ).derive(stretched)
    return Keys(_expand(stretched, b"content"), _expand(stretched, b"header tag"), cost, salt, hardware_key)


def _expand(master: bytes, purpose: bytes) -> bytes:
    return HKDFExpand(algorithm=hashes.SHA256(), length=32, info=_PURPOSE + purpose).derive(master)


def seal(keys: Keys, nonce: bytes, content: bytes, generation: int = 0) -> bytes:
    """The whole file for `content`. `nonce` must be fresh randomness for every call."""
    cost = keys.cost
    header = _HEADER.pack(
        MAGIC,
        VERSION,
        cost.memory_kib,
        cost.passes,
        cost.lanes,
        keys.salt,
        keys.hardware_key,
        generation,
        nonce,
    )
    head = header + keys.header_tag(header)
    body = head + keys.cipher().encrypt(nonce, content, head)
    return body + _checksum(body)


@dataclass(frozen=True, slots=True)
class Shut:
    """A vault file whose checksum and bounds are right, not yet opened."""

    cost: Cost
    salt: bytes
    nonce: bytes
    head: bytes
    ciphertext: bytes
    hardware_key: int
    generation: int

    def open(self, keys: Keys) -> bytes:
        """The content. WrongPinError or VaultCorruptError as the module's docstring says."""
        header, tag = self.head[:-TAG_BYTES], self.head[-TAG_BYTES:]
        if not hmac.compare_digest(keys.header_tag(header), tag):
            raise WrongPinError
        try:
            return keys.cipher().decrypt(self.nonce, self.ciphertext, self.head)
        except InvalidTag as error:
            raise VaultCorruptError from error


def parse(data: bytes) -> Shut:
    """Check what can be checked without the PIN. VaultCorruptError, or VaultTooNewError for a later one."""
    if not _HEADER_1.size + _TAGS <= len(data) <= MAX_VAULT_BYTES:
        raise VaultCorruptError
    body, check = data[:-TAG_BYTES], data[-TAG_BYTES:]
    if _checksum(body) != check or not body.startswith(MAGIC):
        raise VaultCorruptError
    version = body[len(MAGIC)]
    if version > VERSION:
        raise VaultTooNewError
    layout = _HEADER_1 if version == 1 else _HEADER
    if len(data) < layout.size + _TAGS:
        raise VaultCorruptError
    _magic, _version, memory, passes, lanes, salt, *between, nonce = layout.unpack(body[: layout.size])
    try:
        cost = Cost(memory, passes, lanes)
    except ValueError as error:
        raise VaultCorruptError from error
    split = layout.size + TAG_BYTES
    return Shut(cost, salt, nonce, body[:split], body[split:], *(between or (0, 0)))


def _checksum(body: bytes) -> bytes:
    return hashlib.sha256(body).digest()[:TAG_BYTES]

"""The fixed world of the vectors: one municipality, one lock on one door, two phones, one morning.

Every secret is SHA-256 of a sentence, so that nobody mistakes it for a key of anything real.
"""

import hashlib
from dataclasses import replace

from pyhpke import AEADId, CipherSuite, KDFId, KEMId

from protocol import bulletin, cose, identity, lockrecord, manifest, suites, token
from protocol.bulletin import Bulletin
from protocol.identity import LockIdentity
from protocol.keys import HolderKey, KeyType, SigningKey, x25519_public
from protocol.lockrecord import LockRecord
from protocol.manifest import Manifest, Role, RoleKey, RootSet
from protocol.phonekeys import P256Key
from protocol.settings import DoorKind, LockSettings
from protocol.token import Scope, TokenClaims


def seed(name: str, length: int = 32) -> bytes:
    """Bytes for ``name``, the same for ever."""
    return hashlib.sha256(f"nyckelfri test vector: {name}".encode()).digest()[:length]


NOW = 1_795_330_800
"""2026-11-22 07:00 UTC, the beginning of a shift."""
HOUR = 3600
MUNICIPALITY = seed("municipality", 8)
BINDING = seed("binding", 8)
OTHER_BINDING = seed("the lock's earlier binding", 8)

ROOTS = tuple(manifest.root_signing_key(seed(f"root {n}")) for n in (1, 2, 3))
NEW_ROOTS = (ROOTS[0], manifest.root_signing_key(seed("root 4")), manifest.root_signing_key(seed("root 5")))
STRANGER_ROOT = manifest.root_signing_key(seed("another municipality's root"))

TOKEN_KEY = SigningKey.from_seed(b"\x10\x01", seed("token key"))
NEXT_TOKEN_KEY = SigningKey.from_seed(b"\x10\x02", seed("next token key"))
BULLETIN_KEY = SigningKey.from_seed(b"\x20\x01", seed("bulletin key"))
NEXT_BULLETIN_KEY = SigningKey.from_seed(b"\x20\x02", seed("next bulletin key"))
RECEIPT_KEY = SigningKey.from_seed(b"\x30\x01", seed("receipt key"))
SEALING_PRIVATE = seed("sealing key")
SEALING_KEY = RoleKey(Role.SEALING, b"\x40\x01", x25519_public(SEALING_PRIVATE))
FIRMWARE_KEY = SigningKey.from_seed(b"\x50\x01", seed("firmware key"))

LOCK_STATIC = seed("lock static key")
LOCK_LOG_SEED = seed("lock log key")
LOCK_SEAL = seed("lock seal key")
LOCK = LockIdentity(
    static_public=x25519_public(LOCK_STATIC),
    log_public=SigningKey.from_seed(b"\0", LOCK_LOG_SEED).public,
    seal_public=x25519_public(LOCK_SEAL),
    suites=suites.ALL,
)
LOCK_LOG_KEY = SigningKey.from_seed(LOCK.lock_id, LOCK_LOG_SEED)
OTHER_LOCK_ID = seed("another lock", 8)

PHONE = seed("phone key")
PHONE_KEY = HolderKey(KeyType.X25519, x25519_public(PHONE))
P256_PRIVATE = seed("phone key in hardware")
P256_PHONE = P256Key(P256_PRIVATE)
OTHER_PHONE_KEY = HolderKey(KeyType.X25519, x25519_public(seed("another phone's key")))
ADV_KEY = seed("adv_key")
NEXT_ADV_KEY = seed("next adv_key")


def _role(role: Role, key: SigningKey) -> RoleKey:
    return RoleKey(role, key.kid, key.public)


def root_set(keys: tuple[SigningKey, ...], threshold: int = 2) -> RootSet:
    return RootSet(tuple(sorted(key.public for key in keys)), threshold)


TRUSTED = root_set(ROOTS)
MANIFEST = Manifest(
    version=1,
    municipality=MUNICIPALITY,
    issued_at=NOW - 30 * 24 * HOUR,
    roots=TRUSTED,
    role_keys=tuple(
        sorted(
            (
                _role(Role.TOKEN, TOKEN_KEY),
                _role(Role.BULLETIN, BULLETIN_KEY),
                _role(Role.RECEIPT, RECEIPT_KEY),
                SEALING_KEY,
                _role(Role.FIRMWARE, FIRMWARE_KEY),
            )
        )
    ),
)
MANIFEST_BYTES = manifest.sign(MANIFEST, ROOTS[:2])
NEXT_MANIFEST = replace(
    MANIFEST,
    version=2,
    issued_at=NOW - HOUR,
    roots=root_set(NEW_ROOTS),
    role_keys=tuple(
        sorted(
            (
                _role(Role.TOKEN, TOKEN_KEY),
                _role(Role.TOKEN, NEXT_TOKEN_KEY),
                _role(Role.BULLETIN, NEXT_BULLETIN_KEY),
                _role(Role.RECEIPT, RECEIPT_KEY),
                SEALING_KEY,
            )
        )
    ),
)
NEXT_MANIFEST_BYTES = manifest.sign(NEXT_MANIFEST, (ROOTS[0], ROOTS[1], NEW_ROOTS[1]))

IDENTITY_BYTES = identity.sign(LOCK, LOCK_LOG_KEY)
RECORD = LockRecord(
    binding=BINDING,
    lock_id=LOCK.lock_id,
    static_public=LOCK.static_public,
    adv_keys=(ADV_KEY, NEXT_ADV_KEY),
    door_kind=DoorKind.APARTMENT,
    issued_at=NOW - HOUR,
    suites=suites.ALL,
)
RECORD_BYTES = lockrecord.sign(RECORD, BULLETIN_KEY)

CLAIMS = TokenClaims(
    binding=BINDING,
    not_before=NOW,
    expires=NOW + 9 * HOUR,
    issued_at=NOW - HOUR,
    token_id=seed("token id", 8),
    grp=7,
    scope=Scope.OPEN | Scope.LOCK,
)
TOKEN = token.issue(CLAIMS, TOKEN_KEY, PHONE_KEY)
P256_TOKEN = token.issue(CLAIMS, TOKEN_KEY, P256_PHONE.holder)
REQUEST_ID = seed("request id", 8)

SETTINGS = LockSettings(DoorKind.APARTMENT, relock_after=120, count_hand_openings=True, clock_ppm=-12)
REVOKED_TOKEN_ID = seed("revoked token id", 8)
BULLETIN = Bulletin(
    binding=BINDING,
    lock_id=LOCK.lock_id,
    seq=70_001,
    time=NOW - HOUR,
    settings=SETTINGS,
    revoked=frozenset(
        bulletin.revoked_hash(BINDING, one) for one in (REVOKED_TOKEN_ID, seed("another revoked token", 8))
    ),
    grp_not_before={9: NOW, 300: NOW - 24 * HOUR},
)
BULLETIN_BYTES = bulletin.sign(BULLETIN, BULLETIN_KEY)

_HPKE = CipherSuite.new(KEMId.DHKEM_X25519_HKDF_SHA256, KDFId.HKDF_SHA256, AEADId.AES256_GCM)


def seal(plaintext: bytes, public: bytes, info: bytes, name: str) -> bytes:
    """Seal with an ephemeral key derived from ``name``: pyhpke lets us choose it, the product never does."""
    ephemeral = _HPKE.kem.derive_key_pair(seed(f"ephemeral of {name}"))
    receiver = _HPKE.kem.deserialize_public_key(public)
    enc, context = _HPKE.create_sender_context(receiver, info, eks=ephemeral)
    return bytes(enc + context.seal(plaintext, b""))


def open_sealed(sealed: bytes, private: bytes, info: bytes) -> bytes:
    """Open with pyhpke, the other implementation."""
    receiver = _HPKE.kem.deserialize_private_key(private)
    context = _HPKE.create_recipient_context(sealed[:32], receiver, info)
    return bytes(context.open(sealed[32:], b""))


def secrets_info(binding: bytes, seq: int) -> bytes:
    return cose.context("secrets", binding, seq.to_bytes(4, "big"))

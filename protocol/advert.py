"""Adverts that say "one of our locks" and nothing more, and how a phone recognises its own doors in them.

ADV_IND   flags (3 bytes) || complete 128-bit service UUID (18 bytes)
SCAN_RSP  manufacturer data: company (2) || version (1) || salt (8) || rid (8)

rid = HMAC-SHA256(adv_key, "rid" || version || salt)[:8]
"""

import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from protocol import fields, gatt
from protocol.errors import ProtocolError

SALT_LENGTH = 8
RID_LENGTH = 8
DATA_LENGTH = 1 + SALT_LENGTH + RID_LENGTH
"""Manufacturer data without the company id, as scanners hand it out."""
_REMEMBERED = 512
_RID_PREFIX = b"rid" + bytes([gatt.PROTOCOL_VERSION])
_BLOCK = 64
"""SHA-256's block (bytes), to which HMAC pads its key."""
_INNER_PAD = bytes(byte ^ 0x36 for byte in range(256))
_OUTER_PAD = bytes(byte ^ 0x5C for byte in range(256))


@dataclass(frozen=True)
class Advert:
    """A lock's advert of the moment; it changes together with the Bluetooth address."""

    salt: bytes
    rid: bytes

    @property
    def data(self) -> bytes:
        """The 17 bytes after the company id."""
        return bytes([gatt.PROTOCOL_VERSION]) + self.salt + self.rid


def make(adv_key: bytes, salt: bytes) -> Advert:
    """Make the advert for a fresh 8-byte ``salt``."""
    return Advert(fields.octets(salt, SALT_LENGTH, "salt"), _rid(adv_key, salt))


def parse(data: bytes) -> Advert:
    """Parse manufacturer data without its company id; raises ProtocolError for another version or length."""
    if len(data) != DATA_LENGTH:
        raise ProtocolError(f"advert data must be {DATA_LENGTH} bytes")
    if data[0] != gatt.PROTOCOL_VERSION:
        raise ProtocolError("advert of another protocol version")
    return Advert(data[1 : 1 + SALT_LENGTH], data[1 + SALT_LENGTH :])


class _Candidate:
    """One adv_key, with what its HMAC (RFC 2104) has in common for all adverts computed beforehand."""

    __slots__ = ("inner", "match", "outer")

    def __init__(self, binding: bytes, adv_key: bytes) -> None:
        block = fields.octets(adv_key, 32, "adv_key").ljust(_BLOCK, b"\0")
        self.match = (binding, adv_key)
        self.inner = hashlib.sha256(block.translate(_INNER_PAD))
        self.outer = hashlib.sha256(block.translate(_OUTER_PAD))
        self.inner.update(_RID_PREFIX)


class Resolver:
    """Finds which binding an advert belongs to among the adv_keys a phone holds.

    The key that matched last is tried first the next time: a lock that has changed its address is the
    likeliest one to be heard anew.
    """

    def __init__(self, keys: Iterable[tuple[bytes, bytes]]) -> None:
        """``keys``: (binding, adv_key) pairs; a binding may come twice, with its current and next key."""
        self._candidates = [_Candidate(binding, key) for binding, key in keys]
        self._seen: OrderedDict[bytes, tuple[bytes, bytes] | None] = OrderedDict()

    def resolve(self, advert: Advert) -> tuple[bytes, bytes] | None:
        """Return (binding, the adv_key that matched), or None for a door the phone has no right to.

        Tries every key once per new advert, then remembers the answer for as long as the advert lasts.
        """
        found = None
        for found in self.attempts(advert, len(self._candidates) or 1):
            if found is not None:
                break
        return found

    def attempts(self, advert: Advert, size: int) -> Iterator[tuple[bytes, bytes] | None]:
        """Resolve in slices of ``size`` keys: None after each in vain; the match, if any, comes last."""
        data = advert.data
        if data in self._seen:
            self._seen.move_to_end(data)
            yield self._seen[data]
            return
        candidates, found = self._candidates, None
        for start in range(0, len(candidates), size):
            found = self._among(candidates[start : start + size], advert)
            yield found
            if found is not None:
                break
        self._remember(data, found)

    def _among(self, candidates: Sequence[_Candidate], advert: Advert) -> tuple[bytes, bytes] | None:
        for candidate in candidates:
            inner, outer = candidate.inner.copy(), candidate.outer.copy()
            inner.update(advert.salt)
            outer.update(inner.digest())
            if outer.digest()[:RID_LENGTH] == advert.rid:
                self._candidates = [candidate, *(each for each in self._candidates if each is not candidate)]
                return candidate.match
        return None

    def _remember(self, data: bytes, found: tuple[bytes, bytes] | None) -> None:
        self._seen[data] = found
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)


def _rid(adv_key: bytes, salt: bytes) -> bytes:
    message = _RID_PREFIX + salt
    return hmac.digest(fields.octets(adv_key, 32, "adv_key"), message, "sha256")[:RID_LENGTH]

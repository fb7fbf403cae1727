"""Adverts that say "one of our locks" and nothing more, and how a phone recognises its own doors in them.

ADV_IND   flags (3 bytes) || complete 128-bit service UUID (18 bytes)
SCAN_RSP  manufacturer data: company (2) || version (1) || salt (8) || rid (8)

rid = HMAC-SHA256(adv_key, "rid" || version || salt)[:8]
"""

import hmac
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from protocol import fields, gatt
from protocol.errors import ProtocolError

SALT_LENGTH = 8
RID_LENGTH = 8
DATA_LENGTH = 1 + SALT_LENGTH + RID_LENGTH
"""Manufacturer data without the company id, as scanners hand it out."""
_REMEMBERED = 512


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


class Resolver:
    """Finds which binding an advert belongs to among the adv_keys a phone holds."""

    def __init__(self, keys: Iterable[tuple[bytes, bytes]]) -> None:
        """``keys``: (binding, adv_key) pairs; a binding may come twice, with its current and next key."""
        self._keys = [(binding, fields.octets(key, 32, "adv_key")) for binding, key in keys]
        self._seen: OrderedDict[bytes, tuple[bytes, bytes] | None] = OrderedDict()

    def resolve(self, advert: Advert) -> tuple[bytes, bytes] | None:
        """Return (binding, the adv_key that matched), or None for a door the phone has no right to.

        Tries every key once per new advert, then remembers the answer for as long as the advert lasts.
        """
        data = advert.data
        if data in self._seen:
            self._seen.move_to_end(data)
            return self._seen[data]
        found = self._search(advert)
        self._seen[data] = found
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return found

    def _search(self, advert: Advert) -> tuple[bytes, bytes] | None:
        message = _rid_message(advert.salt)
        for binding, key in self._keys:
            if hmac.digest(key, message, "sha256")[:RID_LENGTH] == advert.rid:
                return binding, key
        return None


def _rid(adv_key: bytes, salt: bytes) -> bytes:
    return hmac.digest(fields.octets(adv_key, 32, "adv_key"), _rid_message(salt), "sha256")[:RID_LENGTH]


def _rid_message(salt: bytes) -> bytes:
    return b"rid" + bytes([gatt.PROTOCOL_VERSION]) + salt

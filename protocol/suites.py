"""The handshake suites: what the type of a phone's key decides, and nothing else does.

A suite is one Noise handshake on one pair of characteristics. A phone has one key, its type names the suite,
and a lock that does not offer that suite cannot be opened with that key: there is nothing to fall back to.
"""

from dataclasses import dataclass

from protocol import gatt
from protocol.errors import ProtocolError
from protocol.keys import KeyType

_MAC1, _EPHEMERAL, _STATIC, _TAG = 8, 32, 48, 16
PROOF_LENGTH = 64
"""ES256: r and s of 32 bytes each."""
POINT_LENGTH = 33
"""A compressed P-256 point."""


@dataclass(frozen=True)
class Suite:
    """One way of shaking hands."""

    number: int
    noise: bytes
    """The protocol's name in Noise (revision 34, section 8)."""
    key_type: KeyType
    m1_overhead: int
    """Bytes of m1 beside the request."""
    rx_uuid: str
    """Characteristic from phone to lock."""
    tx_uuid: str
    """Characteristic from lock to phone; subscribing to it chooses the suite."""

    @property
    def bit(self) -> int:
        """Its bit in the suites of a lock's identity and record."""
        return 1 << (self.number - 1)

    def among(self, mask: int) -> bool:
        """Say whether a lock with these suites offers this one."""
        return bool(mask & self.bit)


SUITE_1 = Suite(
    1,
    b"Noise_KXpsk1_25519_AESGCM_SHA256",
    KeyType.X25519,
    _MAC1 + _EPHEMERAL + _STATIC + _TAG,
    gatt.SUITE1_RX_UUID,
    gatt.SUITE1_TX_UUID,
)
SUITE_2 = Suite(
    2,
    b"Noise_KNpsk1_25519_AESGCM_SHA256",
    KeyType.P256,
    _MAC1 + _EPHEMERAL + PROOF_LENGTH + POINT_LENGTH + _TAG,
    gatt.SUITE2_RX_UUID,
    gatt.SUITE2_TX_UUID,
)
SUITES = (SUITE_1, SUITE_2)
ALL = SUITE_1.bit | SUITE_2.bit
"""The suites of a lock that offers all that this version knows."""

_BY_KEY_TYPE = {suite.key_type: suite for suite in SUITES}
_BY_NUMBER = {suite.number: suite for suite in SUITES}


def of_key(key_type: KeyType) -> Suite:
    """The one suite that a phone with such a key uses."""
    return _BY_KEY_TYPE[key_type]


def numbered(number: int) -> Suite:
    """The suite of that number; ProtocolError for one that this version does not know."""
    if number not in _BY_NUMBER:
        raise ProtocolError("unknown suite")
    return _BY_NUMBER[number]

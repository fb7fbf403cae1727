"""The one registry of refusal reasons: codes on the wire, slugs for people's languages.

The words a person reads are data of the phone app (one file per language, keyed by slug). Codes never change
meaning and are never reused.
"""

from enum import IntEnum


class Reason(IntEnum):
    """Why a lock said no, or ``GRANTED``; the value is the code on the wire."""

    GRANTED = 0

    # Before the phone is authenticated; never believed as the truth about the door.
    HANDSHAKE_FAILED = 1

    # The judgement of a request, in the order of checks.
    MALFORMED = 2
    """The request or its token does not follow the specification."""
    KEY_UNKNOWN = 3
    """The token names an issuer key this lock does not know; a newer bulletin may cure it."""
    WRONG_BINDING = 4
    """The token is for another binding: another door, or this lock's earlier place."""
    TOKEN_INVALID = 5
    """The signature does not hold for this phone's key: tampered, or another phone's token."""
    NOT_YET_VALID = 6
    EXPIRED = 7
    NEED_UPDATE = 8
    """The lock's newest bulletin is too old beside the token; the phone should hand over a newer one."""
    TIME_UNCERTAIN = 9
    """The lock does not know the time and this token has used up what may be accepted meanwhile."""
    REVOKED = 10
    PROVIDER_ENDED = 11
    """Tokens of this provider issued before the not-before of its grp are dead at this binding."""
    NOT_PERMITTED = 12
    """The token's scope does not hold the operation asked for."""
    BUSY = 13
    """Another phone is acting at this lock right now."""
    LOCK_FAULT = 14
    """The lock could not write its log or drive its motor, and therefore did not act."""
    BATTERY_EMPTY = 15
    """What the battery still holds is kept for locking; this lock is not set to open with it."""

    # What became of a bulletin.
    BULLETIN_OLD = 32
    BULLETIN_INVALID = 33
    BULLETIN_WRONG_BINDING = 34
    MANIFEST_INVALID = 35

    # What became of a fresh time statement.
    TIME_INVALID = 48
    TIME_NOT_FOR_SESSION = 49
    TIME_JUMP_REFUSED = 50

    # What became of a commissioning.
    COMMISSION_INVALID = 64
    COMMISSION_WRONG_LOCK = 65
    COMMISSION_ROOT_MISMATCH = 66
    COMMISSION_OLD = 67
    """The package is not newer than what the lock knows: an earlier one, played again."""

    # What became of the order to end a binding; the last also of a package.
    RETIRE_INVALID = 68
    """The order is malformed, or its signature does not hold."""
    RETIRE_LOG_FIRST = 69
    """The lock holds log that the server has not receipted; it must be carried home before."""
    RETIRE_WRONG_LOCK = 70
    """The order is for another lock, or for another binding than the lock has."""
    COMMISSION_BUSY = 71
    """A phone is acting at this lock; in a moment the same works."""

    # What became of a firmware offer or chunk.
    FIRMWARE_INVALID = 80
    FIRMWARE_WRONG_MODEL = 81
    FIRMWARE_OLD = 82
    """Not newer than what the lock runs, or below a security version it has confirmed."""
    FIRMWARE_FELL_BACK = 83
    """This version, or a later one, was tried and did not come up; a mended one has a higher number."""
    FIRMWARE_CURRENT = 84
    """The lock runs this image already."""
    FIRMWARE_OUT_OF_PLACE = 85
    """The chunk does not begin where the lock goes on."""
    FIRMWARE_DAMAGED = 86
    """The whole image is not the one that was signed; it begins anew."""
    FIRMWARE_BUSY = 87
    """The door is acting, or another image is on trial or about to be."""
    FIRMWARE_UNSUPPORTED = 88
    """This lock takes no firmware over the air."""

    @property
    def slug(self) -> str:
        """The stable name for APIs and for looking up a person's words, such as ``not_yet_valid``."""
        return self.name.lower()


CURABLE_BY_BULLETIN = frozenset({Reason.NEED_UPDATE, Reason.KEY_UNKNOWN})
"""Refusals after which a newer bulletin in the same session makes the lock judge the same m1 once more."""


def reason(code: int) -> Reason | None:
    """Return the reason of ``code``, or None for a code of a later protocol version."""
    try:
        return Reason(code)
    except ValueError:
        return None

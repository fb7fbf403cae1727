"""The label on a lock: which lock it is, and the setup code that lets an installer's phone talk to it.

    label = lock id (8) || setup code (11) || check (1)     32 letters and digits in groups of four

People read it, scan it and type it, so the letters are those that are not mistaken for others (Crockford's
base 32): O is read as 0, I and L as 1, and case, blanks and dashes do not matter.
"""

import hashlib
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from protocol import fields
from protocol.errors import ProtocolError
from protocol.identity import LOCK_ID_LENGTH

CODE_LENGTH = 11
"""88 bits: enough against whoever records adverts of a lock in setup and guesses at leisure."""
TEXT_LENGTH = 32
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)} | {"O": 0, "I": 1, "L": 1}
_BITS = 5
_GROUP = 4


@dataclass(frozen=True)
class Label:
    """What is printed on a lock. The code is no secret of the lock's: whoever sees the label knows it."""

    lock_id: bytes
    code: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """Eight groups of four, for people and for the square code."""
        plain = self.lock_id + self.code
        number = int.from_bytes(plain + _check(plain), "big")
        letters = "".join(_ALPHABET[number >> shift & 31] for shift in range(155, -1, -_BITS))
        return "-".join(letters[at : at + _GROUP] for at in range(0, TEXT_LENGTH, _GROUP))

    @property
    def setup_key(self) -> bytes:
        """32 bytes that take the place of the adv_key while the lock is being set up."""
        info = b"nyckelfri-setup-1" + self.lock_id
        return HKDF(SHA256(), 32, None, info).derive(self.code)


def of_lock(lock_id: bytes, seal_private: bytes) -> Label:
    """Return the label of the lock with this seal key: the same for life, and nothing leads back from it."""
    fields.octets(seal_private, 32, "seal key")
    code = HKDF(SHA256(), CODE_LENGTH, None, b"nyckelfri-label-1" + lock_id).derive(seal_private)
    return Label(fields.octets(lock_id, LOCK_ID_LENGTH, "lock id"), code)


def parse(text: str) -> Label:
    """Read a label as scanned or typed; ProtocolError when it is none, or has been mistyped."""
    letters = [letter for letter in text.upper() if letter not in " -\n\r\t"]
    if len(letters) != TEXT_LENGTH or not all(letter in _VALUES for letter in letters):
        raise ProtocolError(f"a label has {TEXT_LENGTH} letters and digits")
    number = 0
    for letter in letters:
        number = number << _BITS | _VALUES[letter]
    plain, check = (data := number.to_bytes(TEXT_LENGTH * _BITS // 8, "big"))[:-1], data[-1:]
    if check != _check(plain):
        raise ProtocolError("the label has been misread")
    return Label(plain[:LOCK_ID_LENGTH], plain[LOCK_ID_LENGTH:])


def _check(plain: bytes) -> bytes:
    return hashlib.sha256(b"nyckelfri-label" + plain).digest()[:1]

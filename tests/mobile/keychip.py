"""Key hardware for tests: real HMAC-SHA256 and ECDSA under keys that can only be asked by name."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Sequence

from mobile.engine.errors import HardwareKeyError, HardwareKeyGoneError
from protocol.phonekeys import P256Key


def _nothing() -> None:
    """The power stays on."""


class KeyChip:
    """Follows `mobile.engine.storage.hardware.HardwareKeys`.

    `step` is called before every change, so that a test can cut the power; `broken` makes it not answer.
    Its keys are durable at once and are no part of the phone's files: nobody can put older ones back.
    """

    level = "tee"
    signs = True
    """Whether it can hold P-256 keys."""

    def __init__(self, step: Callable[[], None] = _nothing) -> None:
        self.step, self.broken = step, False
        self.asked: list[str] = []
        self._keys: dict[str, bytes] = {}

    def copy(self) -> KeyChip:
        """The same chip once more, after the power is back."""
        again = KeyChip()
        again._keys = dict(self._keys)
        return again

    def create(self, name: str) -> None:
        self._answer()
        self.step()
        self._keys.setdefault(name, secrets.token_bytes(32))

    def mac(self, name: str, message: bytes) -> bytes:
        self._answer()
        self.asked.append(name)
        if len(message) > 64:
            raise HardwareKeyError(why="too long")
        if name not in self._keys:
            raise HardwareKeyGoneError
        return hmac.digest(self._keys[name], message, "sha256")

    def create_signer(self, name: str) -> bytes | None:
        self._answer()
        if not self.signs:
            return None
        self.step()
        key = self._keys[name] = secrets.token_bytes(32)
        return P256Key(key).holder.public

    def sign(self, name: str, message: bytes) -> bytes:
        self._answer()
        self.asked.append(name)
        if name not in self._keys:
            raise HardwareKeyGoneError
        return P256Key(self._keys[name]).sign(message)

    def names(self) -> Sequence[str]:
        self._answer()
        return tuple(self._keys)

    def delete(self, name: str) -> None:
        self._answer()
        self.step()
        self._keys.pop(name, None)

    def _answer(self) -> None:
        if self.broken:
            raise HardwareKeyError(why="busy")

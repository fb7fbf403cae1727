"""What can go wrong on the phone, as types with a reason slug that reaches the person in plain words.

The slugs here are the phone's own; a door's refusals carry the protocol's. Both are explained in
`mobile/locale/<language>/LC_MESSAGES/mobile.po` (`reason.<slug>.…`).
"""

from __future__ import annotations


class EngineError(Exception):
    """Base of everything a verb of the engine may raise. `code` is a slug; `details` hold no secrets."""

    code = "unexpected"

    def __init__(self, code: str | None = None, **details: str | int) -> None:
        self.code = code or type(self).code
        self.details = details
        super().__init__(self.code)


class NotEnrolledError(EngineError):
    """There is no vault on this phone yet."""

    code = "not_enrolled"


class LockedError(EngineError):
    """The vault is shut; unlock first."""

    code = "app_locked"


class WeakPinError(EngineError):
    """The chosen PIN is too easy to guess. `details['why']`: short, repeat, sequence or common."""

    code = "weak_pin"


class WrongPinError(EngineError):
    """The PIN did not open the vault. `details`: attempts_left, wait_seconds until the next one counts."""

    code = "wrong_pin"


class PinDelayError(EngineError):
    """Too soon after a wrong PIN; nothing was tried. `details`: wait_seconds, attempts_left."""

    code = "pin_delay"


class VaultWipedError(EngineError):
    """Ten wrong PINs: the vault is gone and the phone must be enrolled anew."""

    code = "vault_wiped"


class VaultCorruptError(EngineError):
    """The vault file is damaged (no PIN can open it); nothing was deleted."""

    code = "vault_corrupt"


class VaultTooNewError(EngineError):
    """The vault was written by a newer version of the app."""

    code = "vault_too_new"


class HardwareKeyError(EngineError):
    """The phone's key hardware did not answer; nothing was tried and nothing counted."""

    code = "hardware_key_failed"


class HardwareKeyGoneError(HardwareKeyError):
    """The key that this vault needs is not in this phone's hardware: no PIN can open it any more."""

    code = "hardware_key_gone"


class DiskFullError(EngineError):
    """The phone's storage is full. What was stored before is still there."""

    code = "disk_full"


class StorageError(EngineError):
    """The phone's storage failed in another way. What was stored before is still there."""

    code = "storage_failed"


class ServerError(EngineError):
    """The server did not answer or refused: server_unreachable, server_error, or a slug of the HTTP API."""

    code = "server_unreachable"


class InsecureServerError(EngineError):
    """Plain HTTP is refused outside localhost."""

    code = "insecure_server"


class SignInError(EngineError):
    """The second login failed: bad_credentials, wrong_second_factor, second_factor_required, …"""

    code = "bad_credentials"

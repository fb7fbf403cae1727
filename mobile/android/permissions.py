"""The permissions that finding a lock needs, which differ between Android versions.

From Android 12 (API 31) on there are permissions of their own for scanning and connecting, and the manifest
promises that scans are never used to learn where the phone is. Before, a scan needed the permission for the
exact place and location turned on; the app never asks for a place all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from android.permissions import request_permissions

from mobile.android import java

SCAN = "android.permission.BLUETOOTH_SCAN"
CONNECT = "android.permission.BLUETOOTH_CONNECT"
FINE_LOCATION = "android.permission.ACCESS_FINE_LOCATION"
OWN_PERMISSIONS_SINCE = 31


def needed(sdk: int) -> tuple[str, ...]:
    """What a phone of this API level must be asked for at run time."""
    return (SCAN, CONNECT) if sdk >= OWN_PERMISSIONS_SINCE else (FINE_LOCATION,)


def held() -> bool:
    """True when the person has given all that is needed."""
    granted = java.find("android.content.pm.PackageManager").PERMISSION_GRANTED
    return all(java.activity().checkSelfPermission(name) == granted for name in needed(java.sdk()))


def ask(answered: Callable[[], None], in_vain: Callable[[], None]) -> None:
    """Show Android's own question. Both callbacks come from the window's thread.

    ``in_vain`` follows ``answered`` where Android showed no question because it was refused for good before:
    Android would then have the app explain itself (the "rationale") neither before nor after.
    """
    explained = _explains()

    def done(_permissions: Sequence[str], _granted: Sequence[bool]) -> None:
        answered()
        if not held() and not explained and not _explains():
            in_vain()

    request_permissions(list(needed(java.sdk())), done)


def _explains() -> bool:
    return any(java.activity().shouldShowRequestPermissionRationale(name) for name in needed(java.sdk()))

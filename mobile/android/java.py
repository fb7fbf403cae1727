"""The one door to Java.

A class of the app's own package (not of Android's) is found only on a thread that Java made: a thread of
Python's has the system's class loader. So every class is looked up once, on the main thread, by `load`.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from jnius import JavaException, PythonJavaClass, autoclass, cast, java_method

__all__ = ["JavaException", "PythonJavaClass", "cast", "java_method"]

ACTIVITY = "org.kivy.android.PythonActivity"
VERSION = "android.os.Build$VERSION"
CLASSES: dict[str, int] = {
    ACTIVITY: 0,
    VERSION: 0,
    "android.bluetooth.BluetoothAdapter": 0,
    "android.bluetooth.BluetoothGatt": 0,
    "android.bluetooth.BluetoothManager": 0,
    "android.content.Intent": 0,
    "android.content.pm.PackageManager": 0,
    "android.location.LocationManager": 0,
    "android.net.Uri": 0,
    "android.os.Build": 0,
    "android.os.VibrationEffect": 26,
    "android.os.Vibrator": 0,
    "android.os.VibratorManager": 31,
    "android.provider.Settings": 0,
    "android.provider.Settings$Secure": 0,
    "android.security.keystore.KeyGenParameterSpec$Builder": 0,
    "android.security.keystore.KeyInfo": 0,
    "android.security.keystore.KeyProperties": 0,
    "android.view.WindowManager$LayoutParams": 0,
    "java.lang.Thread": 0,
    "java.security.KeyStore": 0,
    "javax.crypto.KeyGenerator": 0,
    "javax.crypto.Mac": 0,
    "javax.crypto.SecretKeyFactory": 0,
}
"""Every class that this package uses, and the Android version (API level) that has it."""


@cache
def find(name: str) -> Any:
    """A class of Java, looked up once."""
    return autoclass(name)


def load() -> None:
    """Look all classes up; call on the main thread before any other thread begins."""
    for name, since in CLASSES.items():
        if sdk() >= since:
            find(name)


def sdk() -> int:
    """The phone's Android version as its API level: 26 is Android 8.0, 31 is 12, 35 is 15."""
    return int(find(VERSION).SDK_INT)


def activity() -> Any:
    """The app's one activity."""
    return find(ACTIVITY).mActivity


def service(name: str, kind: str) -> Any:
    """One of Android's services, as the class that is published for it."""
    return cast(kind, activity().getSystemService(name))


def short(error: JavaException) -> str:
    """The kind of a Java error without its message, which may quote anything."""
    return str(error.classname or "").rsplit(".", 1)[-1][:64]

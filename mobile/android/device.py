"""What the app asks of the phone it runs on: it shakes, dials, and shows Android's own questions."""

from __future__ import annotations

import logging
from typing import Any

from mobile.android import java, permissions
from mobile.android.adapter import PhoneAdapter
from mobile.engine.state import Bluetooth
from mobile.ui.device import Device

log = logging.getLogger("nyckelfri.phone")

VIBRATORS_SINCE = 31
ONCE = -1
NIGHT_MASK, NIGHT_YES = 0x30, 0x20
"""Of android.content.res.Configuration: UI_MODE_NIGHT_MASK and UI_MODE_NIGHT_YES."""


class Phone:
    """Made on the main thread; `device` is what the app is handed."""

    def __init__(self, adapter: PhoneAdapter) -> None:
        self._adapter = adapter
        self._asking = False
        self._vibrator = _vibrator()

    def device(self) -> Device:
        """The ports of `mobile.ui.device`."""
        return Device(
            vibrate=self.vibrate,
            is_dark=is_dark,
            dial=dial,
            mends=frozenset({Bluetooth.OFF, Bluetooth.NO_PERMISSION, Bluetooth.LOCATION_OFF}),
            mend=self.mend,
            is_asking=lambda: self._asking,
            seen_again=self.seen_again,
        )

    def vibrate(self, pulses: tuple[float, ...]) -> None:
        """Shake: seconds on and off in turn."""
        if not self._vibrator.hasVibrator():
            return
        timings = [0, *(round(seconds * 1000) for seconds in pulses)]  # Android begins with a pause
        effect = java.find("android.os.VibrationEffect").createWaveform(timings, ONCE)
        self._vibrator.vibrate(effect)

    def mend(self, bluetooth: Bluetooth) -> None:
        """Show the question of Android's that can put this right."""
        settings = java.find("android.provider.Settings")
        if bluetooth is Bluetooth.NO_PERMISSION:
            self._asking = True
            permissions.ask(self._adapter.look_again, in_vain=self._own_page)
        elif bluetooth is Bluetooth.OFF:
            enable = java.find("android.bluetooth.BluetoothAdapter").ACTION_REQUEST_ENABLE
            self._asking = _show(java.find("android.content.Intent")(enable))
        elif bluetooth is Bluetooth.LOCATION_OFF:
            _show(java.find("android.content.Intent")(settings.ACTION_LOCATION_SOURCE_SETTINGS))

    def seen_again(self) -> None:
        """Back in front: whatever was asked has been answered."""
        self._asking = False
        self._adapter.look_again()

    def _own_page(self) -> None:
        """This app's page in Android's settings, where a permission refused for good can be given."""
        self._asking = False
        page = java.find("android.provider.Settings").ACTION_APPLICATION_DETAILS_SETTINGS
        own = java.find("android.net.Uri").fromParts("package", java.activity().getPackageName(), None)
        _show(java.find("android.content.Intent")(page, own))


def dial(number: str) -> None:
    """Open the dialler with the number filled in; the person presses call."""
    intent = java.find("android.content.Intent")
    _show(intent(intent.ACTION_DIAL, java.find("android.net.Uri").fromParts("tel", number, None)))


def is_dark() -> bool:
    """Whether the phone's own screens are dark."""
    mode = java.activity().getResources().getConfiguration().uiMode
    return bool(mode & NIGHT_MASK == NIGHT_YES)


def model() -> str:
    """Maker and model, so that an administrator knows which phone is which."""
    build = java.find("android.os.Build")
    return f"{build.MANUFACTURER} {build.MODEL} Android {java.find(java.VERSION).RELEASE}"[:80]


def _show(intent: Any) -> bool:
    """Go there. A phone without such a page (a tablet without a dialler) is no reason to fall over."""
    try:
        java.activity().startActivity(intent)
    except java.JavaException as error:
        log.warning("nothing to show: %s", java.short(error))
        return False
    return True


def _vibrator() -> Any:
    if java.sdk() >= VIBRATORS_SINCE:
        manager: Any = java.service("vibrator_manager", "android.os.VibratorManager")
        return manager.getDefaultVibrator()
    return java.service("vibrator", "android.os.Vibrator")

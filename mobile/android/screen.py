"""What others may see of the app's window: nothing."""

from __future__ import annotations

from android.runnable import run_on_ui_thread

from mobile.android import java

RECENTS_SWITCH_SINCE = 33
NO_OVERLAYS_SINCE = 31


@run_on_ui_thread
def hide() -> None:
    """No screenshots or recordings, no picture among recent apps, no other app's window on top."""
    activity = java.activity()
    window = activity.getWindow()
    window.addFlags(java.find("android.view.WindowManager$LayoutParams").FLAG_SECURE)
    if java.sdk() >= NO_OVERLAYS_SINCE:
        window.setHideOverlayWindows(True)
    if java.sdk() >= RECENTS_SWITCH_SINCE:
        activity.setRecentsScreenshotEnabled(False)

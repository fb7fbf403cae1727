"""The app's window: what others may see of it (nothing), and where it lies."""

from __future__ import annotations

from android.runnable import run_on_ui_thread

from mobile.android import java

RECENTS_SWITCH_SINCE = 33
NO_OVERLAYS_SINCE = 31
EDGE_TO_EDGE_SINCE = 35


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


@run_on_ui_thread
def stay_clear_of_the_bars() -> None:
    """From Android 15 on a window lies under the clock and the navigation bar; this one stays between."""
    if java.sdk() >= EDGE_TO_EDGE_SINCE:
        layout = java.find(java.ACTIVITY).getLayout()
        layout.setFitsSystemWindows(True)
        layout.requestApplyInsets()

"""What only Android has, through pyjnius: imported on Android alone, by `mobile.android.start`.

java        the one door to Java: classes, the activity, the window's own thread
thread      the engine's thread, made by Java so that Java calls back into it
adapter     what Android says about Bluetooth, permissions and location; permissions asks for them
scanning    bleak's Android backend, with what is wrong in it put right
keystore    keys that the phone's hardware holds
screen      no screenshots, nothing in the list of recent apps, no windows drawn on top
device      vibration, the dialler, Android's own pages of settings
links       the link in an enrolment's QR code
start       puts all of it together; what `main.py` calls

Nothing here has run on a telephone yet; docs/android.md says what has been checked instead, and how.
"""

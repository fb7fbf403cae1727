"""What python-for-android starts on a telephone; on a desktop it is `python -m mobile`."""

from mobile.android.start import main

main()

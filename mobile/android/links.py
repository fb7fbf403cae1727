"""The link in an enrolment's QR code: the phone's own camera app opens it, Android hands it to this app."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from android import activity as activities

from mobile.android import java
from mobile.engine.deeplink import START


def first() -> str:
    """The link that the app was started with, else ''. It counts once."""
    intent = java.activity().getIntent()
    history = java.find("android.content.Intent").FLAG_ACTIVITY_LAUNCHED_FROM_HISTORY
    if intent is not None and intent.getFlags() & history:
        return ""  # picked among the recent apps: the link is an old one, its code is used up
    return _link(intent)


def follow(arrived: Callable[[str], None]) -> None:
    """Call ``arrived``, on the window's thread, with every link that comes while the app runs."""

    def new(intent: Any) -> None:
        link = _link(intent)
        if link:
            arrived(link)

    activities.bind(on_new_intent=new)


def _link(intent: Any) -> str:
    """Whether the link is a good one is judged by `mobile.engine.deeplink`; this sorts out what is none."""
    text = intent.getDataString() if intent is not None else None
    if not text or not str(text).startswith(START):
        return ""
    intent.setData(None)  # a window that Android makes anew must not enrol anew
    return str(text)

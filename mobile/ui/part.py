"""What a part of the app brings with it. The shell (`mobile.ui.app`) knows none of them by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mobile.ui.device import Device
from mobile.ui.frame import ModelScreen
from mobile.ui.rows import Action
from mobile.viewmodels.navigation import Navigation
from mobile.viewmodels.session import Session
from mobile.viewmodels.taps import Taps

Actions = Callable[[], list[Action]]


def _none() -> None:
    """A part that adds nothing there."""


@dataclass(frozen=True, slots=True)
class Shell:
    """What every part is made from."""

    session: Session
    navigation: Navigation
    taps: Taps
    device: Device = field(default_factory=Device)


@dataclass(frozen=True)
class Part:
    """Screens with their models, and what they add elsewhere. All of it is optional.

    `acts` are the verbs that an `Action` of that name runs (`go:screen` and `go:screen:door` need none);
    `notices` stand on top of today's list, `links` are rows of the settings, `helps` are buttons under
    "Kommer du inte in?". `strip` stands under the sync bar on every screen while there is one; `rings` names
    the sound that is due now, each time it is asked; `tick` is called once a second,
    and `touched` whenever a finger or a key comes down.
    """

    kv: tuple[str, ...] = ()
    screens: Mapping[type[ModelScreen], Any] = field(default_factory=dict)
    acts: Mapping[str, Callable[[], object]] = field(default_factory=dict)
    notices: Actions = list
    links: Actions = list
    helps: Actions = list
    misses: Actions = list
    strip: Callable[[], Any] = _none
    rings: Callable[[], str] = str
    tick: Callable[[], object] = _none
    touched: Callable[[], object] = _none


def gather(parts: list[Part], what: Callable[[Part], Actions]) -> list[Action]:
    """What all parts add in one place, in the order of the parts."""
    return [action for part in parts for action in what(part)()]

"""Every screen and state, in both languages, at three text sizes: nothing overlaps, nothing is too small."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations
from types import MappingProxyType

import pytest
from kivy.core.window import Window
from kivy.metrics import dp
from kivy.uix.label import Label
from kivy.uix.scrollview import ScrollView
from kivy.uix.textinput import TextInput
from kivy.uix.widget import Widget

from mobile.engine.state import Bluetooth, Opening, OpeningState
from mobile.ui.palette import DARK, LIGHT, contrast
from mobile.ui.rows import NoticeLine
from mobile.ui.widgets import MIN_TARGET, Tappable
from protocol.reasons import Reason
from tests.ui.driver import Driver, visible
from tests.ui.gallery import ALL_SCENES
from tests.ui.scenes import UNLOCKED

Box = tuple[float, float, float, float]
SLACK = 1.5
"""Pixels that rounding may cost."""
OPENS_A_DOOR = 72
"""dp, of whatever opens or locks a door."""


def _box(widget: Widget) -> Box:
    left, bottom = widget.to_window(widget.x, widget.y)
    return left, bottom, left + widget.width, bottom + widget.height


def _overlap(one: Box, other: Box) -> bool:
    return (
        min(one[2], other[2]) - max(one[0], other[0]) > SLACK
        and min(one[3], other[3]) - max(one[1], other[1]) > SLACK
    )


def _page(widget: Widget) -> Widget | None:
    parent = widget.parent
    while parent is not None and parent is not Window:
        if isinstance(parent, ScrollView):
            return parent
        parent = parent.parent
    return None


def _words(driver: Driver) -> list[Label | TextInput]:
    leaves = [w for w in visible(driver.app.root) if isinstance(w, (Label, TextInput))]
    return [leaf for leaf in leaves if leaf.text or isinstance(leaf, TextInput)]


def _faults(driver: Driver) -> list[str]:
    words = _words(driver)
    faults = [f"overlap: {a.text!r} and {b.text!r}" for a, b in combinations(words, 2)
              if _page(a) is _page(b) and _overlap(_box(a), _box(b))]  # fmt: skip
    faults += [f"cut: {w.text!r}" for w in words if isinstance(w, Label) and _is_cut(w)]
    faults += [f"outside: {w.text!r}" for w in words if _page(w) is None and not _inside(_box(w))]
    targets = [w for w in visible(driver.app.root) if isinstance(w, Tappable)]
    faults += [f"small target: {_name(t)} {t.size}" for t in targets if min(t.size) < dp(MIN_TARGET) - SLACK]
    faults += [f"small for a door: {_name(t)} {t.height}" for t in targets
               if _is_of_a_door(driver, t) and t.height < dp(OPENS_A_DOOR) - SLACK]  # fmt: skip
    faults += [f"faint: {w.text!r}" for w in words if isinstance(w, Label) and _is_faint(driver, w)]
    faults += [
        f"overlapping targets: {_name(a)} and {_name(b)}"
        for a, b in combinations(targets, 2)
        if _page(a) is _page(b) and not _nested(a, b) and _overlap(_box(a), _box(b))
    ]  # fmt: skip
    return faults


def _nested(one: Widget, other: Widget) -> bool:
    return one in set(other.walk(restrict=True)) or other in set(one.walk(restrict=True))


def _is_cut(label: Label) -> bool:
    wide, high = label.texture_size
    return bool(wide > label.width + SLACK or high > label.height + SLACK)


def _inside(box: Box) -> bool:
    fits_across = box[0] >= -SLACK and box[2] <= Window.width + SLACK
    return fits_across and box[1] >= -SLACK and box[3] <= Window.height + SLACK


def _is_of_a_door(driver: Driver, target: Tappable) -> bool:
    """Does a finger on it open or lock a door? (Not the app's own lock, nor a line that leads to a door.)"""
    of_a_person = driver.screen.name in {"pin", "settings"}
    acts = not of_a_person and not isinstance(target, NoticeLine)
    return acts and getattr(target, "icon", "") in {"unlocked", "locked"}


def _is_faint(driver: Driver, label: Label) -> bool:
    """Faded by an opacity of its own or of what it lies in, until it is hard to read on the page."""
    opacity, widget = label.opacity, label.parent
    while widget is not None and widget is not Window:
        opacity, widget = opacity * widget.opacity, widget.parent
    palette = DARK if driver.app.theme.dark else LIGHT
    return (
        bool(opacity < 1)
        and contrast(_mixed(label.color, palette["ground"], opacity), palette["ground"]) < 4.5
    )


def _mixed(ink: list[float], ground: str, opacity: float) -> str:
    under = [int(ground[place : place + 2], 16) for place in (0, 2, 4)]
    return "".join(
        f"{round(255 * over * opacity + below * (1 - opacity)):02X}"
        for over, below in zip(ink[:3], under, strict=True)
    )


def _name(widget: Widget) -> str:
    return getattr(widget, "text", "") or type(widget).__name__


async def test_no_overlap_no_cut_words_and_big_targets_while_the_language_changes() -> None:
    """Every scene in one language, then in the other by the live switch, then on to the next scene."""
    faults: list[str] = []
    language, other = "sv", "en"
    async with Driver(language=language) as driver:
        for scene in ALL_SCENES:
            await driver.show(scene)
            faults += [f"{scene.name} ({language}): {fault}" for fault in _faults(driver)]
            driver.session.speak(other)
            await driver.settle(4)
            faults += [f"{scene.name} ({other}): {fault}" for fault in _faults(driver)]
            language, other = other, language
    assert faults == []


@pytest.mark.parametrize("scale", [1.3, 2.0])
async def test_no_overlap_no_cut_words_and_big_targets(scale: float) -> None:
    """Every scene in one language, then every scene in the other: a live switch draws all screens anew."""
    faults: list[str] = []
    seen = set()
    async with Driver(scale=scale) as driver:
        for language in ("sv", "en"):
            driver.session.speak(language)
            for scene in ALL_SCENES:
                await driver.show(scene)
                seen.add(driver.screen.name)
                faults += [f"{scene.name} ({language}): {fault}" for fault in _faults(driver)]
        assert seen == set(driver.app.root.ids.screens.screen_names)
    assert faults == []


def test_every_truth_about_a_tap_and_about_bluetooth_has_a_scene() -> None:
    states = [scene.state for scene in ALL_SCENES]
    shown = {tap.state for state in states for tap in state.openings.values()}
    assert shown == set(OpeningState) - {OpeningState.IDLE}
    assert {state.bluetooth for state in states} >= set(Bluetooth) - {Bluetooth.UNKNOWN}


def _refused(reasons: Iterable[str]) -> Iterable[tuple[str, Opening]]:
    for number, reason in enumerate(reasons):
        yield reason, Opening("a1", state=OpeningState.REFUSED, reason=reason, changed_at=number)


@pytest.mark.parametrize("language", ["sv", "en"])
async def test_every_refusal_can_be_read_at_twice_the_size(language: str) -> None:
    """All of the protocol's reasons on the result screen, whose words are as long as words get."""
    faults: list[str] = []
    async with Driver(UNLOCKED, language=language, scale=2.0) as driver:
        driver.app.navigation.go("result", "a1")
        for reason, opening in _refused(one.slug for one in Reason):
            driver.engine.publish(openings=MappingProxyType({"a1": opening}))
            await driver.settle(4)
            said = [word.text for word in _words(driver)]
            assert driver.session.texts.reason(reason).next in said
            faults += [f"{reason}: {fault}" for fault in _faults(driver)]
    assert faults == []


TODAY = next(scene for scene in ALL_SCENES if scene.name == "today")


async def test_opening_buttons_are_seventy_two_dp_at_least() -> None:
    async with Driver(TODAY.state) as driver:
        buttons = [button for button in driver.all(Tappable) if getattr(button, "text", "") == "Öppna"]
        assert len(buttons) == 2
        assert all(button.height >= dp(72) for button in buttons)
        driver.app.navigation.go("door", "a1")
        await driver.settle()
        assert driver.screen.ids.open.height >= dp(72)

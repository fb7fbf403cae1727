"""The Kivy app: binds the session to the screens and the screens to the session."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Timer
from typing import Any

from kivy.app import App
from kivy.clock import Clock
from kivy.core.window import Window
from kivy.lang import Builder
from kivy.properties import ObjectProperty, StringProperty
from kivy.uix.screenmanager import NoTransition
from kivy.uix.widget import Widget

from mobile.engine.state import Stage
from mobile.ui import frame, icons, logins, own, pin, rows, screens, widgets
from mobile.ui.device import Device
from mobile.ui.part import Shell, gather
from mobile.ui.parts import PARTS
from mobile.ui.theme import Theme
from mobile.viewmodels import results
from mobile.viewmodels.navigation import Navigation
from mobile.viewmodels.session import Session
from mobile.viewmodels.syncbar import SyncBarModel
from mobile.viewmodels.taps import Taps

KV = Path(__file__).parent / "kv"
FRAME_KV = ("widgets", "root")
ANSWER_SECONDS = 60.0
"""How long a question of the system's may lie on top of the app before the app is locked all the same."""
SLOW_TICK = 15
"""Seconds between repaints of ages and times when nothing else happens."""

__all__ = ["NyckelfriApp", "icons", "rows", "widgets"]


def load_kv(names: Iterable[str]) -> None:
    """Read kv files once; a second app in the same process (tests) finds them read."""
    for name in names:
        path = str(KV / f"{name}.kv")
        if path not in Builder.files:
            Builder.load_file(path)


class NyckelfriApp(App):
    """One window, one session. `signal` is told each result's tone once, for sound and vibration."""

    title = "Nyckelfri"
    theme = ObjectProperty(rebind=True)
    lang = StringProperty("sv")
    tab = StringProperty("")
    root: Any
    after_build: Callable[[], object] = list
    """Called after each building of the tree."""

    def __init__(
        self, session: Session, signal: Callable[[str], None] | None = None, device: Device | None = None
    ) -> None:
        chosen = session.preferences
        self.session, self._signal, self.device = session, signal, device or Device()
        self._look_at_system()
        self.theme = Theme(dark=chosen.dark, scale=chosen.scale)
        self.lang = session.texts.language
        self.navigation, self.taps = Navigation(session), Taps(session)
        self.navigation.wait_while(lambda: self.taps.running)
        self.sync_bar = SyncBarModel(session, self.navigation.sign_in)
        self.parts = [make(Shell(session, self.navigation, self.taps, self.device)) for make in PARTS]
        self.models: dict[type[frame.ModelScreen], Any] = {
            screen: model for part in self.parts for screen, model in part.screens.items()
        }
        self.door = self.models[screens.DoorScreen]
        self.result = self.models[screens.ResultScreen]
        self.settings_model = self.models[own.SettingsScreen]
        self._stage = session.state.stage
        self._quiet_seconds = 0
        self._unanswered: Timer | None = None
        super().__init__()
        self.refresh_soon = Clock.create_trigger(self.refresh)

    def build(self) -> Widget:
        """The widget tree; kv is read here so that a window exists."""
        load_kv(FRAME_KV + tuple(name for part in self.parts for name in part.kv))
        Window.softinput_mode = "below_target"  # a phone's keyboard must not cover the field
        root = frame.Root()
        root.ids.screens.transition = NoTransition()
        for screen_class, model in self.models.items():
            root.ids.screens.add_widget(screen_class(model))
        self.after_build()
        return root

    def redraw(self) -> None:
        """Build the tree anew in other colours or sizes; the models keep what they know.

        kv leaves the rules of a base class bound when an instance overrides them, so after a live change of
        the theme it would be chance which of the two spoke last.
        """
        chosen = self.session.preferences
        settings = self.root.ids.screens.get_screen("settings").ids.page
        scrolled = settings.scroll_y
        Window.remove_widget(self.root)
        self.theme = Theme(dark=chosen.dark, scale=chosen.scale)
        self.root = self.build()
        Window.add_widget(self.root)
        self.root.ids.screens.get_screen("settings").ids.page.scroll_y = scrolled

    def on_start(self) -> None:
        """From here on every change of the session is painted."""
        self.session.listen(self.refresh_soon)
        self._ticking = Clock.schedule_interval(self._tick, 1)
        Window.bind(on_keyboard=self._key, on_touch_down=self._finger_down, on_touch_up=self._finger_up)
        Window.bind(on_textinput=self._noticed)
        self.refresh()

    def on_stop(self) -> None:
        """Let the window go."""
        self._ticking.cancel()
        self.refresh_soon.cancel()
        Window.unbind(on_keyboard=self._key, on_touch_down=self._finger_down, on_touch_up=self._finger_up)
        Window.unbind(on_textinput=self._noticed)
        self.session.close()

    def on_pause(self) -> bool:
        """Out of sight: radio work ends and the keys leave memory; Android may keep the process.

        A question of the system's that lies on top does not count, for as long as one takes to answer.
        """
        self._pause_ends()
        if self.device.is_asking():
            self._unanswered = Timer(ANSWER_SECONDS, self._lock)
            self._unanswered.daemon = True
            self._unanswered.start()
        else:
            self._lock()
        return True

    def _lock(self) -> None:
        self.session.call(self.session.engine.lock_app())

    def _pause_ends(self) -> None:
        if self._unanswered is not None:
            self._unanswered.cancel()
            self._unanswered = None

    def enrol_with(self, link: str) -> None:
        """A link from a QR code has opened the app; may be called before the first frame."""
        self.models[logins.EnrolScreen].arrive(link)

    def on_resume(self) -> None:
        """Back in sight: the system may have gone dark meanwhile, or a question been answered."""
        self._pause_ends()
        self.device.seen_again()
        self._look_at_system()
        self.session.changed()

    def _look_at_system(self) -> None:
        if self.device.is_dark is not None:
            self.session.preferences.system_dark = self.device.is_dark()

    def tr(self, key: str, _lang: str = "") -> str:
        """Words for kv; `_lang` only makes kv ask again when the language changes."""
        return self.session.texts.tr(key)

    def words(self, key: str) -> str:
        """Words for code."""
        return self.session.texts.tr(key)

    def refresh(self, *_: object) -> None:
        """Paint what the session says now: at most once a frame, whatever happened."""
        if self.root is None:
            return
        chosen = self.session.preferences
        stage, self._stage = self._stage, self.session.state.stage
        if stage is Stage.UNLOCKED is not self._stage:
            for screen in self.root.ids.screens.screens:
                screen.forget()
        if (self.theme.dark, self.theme.scale) != (chosen.dark, chosen.scale):
            self.redraw()
        root = self.root
        self.lang, self.tab = self.session.texts.language, self.navigation.tab
        bar = root.ids.sync
        bar.view = self.sync_bar.view()
        bar.tone = bar.view.tone
        root.ids.strip.view = next((view for part in self.parts if (view := part.strip())), None)
        if root.ids.screens.current != self.navigation.screen:
            root.ids.screens.current = self.navigation.screen
        root.ids.screens.current_screen.refresh()
        self._tell()
        self._ring()

    def act(self, name: str) -> None:
        """What an Action's button asks for."""
        verb = next((part.acts[name] for part in self.parts if name in part.acts), None)
        if verb is not None:
            verb()
        elif name.startswith("go:"):
            screen, _, door_id = name.removeprefix("go:").partition(":")
            self.navigation.go(screen, door_id)
        elif name == "back":
            self.navigation.back()
        else:
            raise KeyError(name)

    def notices(self) -> list[rows.Action]:
        """What the parts have to say on top of today's list."""
        return gather(self.parts, lambda part: part.notices)

    def links(self) -> list[rows.Action]:
        """Rows of the settings that lead to screens of their own."""
        return gather(self.parts, lambda part: part.links)

    def helps(self) -> list[rows.Action]:
        """Buttons under "Kommer du inte in?"."""
        return gather(self.parts, lambda part: part.helps)

    def misses(self) -> list[rows.Action]:
        """Buttons under a list where the door one wants may be missing."""
        return gather(self.parts, lambda part: part.misses)

    def call(self, phone: str) -> None:
        """Hand a number to the phone's own dialler."""
        self.device.dial("".join(phone.split()))

    def tell(self, tone: str) -> None:
        """One signal to the ear and the hand, as far as the person wants them (`mobile.ui.feedback`)."""
        if self._signal:
            self._signal(tone)

    def _tell(self) -> None:
        """Each finished tap is heard and felt once, on whatever screen."""
        for opening in self.taps.finished():
            self.tell(results.tone(opening.state))

    def _ring(self) -> None:
        """What a part wants to be heard, such as an alarm, until it no longer does."""
        for tone in filter(None, [part.rings() for part in self.parts]):
            self.tell(tone)

    def _tick(self, _: float) -> None:
        """Countdowns run by the second, ages by the quarter of a minute."""
        for part in self.parts:
            part.tick()
        self._quiet_seconds += 1
        if self.root.ids.screens.current_screen.counts_seconds or self._quiet_seconds >= SLOW_TICK:
            self._quiet_seconds = 0
            self.refresh_soon()

    def _finger_down(self, *_: object) -> None:
        """While a finger is down no screen comes up by itself."""
        self.navigation.touched = True
        self._noticed()

    def _noticed(self, *_: object) -> None:
        """Somebody is here."""
        for part in self.parts:
            part.touched()

    def _finger_up(self, *_: object) -> None:
        """What the finger pressed goes first: this is told before the widgets are."""
        Clock.schedule_once(lambda _: self._lifted())

    def _lifted(self) -> None:
        self.navigation.touched = False
        self.session.changed()

    def _key(self, _window: object, key: int, _scan: int, typed: str | None, _modifiers: object) -> bool:
        """Android's back button and the desktop's escape; digits for the pad on a desktop."""
        self._noticed()
        screen = self.root.ids.screens.current_screen
        if key == 27:
            return screen.back() or self.navigation.back()
        if not isinstance(screen, pin.PinScreen) or screen.phrase:
            return False
        if typed and typed.isdigit():
            screen.model.press(typed)
        elif key == 8:
            screen.model.erase()
        elif key in {13, 271}:
            screen.open()
        return True

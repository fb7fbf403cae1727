"""The screens before the work: enrolment and signing in. The PIN's is in `mobile.ui.pin`."""

from __future__ import annotations

from typing import Any

from kivy.properties import BooleanProperty, ObjectProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout

from mobile.ui.frame import ModelScreen


class EnrolAddress(BoxLayout):
    """Step one."""


class EnrolCheck(BoxLayout):
    """Step two."""

    view = ObjectProperty(None, allownone=True)


class EnrolPin(BoxLayout):
    """Step three."""


class EnrolScreen(ModelScreen):
    """Three steps on one screen."""

    step = StringProperty("address")
    working = BooleanProperty(False)
    _filled_in: tuple[str, ...] = ("", "")

    def refresh(self) -> None:
        """Also the step's own part; a new step starts with empty fields."""
        super().refresh()
        self.step, self.working = self.view.step, self.view.working
        part_class = {"address": EnrolAddress, "check": EnrolCheck, "pin": EnrolPin}[self.step]
        if not isinstance(self.part, part_class):
            self.ids.place.clear_widgets()
            self.ids.place.add_widget(part_class())
            if isinstance(self.part, EnrolAddress):
                self.part.ids.code.ids.entry.input_filter = lambda typed, _undo: typed.upper()
        if isinstance(self.part, EnrolCheck):
            self.part.view = self.view
        elif isinstance(self.part, EnrolAddress):
            self._fill_in(self.view.typed_server, self.view.typed_code)

    def _fill_in(self, *brought: str) -> None:
        """What a link brought, once: a server that was away can be asked again without scanning again."""
        if any(brought) and brought != self._filled_in:
            self.part.ids.server.ids.entry.text, self.part.ids.code.ids.entry.text = brought
        self._filled_in = brought

    @property
    def part(self) -> Any:
        """The widget of the step, or None before the first refresh."""
        return self.ids.place.children[0] if self.ids.place.children else None

    def forward(self) -> None:
        """The one button of each step."""
        if self.step == "address":
            self.model.look_up(self.part.ids.server.text, self.part.ids.code.text)
        elif self.step == "check":
            self.model.accept()
        else:
            self.model.finish(self.part.ids.pin.text, self.part.ids.again.text)

    def back(self) -> bool:
        """As its button for going back; while the server is being asked there is nothing to go back to."""
        if not (self.view and self.view.can_cancel):
            return False
        if not self.working:
            self.model.cancel()
        return True

    def on_leave(self, *_: object) -> None:
        """Nothing typed stays behind."""
        self.ids.place.clear_widgets()
        self._filled_in = ("", "")


class SignInName(BoxLayout):
    """Name and password."""


class SignInCode(BoxLayout):
    """The authenticator's digits."""


class SignInScreen(ModelScreen):
    """Two steps on one screen."""

    needs_code = BooleanProperty(False)
    working = BooleanProperty(False)

    def refresh(self) -> None:
        """Also the step's own part."""
        super().refresh()
        self.needs_code, self.working = self.view.needs_code, self.view.working
        part_class = SignInCode if self.needs_code else SignInName
        if not isinstance(self.part, part_class):
            self.ids.place.clear_widgets()
            part = part_class()
            self.ids.place.add_widget(part)
            if isinstance(part, SignInName):
                part.ids.user.ids.entry.text = self.view.username

    @property
    def part(self) -> Any:
        """The widget of the step, or None before the first refresh."""
        return self.ids.place.children[0] if self.ids.place.children else None

    def forward(self) -> None:
        """The one button; the password and the code are forgotten as soon as they are handed over."""
        if self.needs_code:
            self.model.second_factor(self.part.ids.code.text)
            self.part.ids.code.clear()
        else:
            self.model.sign_in(self.part.ids.user.text, self.part.ids.password.text)
            self.part.ids.password.clear()

    def forget(self) -> None:
        """The vault is shut: the next person signs in anew."""
        super().forget()
        self.model.start_anew()

    def on_leave(self, *_: object) -> None:
        """Nothing typed stays behind."""
        self.ids.place.clear_widgets()

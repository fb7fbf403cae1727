"""Language, text size, appearance, sound; lock the app and sign out, which are different things."""

from __future__ import annotations

from dataclasses import dataclass

from mobile.engine.state import LoginState
from mobile.viewmodels.navigation import Navigation
from mobile.viewmodels.preferences import APPEARANCES, SCALES
from mobile.viewmodels.session import Session
from mobile.viewmodels.texts import language_name, languages


@dataclass(frozen=True, slots=True)
class SettingsView:
    """Choices are (value, words) pairs."""

    languages: tuple[tuple[str, str], ...] = ()
    language: str = "sv"
    scales: tuple[tuple[str, str], ...] = ()
    scale: str = "1.0"
    appearances: tuple[tuple[str, str], ...] = ()
    appearance: str = "light"
    sound: bool = True
    vibration: bool = True
    name: str = ""
    provider: str = ""
    signed_in: bool = False
    asking: bool = False
    leaves: str = ""
    """What signing out destroys, and what of it is kept safe."""


class SettingsModel:
    """Changes take effect at once and are kept."""

    def __init__(self, session: Session, navigation: Navigation) -> None:
        self._session, self._navigation = session, navigation
        self._asking = False

    def view(self) -> SettingsView:
        """What to show now."""
        state, chosen, texts = self._session.state, self._session.preferences, self._session.texts
        return SettingsView(
            languages=tuple((code, language_name(code)) for code in languages()),
            language=texts.language,
            scales=tuple((str(scale), f"{round(scale * 100)} %") for scale in SCALES),
            scale=str(chosen.scale),
            appearances=tuple((name, texts.tr(f"settings.{name}")) for name in APPEARANCES),
            appearance=chosen.appearance,
            sound=chosen.sound,
            vibration=chosen.vibration,
            name=state.staff_name,
            provider=" · ".join(part for part in (state.provider_name, state.municipality_name) if part),
            signed_in=state.login is LoginState.SIGNED_IN,
            asking=self._asking,
            leaves=self._leaves(),
        )

    def choose_language(self, language: str) -> None:
        """Live, also on this very screen."""
        self._session.speak(language)

    def choose_scale(self, scale: str) -> None:
        """One of the text sizes."""
        self._session.preferences.scale = float(scale)
        self._kept()

    def choose_appearance(self, appearance: str) -> None:
        """Light, dark, or as the phone's own screens are."""
        self._session.preferences.appearance = appearance
        self._kept()

    def choose_sound(self, sound: bool) -> None:
        """Sound with results."""
        self._session.preferences.sound = sound
        self._kept()

    def choose_vibration(self, vibration: bool) -> None:
        """Vibration with results, also when the sound is off."""
        self._session.preferences.vibration = vibration
        self._kept()

    def lock_app(self) -> None:
        """Shut the vault; nobody is signed out."""
        self._session.call(self._session.engine.lock_app())

    def ask_sign_out(self, asking: bool) -> None:
        """Show or hide the question that tells what signing out destroys."""
        self._asking = asking
        self._session.changed()

    def sign_out(self) -> None:
        """Yes: forget rights, visits and doors."""
        self._asking = False
        self._session.call(self._session.engine.sign_out(), lambda _: self._navigation.sign_in())

    def sign_in(self) -> None:
        """To the second login."""
        self._navigation.sign_in()

    def _leaves(self) -> str:
        texts, waiting = self._session.texts, self._session.state.sync.waiting_logs
        safe = texts.count("settings.sign_out_logs", waiting) if waiting else ""
        return f"{texts.tr('settings.sign_out_text')} {safe}".strip()

    def _kept(self) -> None:
        self._session.preferences.save()
        self._session.changed()

"""Om och hjälp: whom to ask, what the app keeps on the phone, which server, which version, whose work."""

from __future__ import annotations

from dataclasses import dataclass

from mobile.engine.http import APP_VERSION
from mobile.viewmodels.help import routine, support_call
from mobile.viewmodels.licences import LICENCES
from mobile.viewmodels.session import Session

KEPT = ("rights", "taps", "logs", "choices")
NOT_KEPT = ("names", "place", "passwords")


@dataclass(frozen=True, slots=True)
class AboutView:
    """`facts` are (label, value) pairs; the lists are sentences."""

    support_phone: str = ""
    support_call: str = ""
    routine: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    not_kept: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    licences: tuple[tuple[str, str], ...] = ()


class AboutModel:
    """Needs no network and no vault: what it cannot know it leaves out."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._all = False

    def view(self) -> AboutView:
        """What to show now."""
        state, texts = self._session.state, self._session.texts
        facts = (
            ("about.version", APP_VERSION),
            ("about.municipality", state.municipality_name),
            ("about.provider", state.provider_name),
            ("about.server", state.server_url.removeprefix("https://")),
            ("about.signed_in_as", state.username),
        )
        return AboutView(
            support_phone=state.support.phone,
            support_call=support_call(state.support, texts),
            routine=routine(state.support, texts),
            kept=tuple(texts.tr(f"about.keeps_{what}") for what in KEPT),
            not_kept=tuple(texts.tr(f"about.keeps_no_{what}") for what in NOT_KEPT),
            facts=tuple((texts.tr(key), value) for key, value in facts if value),
            licences=LICENCES if self._all else (),
        )

    def toggle_licences(self) -> None:
        """Show or hide the long list."""
        self._all = not self._all
        self._session.changed()

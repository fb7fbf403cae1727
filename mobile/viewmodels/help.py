"""The "Kommer du inte in?" card: the door's other way in, the support number and the routine."""

from __future__ import annotations

from dataclasses import dataclass

from mobile.engine.state import DoorView, Fallback, Support
from mobile.viewmodels import doors
from mobile.viewmodels.navigation import Navigation
from mobile.viewmodels.session import Session
from mobile.viewmodels.texts import Texts

KNOWN_KINDS = frozenset({"reserve_key", "locksmith", "patrol"})


@dataclass(frozen=True, slots=True)
class HelpView:
    """Facts are (label, value) pairs to list."""

    door: str = ""
    fallback_title: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    fallback_phone: str = ""
    fallback_call: str = ""
    support_phone: str = ""
    support_call: str = ""
    routine: tuple[str, ...] = ()


class HelpModel:
    """Works without the network and without Bluetooth: it only reads what was synced."""

    def __init__(self, session: Session, navigation: Navigation) -> None:
        self._session, self._navigation = session, navigation

    def view(self) -> HelpView:
        """The card for the door navigation points at."""
        state, texts = self._session.state, self._session.texts
        door: DoorView | None = state.doors.get(self._navigation.door_id)
        fallback = door.fallback if door else Fallback()
        facts = (
            ("help.place", fallback.place),
            ("help.hours", fallback.hours),
        )
        return HelpView(
            door=f"{door.address} · {doors.title(door, texts)}" if door else "",
            fallback_title=self._kind(fallback) if fallback.known else texts.tr("help.no_fallback"),
            facts=tuple((texts.tr(key), value) for key, value in facts if value),
            fallback_phone=fallback.phone,
            fallback_call=_call(fallback.phone, texts),
            support_phone=state.support.phone,
            support_call=support_call(state.support, texts),
            routine=routine(state.support, texts),
        )

    def _kind(self, fallback: Fallback) -> str:
        known = fallback.kind if fallback.kind in KNOWN_KINDS else "other"
        return self._session.texts.tr(f"help.{known}")


def routine(support: Support, texts: Texts) -> tuple[str, ...]:
    """The steps to take, a line each; a third language reads the English ones."""
    lines = support.routine_sv if texts.language == "sv" else support.routine_en
    return tuple(line.strip() for line in lines.splitlines() if line.strip())


def support_call(support: Support, texts: Texts) -> str:
    """The words on the button that calls the support, or ''."""
    return _call(support.phone, texts)


def _call(phone: str, texts: Texts) -> str:
    """'Ring' and a number that stays on one line, or ''."""
    return texts.tr("help.call", phone=phone.replace(" ", "\u00a0")) if phone else ""

"""The "Kommer du inte in?" card: the door's other way in, the support number and the routine."""

from __future__ import annotations

from dataclasses import dataclass

from mobile.engine.state import DoorView, Fallback
from mobile.viewmodels import doors
from mobile.viewmodels.navigation import Navigation
from mobile.viewmodels.session import Session

KNOWN_KINDS = frozenset({"reserve_key", "locksmith", "patrol"})


@dataclass(frozen=True, slots=True)
class HelpView:
    """Facts are (label, value) pairs to list."""

    door: str = ""
    fallback_title: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    fallback_phone: str = ""
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
        routine = state.support.routine_sv if texts.language == "sv" else state.support.routine_en
        facts = (
            ("help.place", fallback.place),
            ("help.hours", fallback.hours),
            ("help.phone", fallback.phone),
        )
        return HelpView(
            door=f"{door.address} · {doors.title(door, texts)}" if door else "",
            fallback_title=self._kind(fallback) if fallback.known else texts.tr("help.no_fallback"),
            facts=tuple((texts.tr(key), value) for key, value in facts if value),
            fallback_phone=fallback.phone,
            support_phone=state.support.phone,
            support_call=texts.tr("help.call", phone=_unbroken(state.support.phone))
            if state.support.phone
            else "",
            routine=tuple(line.strip() for line in routine.splitlines() if line.strip()),
        )

    def _kind(self, fallback: Fallback) -> str:
        known = fallback.kind if fallback.kind in KNOWN_KINDS else "other"
        return self._session.texts.tr(f"help.{known}")


def _unbroken(phone: str) -> str:
    """A number that stays on one line."""
    return phone.replace(" ", "\u00a0")

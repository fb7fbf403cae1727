"""A button on today's list that puts Bluetooth right, where the device can show the question for it."""

from __future__ import annotations

from mobile.engine.state import Bluetooth
from mobile.ui.part import Part, Shell
from mobile.ui.rows import Action

WORDS = {
    Bluetooth.OFF: "bluetooth.turn_on",
    Bluetooth.NO_PERMISSION: "bluetooth.allow",
    Bluetooth.LOCATION_OFF: "bluetooth.turn_on_location",
}


def part(shell: Shell) -> Part:
    """What is wrong stands on the list already; this is what to press."""
    session, device = shell.session, shell.device

    def notices() -> list[Action]:
        state = session.state.bluetooth
        if state not in device.mends or state not in WORDS:
            return []
        return [Action("mend_bluetooth", session.texts.tr(WORDS[state]), "bluetooth")]

    return Part(acts={"mend_bluetooth": lambda: device.mend(session.state.bluetooth)}, notices=notices)

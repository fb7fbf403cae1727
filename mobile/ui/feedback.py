"""Sound and vibration beside the colour: one short signal per class of result, made here, not shipped.

The classes differ in number, direction and length, so that they are told apart without looking: two rising
notes (good), two equal ones (warn), one long and low (bad), two in turn like a siren (alarm).
"""

from __future__ import annotations

import io
import logging
import math
import struct
import wave
from pathlib import Path
from typing import Any

from kivy.core.audio import SoundLoader

from mobile.ui.device import Device
from mobile.viewmodels.preferences import Preferences

log = logging.getLogger(__name__)

RATE = 22_050
TUNES: dict[str, tuple[tuple[float, float], ...]] = {
    "good": ((660, 0.12), (990, 0.20)),
    "warn": ((520, 0.14), (0, 0.06), (520, 0.14)),
    "bad": ((220, 0.45),),
    "alarm": ((880, 0.13), (0, 0.04), (1175, 0.13), (0, 0.04), (880, 0.13), (0, 0.04), (1175, 0.13)),
}
"""Notes as (Hz, seconds); 0 Hz is silence."""
PULSES: dict[str, tuple[float, ...]] = {
    "good": (0.08,),
    "warn": (0.15, 0.1, 0.15),
    "bad": (0.5,),
    "alarm": (0.3, 0.12, 0.3, 0.12, 0.3),
}
"""Vibration as alternating seconds on and off."""


def wav(notes: tuple[tuple[float, float], ...]) -> bytes:
    """A mono 16-bit WAV of soft-edged sine notes."""
    frames = bytearray()
    for pitch, seconds in notes:
        count = int(RATE * seconds)
        for place in range(count):
            edge = min(1.0, place / 300, (count - place) / 1500)
            value = math.sin(2 * math.pi * pitch * place / RATE) * 9000 * edge if pitch else 0
            frames += struct.pack("<h", int(value))
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(bytes(frames))
    return file.getvalue()


ALWAYS = frozenset({"alarm"})
"""What is heard and felt whatever the person has chosen for results: somebody needs help."""


class Feedback:
    """Tells the ear and the hand what the screen tells the eye, as far as the person wants either."""

    def __init__(self, folder: Path, chosen: Preferences, device: Device | None = None) -> None:
        self._folder, self._chosen, self._device = folder, chosen, device or Device()
        self._sounds: dict[str, Any] = {}

    def signal(self, tone: str) -> None:
        """One signal. A failure to give it is no failure: the colour and the words are there."""
        if tone not in TUNES:
            return
        if self._device.vibrate is not None and (self._chosen.vibration or tone in ALWAYS):
            self._device.vibrate(PULSES[tone])
        if self._chosen.sound or tone in ALWAYS:
            self._play(tone)

    def _play(self, tone: str) -> None:
        if tone not in self._sounds:
            path = self._folder / f"{tone}.wav"
            try:
                path.write_bytes(wav(TUNES[tone]))
            except OSError as error:
                log.warning("no room for a sound: %s", error.strerror)
                return
            self._sounds[tone] = SoundLoader.load(str(path))
        if self._sounds[tone] is not None:
            self._sounds[tone].play()

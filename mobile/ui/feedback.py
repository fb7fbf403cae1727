"""Sound and vibration beside the colour: one short signal per class of result, made here, not shipped.

The tones differ in number and direction so that they are told apart without looking: two rising (good),
two equal (warn), one long and low (bad).
"""

from __future__ import annotations

import io
import logging
import math
import struct
import wave
from collections.abc import Callable
from pathlib import Path

from kivy.core.audio import SoundLoader

log = logging.getLogger(__name__)

RATE = 22_050
TUNES: dict[str, tuple[tuple[float, float], ...]] = {
    "good": ((660, 0.12), (990, 0.20)),
    "warn": ((520, 0.14), (0, 0.06), (520, 0.14)),
    "bad": ((220, 0.45),),
}
"""Notes as (Hz, seconds); 0 Hz is silence."""
PULSES: dict[str, tuple[float, ...]] = {"good": (0.08,), "warn": (0.15, 0.1, 0.15), "bad": (0.5,)}
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


class Feedback:
    """Plays the signals; `vibrate` is handed in where the device can (Android), else nothing shakes."""

    def __init__(self, folder: Path, vibrate: Callable[[tuple[float, ...]], None] | None = None) -> None:
        self._folder, self._vibrate = folder, vibrate

    def signal(self, tone: str) -> None:
        """Tell the ear and the hand what the screen tells the eye. A failure to do so is no failure."""
        if tone not in TUNES:
            return
        if self._vibrate is not None:
            self._vibrate(PULSES[tone])
        path = self._folder / f"{tone}.wav"
        try:
            if not path.exists():
                path.write_bytes(wav(TUNES[tone]))
        except OSError as error:
            log.warning("no room for a sound: %s", error.strerror)
            return
        sound = SoundLoader.load(str(path))
        if sound is not None:
            sound.play()

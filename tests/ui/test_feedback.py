"""Sound and vibration: one signal a class, told apart without looking, and never in the way."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import pytest

from mobile.ui.feedback import PULSES, TUNES, Feedback, wav


@pytest.mark.parametrize("tone", TUNES)
def test_every_tune_is_a_short_wav(tone: str) -> None:
    with wave.open(io.BytesIO(wav(TUNES[tone]))) as sound:
        assert 0.2 <= sound.getnframes() / sound.getframerate() <= 0.6


def test_classes_differ_in_sound_and_in_touch() -> None:
    assert len(set(TUNES.values())) == len(set(PULSES.values())) == 3


def test_the_hand_is_told_once_and_unknown_tones_are_silent(tmp_path: Path) -> None:
    felt: list[tuple[float, ...]] = []
    feedback = Feedback(tmp_path, felt.append)
    feedback.signal("bad")
    feedback.signal("running")
    assert felt == [PULSES["bad"]]


def test_no_room_for_a_sound_is_no_failure(tmp_path: Path) -> None:
    Feedback(tmp_path / "missing").signal("good")

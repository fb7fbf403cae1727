"""Sound and vibration: one signal a class, told apart without looking, and never in the way."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import pytest

from mobile.ui.device import Device
from mobile.ui.feedback import PULSES, TUNES, Feedback, wav
from mobile.viewmodels.preferences import Preferences


class Hand:
    """Feels what the phone's motor does."""

    def __init__(self) -> None:
        self.felt: list[tuple[float, ...]] = []
        self.device = Device(vibrate=self.felt.append)


@pytest.mark.parametrize("tone", TUNES)
def test_every_tune_is_a_short_wav(tone: str) -> None:
    with wave.open(io.BytesIO(wav(TUNES[tone]))) as sound:
        assert 0.2 <= sound.getnframes() / sound.getframerate() <= 0.8


def test_classes_differ_in_sound_and_in_touch() -> None:
    assert len(set(TUNES.values())) == len(set(PULSES.values())) == len(TUNES) == len(PULSES)


def test_the_hand_is_told_once_and_unknown_tones_are_silent(tmp_path: Path) -> None:
    hand = Hand()
    feedback = Feedback(tmp_path, Preferences(), hand.device)
    feedback.signal("bad")
    feedback.signal("running")
    assert hand.felt == [PULSES["bad"]]


def test_with_the_sound_off_the_hand_is_still_told(tmp_path: Path) -> None:
    hand, chosen = Hand(), Preferences()
    chosen.sound = False
    Feedback(tmp_path, chosen, hand.device).signal("good")
    assert hand.felt == [PULSES["good"]]
    assert not list(tmp_path.iterdir()), "no sound was made"


def test_with_the_vibration_off_the_ear_is_still_told(tmp_path: Path) -> None:
    hand, chosen = Hand(), Preferences()
    chosen.vibration = False
    Feedback(tmp_path, chosen, hand.device).signal("warn")
    assert hand.felt == []
    assert (tmp_path / "warn.wav").exists()


def test_an_alarm_is_heard_and_felt_whatever_was_chosen(tmp_path: Path) -> None:
    hand, chosen = Hand(), Preferences()
    chosen.sound = chosen.vibration = False
    Feedback(tmp_path, chosen, hand.device).signal("alarm")
    assert hand.felt == [PULSES["alarm"]]
    assert (tmp_path / "alarm.wav").exists()


def test_no_room_for_a_sound_is_no_failure(tmp_path: Path) -> None:
    Feedback(tmp_path / "missing", Preferences()).signal("good")

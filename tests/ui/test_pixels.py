"""Real pixels where the machine has EGL: the pictures can be taken, and full colour is full colour."""

from __future__ import annotations

import ctypes.util
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from mobile.ui.palette import LIGHT

ROOT = Path(__file__).parents[2]


def _pixel(path: Path, across: float, down: float) -> str:
    """One pixel of an unfiltered-or-filtered 8-bit RGB(A) PNG, as hex RGB."""
    data = path.read_bytes()
    width, height, depth, colour = struct.unpack(">IIBB", data[16:26])
    assert depth == 8
    step = {2: 3, 6: 4}[colour]
    packed, at = b"", 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        packed += data[at + 8 : at + 8 + length] if data[at + 4 : at + 8] == b"IDAT" else b""
        at += 12 + length
    row = _rows(zlib.decompress(packed), width * step, step, int(height * down))
    place = int(width * across) * step
    return row[place : place + 3].hex().upper()


def _rows(raw: bytes, stride: int, step: int, wanted: int) -> bytes:
    """Undo the PNG filters down to one row (PNG specification, section 9)."""
    above = bytes(stride)
    for number in range(wanted + 1):
        start = number * (stride + 1)
        kind, line = raw[start], bytearray(raw[start + 1 : start + 1 + stride])
        for place in range(stride):
            left = line[place - step] if place >= step else 0
            corner = above[place - step] if place >= step else 0
            line[place] = (line[place] + _guess(kind, left, above[place], corner)) & 0xFF
        above = bytes(line)
    return above


def _guess(kind: int, left: int, up: int, corner: int) -> int:
    if kind == 4:
        estimate = left + up - corner
        return min((left, up, corner), key=lambda value: abs(estimate - value))
    return (0, left, up, (left + up) // 2)[kind]


@pytest.mark.skipif(ctypes.util.find_library("EGL") is None, reason="no EGL (Debian: libegl1 libgl1)")
def test_a_result_fills_the_screen_with_its_colour(tmp_path: Path) -> None:
    scenes = {"result-open": "good", "result-refused-expired": "bad", "result-jammed-jammed": "warn"}
    command = [sys.executable, "-m", "tests.ui.screenshots", "--fast", "--only", ",".join(scenes)]
    subprocess.run([*command, "--out", str(tmp_path)], check=True, timeout=120, cwd=ROOT)  # noqa: S603
    for scene, tone in scenes.items():
        assert _pixel(tmp_path / f"{scene}-sv-light-100.png", 0.03, 0.2) == LIGHT[tone]

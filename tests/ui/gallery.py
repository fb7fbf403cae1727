"""All scenes: what the layout tests look at and what pictures are taken of."""

from __future__ import annotations

from tests.ui import fitting, guide, leavings, scenes, silent, urgent, vaults

ALL_SCENES = (
    scenes.SCENES
    + urgent.URGENT
    + guide.GUIDE
    + leavings.LEAVINGS
    + silent.SILENT
    + vaults.VAULTS
    + fitting.FITTING
)

"""What the app says about itself is true, and what the person has chosen is kept."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from mobile.viewmodels.finder import folded, street_order
from mobile.viewmodels.licences import LICENCES
from mobile.viewmodels.preferences import Preferences

ROOT = Path(__file__).parents[2]


def test_every_library_of_the_phone_is_named_with_its_licence() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["mobile"]]
    named = {name.lower() for name, licence in LICENCES if licence}
    assert {re.split(r"[^a-z0-9]", name.lower())[0] for name in wanted} - named == set()


def test_choices_are_kept_each_for_itself(tmp_path: Path) -> None:
    chosen = Preferences(tmp_path / "preferences.json")
    chosen.appearance, chosen.sound, chosen.vibration = "dark", False, True
    chosen.save()
    again = Preferences(tmp_path / "preferences.json")
    assert (again.appearance, again.sound, again.vibration) == ("dark", False, True)


def test_the_screens_follow_the_phone_unless_told_otherwise() -> None:
    chosen = Preferences()
    chosen.system_dark = True
    assert chosen.dark
    chosen.appearance = "light"
    assert not chosen.dark


def test_a_search_needs_no_dots_and_no_capitals() -> None:
    assert folded("Åsgatan ÄNG Ö") == "asgatan ang o"


def test_streets_sort_in_swedish_and_numbers_as_numbers() -> None:
    streets = ["Östra 1", "Åsgatan 10", "Ängen 1", "Åsgatan 9", "Zinkvägen 2", "Björk 1"]
    assert sorted(streets, key=street_order) == [
        "Björk 1", "Zinkvägen 2", "Åsgatan 9", "Åsgatan 10", "Ängen 1", "Östra 1",
    ]  # fmt: skip

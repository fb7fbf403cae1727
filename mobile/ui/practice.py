"""Övningsläge: the guide's steps, where the practice locks are, and one big button for what comes next."""

from __future__ import annotations

from kivy.clock import Clock
from kivy.properties import ObjectProperty
from kivy.uix.boxlayout import BoxLayout

from mobile.ui.frame import ModelScreen
from mobile.ui.part import Part, Shell
from mobile.ui.rows import Action, PointLine
from mobile.viewmodels.practice import STEPS, PracticeModel

ICONS = {
    "begin": "practice",
    "open": "unlocked",
    "lock": "locked",
    "early": "key",
    "help": "help",
    "finish": "check",
}


class StepLine(BoxLayout):
    """One step of the guide; `row` is a StepRow."""

    row = ObjectProperty(None, allownone=True)


class PracticeScreen(ModelScreen):
    """The guide."""

    _current = ""

    def refresh(self) -> None:
        """Steps keep their lines; the words of the current one come and go."""
        super().refresh()
        self.ids.steps.show(self.view.steps, key=lambda row: row.step, make=lambda _: StepLine())
        current = next((row.step for row in self.view.steps if row.current), "")
        if current != self._current:
            self._current = current
            Clock.schedule_once(self._reveal, 0.1)  # when its words have found their place
        self.ids.places.show(
            self.view.places, key=lambda words: words, make=lambda _: PointLine(icon="practice")
        )

    def _reveal(self, _: float) -> None:
        """The step to do now lies in sight, however large the text is."""
        lines = [line for line in self.ids.steps.children if line.row and line.row.current]
        if lines and self.ids.page.viewport_size[1] > self.ids.page.height:
            self.ids.page.scroll_to(lines[0], animate=False)

    def icon(self, act: str) -> str:
        """The big button's icon."""
        return ICONS.get(act, "")


def part(shell: Shell) -> Part:
    """The guide, a row that leads to it in the settings, and a reminder of one that was left half done."""
    model, texts = PracticeModel(shell.session, shell.navigation, shell.taps), shell.session

    def words() -> str:
        done = model.steps_done
        half = 0 < done < len(STEPS)
        tr = texts.texts.tr
        return tr("practice.go_on", done=done, all=len(STEPS)) if half else tr("practice.link")

    return Part(
        kv=("practice",),
        screens={PracticeScreen: model},
        notices=lambda: [Action("go:practice", words(), "practice")] if model.going_on else [],
        links=lambda: [Action("go:practice", words(), "practice")],
    )

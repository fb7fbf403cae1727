"""Drives the real app: real kv, real layout, real touches through the window, on a loop the test owns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from kivy.base import EventLoop
from kivy.clock import Clock
from kivy.core.window import Window
from kivy.input.motionevent import MotionEvent
from kivy.uix.widget import Widget

from mobile.engine.state import AppState, Stage
from mobile.ui import tremble
from mobile.ui.app import NyckelfriApp
from mobile.ui.device import Device
from mobile.viewmodels.enrol import EnrolModel
from mobile.viewmodels.pin import PinModel
from mobile.viewmodels.preferences import Preferences
from mobile.viewmodels.session import Session
from mobile.viewmodels.signin import SignInModel
from tests.ui.bench import BenchEngine, LoopRunner
from tests.ui.scenes import HISTORY, MORNING, ZONE, Scene, stay
from tests.ui.silent import TELEPHONE

W = TypeVar("W", bound=Widget)


class Finger(MotionEvent):
    """One real touch."""

    def __init__(self, x: float, y: float) -> None:
        super().__init__(
            "test", 1, {"x": x / Window.width, "y": y / Window.height}, is_touch=True, type_id="touch"
        )

    def depack(self, args: dict[str, float]) -> None:
        self.profile = ["pos"]
        self.sx, self.sy = args["x"], args["y"]
        super().depack(args)


APPEARANCE = {False: "light", True: "dark"}
FRESH: dict[str, Callable[[Driver], Any]] = {
    "pin": lambda driver: PinModel(driver.session),
    "enrol": lambda driver: EnrolModel(driver.session, driver.app.navigation),
    "signin": lambda driver: SignInModel(driver.session, driver.app.navigation),
}
"""Screens whose models remember what was typed."""


class Driver:
    """One running app with a bench engine; `async with` starts and stops it."""

    engine: Any
    session: Session
    app: NyckelfriApp

    def __init__(
        self,
        state: AppState | None = None,
        *,
        language: str = "sv",
        dark: bool = False,
        scale: float = 1.0,
        engine: Any = None,
        session: Session | None = None,
        device: Device | None = None,
    ) -> None:
        self.engine: Any = session.engine if session else engine or BenchEngine(state)
        chosen = Preferences()
        chosen.language, chosen.scale = language, scale
        chosen.appearance = APPEARANCE[dark]
        self.told: list[str] = []
        self.session = session or Session(self.engine, LoopRunner(), chosen, now=lambda: MORNING, zone=ZONE)
        self.app = NyckelfriApp(self.session, signal=self.told.append, device=device or TELEPHONE)
        self._running: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Driver:
        self._running = asyncio.create_task(self.app.async_run(async_lib="asyncio"))
        await self.until(lambda: self.app.root is not None and EventLoop.status == "started", 30)
        await self.settle()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.app.stop()
        if self._running:
            await self._running
        for child in list(Window.children):
            Window.remove_widget(child)

    async def settle(self, frames: int = 6) -> None:
        """Let layout come to rest: `frames` real frames."""
        done = asyncio.Event()
        left = frames

        def frame(_: float) -> None:
            nonlocal left
            left -= 1
            done.set() if left <= 0 else Clock.schedule_once(frame, 0)

        Clock.schedule_once(frame, 0)
        await self.until(done.is_set, seconds=20)

    async def until(self, true: Callable[[], bool], seconds: float = 5.0) -> None:
        """Wait for something to become true, or fail."""
        async with asyncio.timeout(seconds):
            while not true():
                if self._running and self._running.done():
                    self._running.result()
                    raise AssertionError("the app has ended")
                await asyncio.sleep(0.002)

    async def show(self, scene: Scene) -> None:
        """Walk to a scene from a clean start, whatever was shown before."""
        self.app.settings_model.ask_sign_out(False)
        self.app.navigation.go("today")
        self.engine.publish(stage=Stage.LOCKED, alarms=())
        await self.settle(1)
        self.engine.publish(**{name: getattr(scene.state, name) for name in self.engine.state.__slots__})
        self.engine.entries = list(HISTORY)
        await self.settle(4)
        if self.screen.name in FRESH:
            self.screen.model = FRESH[self.screen.name](self)
            self.screen.on_leave()
            self.app.refresh()
            await self.settle(5)
            await self.settle(5)  # a new model has brought new widgets
        for step in (scene.go, scene.then):
            if step is not stay:
                step(self.app, self.engine)
                await self.settle(5)

    async def look(self, language: str, dark: bool = False, scale: float = 1.0) -> None:
        """Change language, colours and text size of the running app."""
        self.session.preferences.appearance = APPEARANCE[dark]
        self.session.preferences.scale = scale
        self.session.speak(language)
        await self.settle(3)

    @property
    def screen(self) -> Any:
        return self.app.root.ids.screens.current_screen

    def all(self, kind: type[W], root: Widget | None = None) -> list[W]:
        """Visible widgets of a class, as a person would meet them."""
        return [widget for widget in visible(root or self.app.root) if isinstance(widget, kind)]

    def find(self, text: str) -> Widget:
        """The tappable widget that shows these words."""
        from mobile.ui.widgets import Tappable

        for widget in self.all(Tappable):
            if getattr(widget, "text", "") == text or any(
                getattr(child, "text", "") == text for child in visible(widget)
            ):
                return widget
        shown = [getattr(widget, "text", "") for widget in visible(self.app.root)]
        raise AssertionError(f"nothing to tap says {text!r}; shown: {[words for words in shown if words]}")

    async def tap(self, target: Widget | str, *, hold: float = 0.0) -> None:
        """A finger down and up in the middle of a widget, through the window like any other."""
        widget = self.find(target) if isinstance(target, str) else target
        await self.reveal(widget)
        x, y = widget.to_window(*widget.center)
        await asyncio.sleep(tremble.left_of_it(x, y))  # a hand that means two taps makes two
        finger = self.press(x, y)
        await asyncio.sleep(hold)
        await self.settle(2)
        self.lift(finger)
        await self.settle(3)

    def press(self, x: float, y: float) -> Finger:
        """Finger down."""
        finger = Finger(x, y)
        EventLoop.post_dispatch_input("begin", finger)
        return finger

    def lift(self, finger: Finger) -> None:
        """Finger up."""
        finger.update_time_end()
        EventLoop.post_dispatch_input("end", finger)

    async def reveal(self, widget: Widget) -> None:
        """Scroll to a widget when it lies outside its page."""
        from kivy.uix.scrollview import ScrollView

        parent = widget.parent
        while parent is not None and parent is not Window:
            if isinstance(parent, ScrollView):
                parent.scroll_to(widget, animate=False)
                await self.settle(2)
                return
            parent = parent.parent


def visible(root: Widget) -> Iterator[Widget]:
    """A widget and those in it that can be seen: some size, some opacity."""
    if root.opacity == 0 or root.width < 1 or root.height < 1:
        return
    yield root
    for child in reversed(root.children):
        yield from visible(child)

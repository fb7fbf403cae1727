"""A phone of its own process: the app's real screens on its real engine, in the hands of a test.

Reads one JSON command a line from standard input and answers each with one line. The Bluetooth controller is
at the other end of a TCP line (`simulation.radio.aerial`). It may be killed at any moment; what it did then
is what its folder must survive.
"""

from __future__ import annotations

from tests.ui import shim  # isort: skip  (before anything of Kivy)

import argparse
import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kivy.clock import Clock
from kivy.core.window import Window
from kivy.uix.widget import Widget

from mobile.engine.engine import PhoneEngine
from mobile.engine.setup import Setup
from mobile.engine.thread import EngineThread
from mobile.run import make_session
from mobile.ui.frame import SyncBar
from mobile.ui.widgets import Entry, Page, PinKey, Tappable
from simulation.backend import PhoneRadio
from simulation.backend.remote import RemoteEther
from tests.ui.driver import Driver, visible

__all__ = ["shim"]
FRAMES_A_SECOND = 90
BACK_KEY = 27


async def build(folder: Path, air: int) -> PhoneEngine:
    """Make the engine on the loop it lives on, and start it."""
    ether = await RemoteEther.at(f"tcp-client:127.0.0.1:{air}")
    radio = PhoneRadio(ether, folder.name, mtu=247)
    engine = PhoneEngine(
        Setup(folder, scanner_backend=radio.scanner_backend, client_backend=radio.client_backend)
    )
    await engine.start()
    return engine


class Hands:
    """Does what a person does, and tells what a person sees."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    async def obey(self, command: dict[str, Any]) -> Any:
        """Carry out one command."""
        verb = command.pop("do")
        return await getattr(self, verb)(**command)

    async def see(self) -> dict[str, Any]:
        """The screen's name and every word on it, from top to bottom."""
        await self._driver.settle(2)
        return {"screen": self._driver.screen.name, "words": list(self._words(self._driver.app.root))}

    async def wait(self, words: str, seconds: float = 15.0) -> dict[str, Any]:
        """Look until the words are somewhere on the screen."""
        try:
            await self._driver.until(lambda: self._shows(self._driver.app.root, words), seconds)
        except TimeoutError:
            raise AssertionError(f"{words!r} did not come up; there is {await self.see()}") from None
        return await self.see()

    async def gone(self, words: str, seconds: float = 15.0) -> dict[str, Any]:
        """Look until the words are no longer on the screen."""
        try:
            await self._driver.until(lambda: not self._shows(self._driver.app.root, words), seconds)
        except TimeoutError:
            raise AssertionError(f"{words!r} stays; there is {await self.see()}") from None
        return await self.see()

    async def tap(self, words: str, beside: tuple[str, ...] = (), seconds: float = 15.0) -> None:
        """Tap what says these words, in the row or card that shows what is `beside`."""
        found: list[Widget] = []

        def there() -> bool:
            found[:] = self._tappables(words, beside)
            if not found:
                self._look_further()
            return bool(found)

        try:
            await self._driver.until(there, seconds)
        except TimeoutError:
            said = f"nothing to tap says {words!r} beside {beside}; there is {await self.see()}"
            raise AssertionError(said) from None
        await self._driver.tap(found[0])

    async def type(self, words: list[str]) -> None:
        """Fill the fields, from top to bottom."""
        await self._driver.settle(4)
        entries = self._driver.all(Entry)
        for entry, text in zip(entries[-len(words) :], words, strict=True):
            entry.text = text
        await self._driver.settle(2)

    async def pin(self, digits: str) -> None:
        """Tap a PIN on the pad."""
        for digit in digits:
            await self._driver.tap(next(key for key in self._driver.all(PinKey) if key.text == digit))

    async def back(self) -> None:
        """The phone's back key."""
        Window.dispatch("on_keyboard", BACK_KEY, 0, None, [])
        await self._driver.settle(3)

    async def sync(self) -> None:
        """Tap the bar on top."""
        await self._driver.tap(self._driver.all(SyncBar)[0])

    def _look_further(self) -> None:
        """Scroll to the end: a long list grows when somebody gets there."""
        for page in self._driver.all(Page):
            page.scroll_y = 0

    def _tappables(self, words: str, beside: tuple[str, ...]) -> list[Widget]:
        says = [one for one in self._driver.all(Tappable) if words in self._words(one)]
        return [one for one in says if not beside or any(self._all(row, beside) for row in _around(one))]

    def _all(self, row: Widget, wanted: tuple[str, ...]) -> bool:
        said = list(self._words(row))
        return all(any(word in line for line in said) for word in wanted)

    def _shows(self, root: Widget, words: str) -> bool:
        return any(words in line for line in self._words(root))

    @staticmethod
    def _words(root: Widget) -> Iterator[str]:
        return (said for one in visible(root) if isinstance(said := getattr(one, "text", ""), str) and said)


def _around(widget: Widget) -> Iterator[Widget]:
    """The widget and the rows and cards it stands in."""
    above: Any = widget
    while isinstance(above, Widget):
        if above is widget or hasattr(above, "row"):
            yield above
        above = above.parent if above.parent is not above else None


async def _live(folder: Path, air: int) -> None:
    thread = EngineThread()
    thread.start()
    engine = await asyncio.wrap_future(thread.submit(build(folder, air)))
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with Driver(session=make_session(engine, thread, folder)) as driver:
        hands = Hands(driver)
        _say({"ready": True})
        while line := await lines.readline():
            try:
                _say({"said": await hands.obey(json.loads(line))})
            except Exception as error:
                _say({"error": f"{type(error).__name__}: {error}"})
        await asyncio.wrap_future(thread.submit(engine.stop()))
    thread.stop()


def _say(answer: dict[str, Any]) -> None:
    print(json.dumps(answer), flush=True)


def main() -> None:
    """Live until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--air", type=int, required=True, help="the aerial's port")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    Clock._max_fps = FRAMES_A_SECOND  # a phone draws no more, and the locks need the processor
    asyncio.run(_live(options.folder, options.air))


if __name__ == "__main__":
    main()

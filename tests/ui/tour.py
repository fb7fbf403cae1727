"""A finger that follows the words on the screen, whatever the language and the text size."""

from __future__ import annotations

from mobile.ui.widgets import Entry
from tests.ui.driver import Driver

LOOKS = [(language, scale) for language in ("sv", "en") for scale in (1.0, 1.3, 2.0)]


class Tour:
    """A person who reads the words on the screen and presses them."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver

    async def press(self, key: str) -> None:
        await self.driver.tap(self.driver.session.texts.tr(key))

    async def fill(self, *words: str) -> None:
        await self.driver.settle(4)
        for entry, text in zip(self.driver.all(Entry), words, strict=True):
            entry.text = text
        await self.driver.settle(2)

    async def stands_at(self, screen: str) -> None:
        await self.driver.until(lambda: self.driver.screen.name == screen)
        await self.driver.settle(3)

"""Somebody at a browser who visits every address and follows every link."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.test import Client as Browser

MOST_PAGES = 1500
MOST_QUERIES = 4
"""So many ways of asking one page are followed; links that differ only in the values count as one."""

SIGN_OUT = ("/accounts/logout", "/admin/logout")

_CHANGING = (
    re.compile(r'name="csrfmiddlewaretoken" value="\w+"'),
    re.compile(r'"csrf_?token": ?"\w+"', re.IGNORECASE),
)


@dataclass
class Page:
    """An answer."""

    path: str
    status: int
    text: str
    context: Any = None

    @property
    def steady(self) -> str:
        """The text without what differs every time."""
        text = self.text
        for pattern in _CHANGING:
            text = pattern.sub("", text)
        return text


class Reader(HTMLParser):
    """Links of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect."""
        given = dict(attrs)
        if tag == "a" and given.get("href"):
            self.links.append(str(given["href"]))


class Visitor:
    """Goes round; `pages` holds every answer by the address asked for."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.pages: dict[str, Page] = {}
        self._shapes: dict[str, set[tuple[str, ...]]] = {}

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> Page:
        """Ask for one page."""
        asked = f"{'&' if '?' in path else '?'}{urlencode(query)}" if query else ""
        answer = self.browser.get(path + asked)
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        where = answer.headers.get("Location", "")
        text = f"{where}\n{body.decode('utf-8', 'replace')}"
        return Page(path, answer.status_code, text, answer.context)

    def visit(self, paths: list[str]) -> None:
        """Visit the paths alone."""
        for path in paths:
            if not path.startswith(SIGN_OUT):
                self.pages[path] = self.get(path)

    def go_round(self, paths: list[str]) -> None:
        """Visit the paths and whatever they lead to."""
        waiting = list(paths)
        while waiting:
            path = waiting.pop(0)
            if path in self.pages or path.startswith(SIGN_OUT):
                continue
            page = self.pages[path] = self.get(path)
            assert len(self.pages) < MOST_PAGES, f"links without end: {list(self.pages)[-9:]}"
            if page.status == 200 and "<html" in page.text:
                waiting += self._new_links(path, page)

    def _new_links(self, path: str, page: Page) -> Iterator[str]:
        for link in Reader(page.text).links:
            target = urlsplit(link)
            if target.scheme or target.netloc or link.startswith("#") or "/static/" in link:
                continue
            where = target.path or urlsplit(path).path
            where = where if where.startswith("/") else _beside(path, where)
            if "?" in path and where == path.partition("?")[0]:
                continue  # every filter on top of every other has no end
            shape = (where, *sorted(name for name, _value in parse_qsl(target.query)))
            met = self._shapes.setdefault(where, set())
            if shape not in met and len(met) < MOST_QUERIES:
                met.add(shape)
                yield where + (f"?{target.query}" if target.query else "")


def _beside(path: str, relative: str) -> str:
    folder = urlsplit(path).path.rpartition("/")[0]
    while relative.startswith("../"):
        folder, relative = folder.rpartition("/")[0], relative[3:]
    return f"{folder}/{relative}"

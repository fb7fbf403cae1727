"""Tables as CSV, whole or streamed, which a spreadsheet opens rightly and never computes."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils import timezone, translation
from django_scopes import scope
from django_scopes.state import get_scope

Row = Sequence[Any]
NextPiece = Callable[[str], tuple[Iterable[Row], str]]
"""From where the piece begins (empty at first) to its rows and where the next begins (empty at the end)."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet takes for the beginning of a formula (OWASP, CSV injection)."""

BYTE_ORDER_MARK = "\ufeff"
"""Without it, the spreadsheet programs that municipalities use read Swedish letters wrongly."""

CONTENT_TYPE = "text/csv; charset=utf-8"


def harmless(value: Any) -> str:
    """Return a cell's text that no spreadsheet takes for a formula; numbers stay numbers, times are local."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{timezone.localtime(value):%Y-%m-%d %H:%M:%S}"
    text = str(value)
    if text.startswith(_FORMULA) and not text.removeprefix("-").isdecimal():
        return f"'{text}"
    return text


def csv_file(*, name: str, head: Row, rows: Iterable[Row]) -> HttpResponse:
    """Return a table as a file `name`.csv, for what fits on a page or a few."""
    return HttpResponse(
        BYTE_ORDER_MARK + _lines([head, *rows]), content_type=CONTENT_TYPE, headers=_named(name)
    )


def csv_stream(request: HttpRequest, *, name: str, head: Row, pieces: NextPiece) -> StreamingHttpResponse:
    """Return a table of any length as a file, read a piece at a time in the person's own scope and language.

    Each piece is a query of its own: no cursor stays open while a slow reader reads.
    """
    scoped = dict(get_scope())
    language = translation.get_language()
    columns = [str(one) for one in head]  # while the person's language is active

    def piece(after: str) -> tuple[str, str]:
        with scope(**scoped), translation.override(language):
            rows, following = pieces(after)
            return _lines(rows), following

    start = BYTE_ORDER_MARK + _lines([columns])
    stream: Iterator[str] | AsyncIterator[str]
    stream = _one_by_one(start, piece) if isinstance(request, ASGIRequest) else _in_turn(start, piece)
    return StreamingHttpResponse(stream, content_type=CONTENT_TYPE, headers=_named(name))


def _named(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": "no-store"}


def _in_turn(start: str, piece: Callable[[str], tuple[str, str]]) -> Iterator[str]:
    yield start
    text, after = piece("")
    yield text
    while after:
        text, after = piece(after)
        yield text


async def _one_by_one(start: str, piece: Callable[[str], tuple[str, str]]) -> AsyncIterator[str]:
    yield start
    text, after = await sync_to_async(piece)("")
    yield text
    while after:
        text, after = await sync_to_async(piece)(after)
        yield text


def _lines(rows: Iterable[Row]) -> str:
    written = io.StringIO()
    csv.writer(written, delimiter=";").writerows([harmless(cell) for cell in row] for row in rows)
    return written.getvalue()

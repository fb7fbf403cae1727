"""Tables as CSV: streamed a piece at a time, and harmless in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import translation
from django_scopes import scope
from django_scopes.state import get_scope

Row = Sequence[Any]
NextPiece = Callable[[str], tuple[Iterable[Row], str]]
"""From where the piece begins (empty at first) to its rows and where the next begins (empty at the end)."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
BYTE_ORDER_MARK = "\ufeff"
"""Without it, the spreadsheet programs that municipalities use read Swedish letters wrongly."""


def harmless(value: Any) -> str:
    """Return a cell's text that no spreadsheet takes for a formula; whole numbers stay numbers."""
    text = "" if value is None else str(value)
    if text.startswith(_FORMULA) and not text.removeprefix("-").isdecimal():
        return f"'{text}"
    return text


def csv_response(
    request: HttpRequest, *, name: str, head: Sequence[Any], pieces: NextPiece
) -> StreamingHttpResponse:
    """Return a table as a file, read a piece at a time in the person's own scope and language.

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
    return StreamingHttpResponse(
        stream,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": "no-store"},
    )


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

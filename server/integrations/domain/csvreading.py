"""Reading an uploaded CSV file: UTF-8 with or without byte order mark, semicolon, comma or tab."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from server.integrations.domain.columns import COLUMNS

MOST_ROWS = 5000
MOST_BYTES = 2_000_000


class UnreadableError(ValueError):
    """The file as a whole cannot be read; the message says why."""

    def __init__(self, why: str | Promise) -> None:
        super().__init__(str(why))
        self.why = why


def read_csv(data: bytes) -> list[tuple[int, Mapping[str, Any]]]:
    """Return (line, values by column) of every line below the first; raises `UnreadableError`."""
    if len(data) > MOST_BYTES:
        raise UnreadableError(_("The file is larger than 2 MB. Divide it."))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableError(_("The file is not UTF-8. Save it as “CSV UTF-8”.")) from error
    if "\0" in text:
        raise UnreadableError(_("The file is not a text."))
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        return _rows(lines)
    except csv.Error as error:
        raise UnreadableError(
            format_lazy(_("Line {line} cannot be read: check its quotation marks."), line=lines.line_num)
        ) from error


def _delimiter(text: str) -> str:
    head = text.split("\n", 1)[0]
    return max(";,\t", key=head.count)


def _rows(lines: Any) -> list[tuple[int, Mapping[str, Any]]]:
    heads = [head.strip().lower() for head in next(lines, [])]
    if not heads or "external_id" not in heads:
        raise UnreadableError(_("The first line must name the columns, external_id among them."))
    if len(set(heads)) != len(heads):
        raise UnreadableError(_("Two columns have the same name."))
    rows: list[tuple[int, Mapping[str, Any]]] = []
    for cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) > len(heads):
            raise UnreadableError(
                format_lazy(_("Line {line} has more values than there are columns."), line=lines.line_num)
            )
        if len(rows) == MOST_ROWS:
            raise UnreadableError(format_lazy(_("At most {most} rows at a time."), most=MOST_ROWS))
        padded = [*cells, *[""] * (len(heads) - len(cells))]
        rows.append((lines.line_num, {head: cell.strip() for head, cell in zip(heads, padded, strict=True)}))
    if not rows:
        raise UnreadableError(_("There are no rows below the columns' names."))
    return rows


def template_of(kind: str) -> str:
    """Return a file to begin with: the columns' names and an example."""
    columns = COLUMNS[kind]
    heads = ";".join(column.name for column in columns)
    example = ";".join(column.example for column in columns)
    return f"\ufeff{heads}\r\n{example}\r\n"

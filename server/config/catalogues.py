"""Compiling message catalogues (.po to .mo) without gettext's tools, which a bare machine lacks.

The .mo format is that of GNU gettext (manual, section "The Format of GNU MO Files"): a header of seven 32-bit
words, two tables of (length, offset), then the strings, originals sorted.
"""

from __future__ import annotations

import ast
import os
import struct
from pathlib import Path

from django.conf import settings
from django.utils.translation.reloader import translation_file_changed

MAGIC = 0x950412DE
HEADER_LENGTH = 28


class CatalogueError(ValueError):
    """A .po file has a line that makes no sense."""


def read_po(text: str) -> dict[str, str]:
    """Return translated messages by key; contexts and plurals are keyed as gettext keys them.

    Untranslated and fuzzy entries are left out, as msgfmt does.
    """
    messages: dict[str, str] = {}
    for block in text.split("\n\n"):
        entry = _read_entry(block)
        if entry is not None:
            messages[entry[0]] = entry[1]
    return messages


def _read_entry(block: str) -> tuple[str, str] | None:
    fields: dict[str, str] = {}
    current = ""
    for line in block.splitlines():
        if line.startswith("#"):
            if line.startswith("#,") and "fuzzy" in line:
                return None
            continue
        if not line.startswith('"'):
            current, _, line = line.partition(" ")  # noqa: PLW2901  the rest of the line is the string
            fields[current] = ""
        if not current or not line.startswith('"'):
            raise CatalogueError(line)
        fields[current] += ast.literal_eval(line)
    return _keyed(fields) if "msgid" in fields else None


def _keyed(fields: dict[str, str]) -> tuple[str, str] | None:
    key, value = fields["msgid"], fields.get("msgstr", "")
    if "msgid_plural" in fields:
        key += "\0" + fields["msgid_plural"]
        value = "\0".join(fields[name] for name in sorted(fields) if name.startswith("msgstr["))
    if "msgctxt" in fields:
        key = fields["msgctxt"] + "\4" + key
    return (key, value) if value.strip("\0") else None


def mo_bytes(messages: dict[str, str]) -> bytes:
    """Return the catalogue in .mo form."""
    keys = sorted(messages, key=str.encode)
    originals, translations = [k.encode() for k in keys], [messages[k].encode() for k in keys]
    table_length = 8 * len(keys)
    offset = HEADER_LENGTH + 2 * table_length
    tables, strings = b"", b""
    for text in (*originals, *translations):
        tables += struct.pack("<II", len(text), offset + len(strings))
        strings += text + b"\0"
    header = struct.pack("<7I", MAGIC, 0, len(keys), HEADER_LENGTH, HEADER_LENGTH + table_length, 0, offset)
    return header + tables + strings


def compile_catalogues() -> list[Path]:
    """Compile every catalogue of the project whose .mo is missing or older; return what was written."""
    written = []
    for folder in settings.LOCALE_PATHS:
        for source in Path(folder).glob("*/LC_MESSAGES/*.po"):
            target = source.with_suffix(".mo")
            if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
                continue
            partial = target.with_suffix(f".{os.getpid()}.tmp")
            partial.write_bytes(mo_bytes(read_po(source.read_text(encoding="utf-8"))))
            partial.replace(target)
            translation_file_changed(None, target)  # this process may have read the old one
            written.append(target)
    return written

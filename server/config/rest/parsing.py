"""JSON bodies of bounded size."""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import BytesIO
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from server.problems import Problem

DEFAULT_BODY = 16 * 1024
"""Bytes; views that take more say so in `max_body`."""


class BoundedJSONParser(JSONParser):
    """Reads at most the view's `max_body` bytes, whatever the length header claims."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Parse a JSON object; raises `Problem` too_large, or ParseError."""
        context = parser_context or {}
        limit = getattr(context.get("view"), "max_body", DEFAULT_BODY)
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise Problem("too_large", max_bytes=limit)
        try:
            parsed = super().parse(BytesIO(body), media_type, context)
            if b"\\ud" in body.lower():  # half a character can neither be stored nor be said in an answer
                json.dumps(parsed, ensure_ascii=False).encode()
        except (RecursionError, ValueError) as error:
            raise ParseError from error
        if not isinstance(parsed, dict):
            raise ParseError
        return parsed

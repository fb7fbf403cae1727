"""Structured logs that carry no secrets: known secret fields are blanked before anything is written."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import structlog

SECRET_WORDS = (
    "password",
    "secret",
    "token",
    "code",
    "key",
    "authorization",
    "cookie",
    "session",
    "totp",
    "pin",
)
# Words that contain one of the above but say nothing secret.
HARMLESS = frozenset({"kid", "status_code", "token_id", "error_code", "alarm_code_count"})


def blank_secrets(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace the values of fields whose names speak of secrets."""
    for name in event:
        if name not in HARMLESS and any(word in name.lower() for word in SECRET_WORDS):
            event[name] = "***"
    return event


def logging_config(*, level: str, json: bool) -> dict[str, Any]:
    """Return Django's LOGGING, and configure structlog to go the same way."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        blank_secrets,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    # Plain tracebacks: the pretty ones print local variables, and secrets with them.
    plain = structlog.dev.plain_traceback
    ends: list[Any] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if json
        else [structlog.dev.ConsoleRenderer(colors=False, exception_formatter=plain)]
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *ends],
                "foreign_pre_chain": shared,
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"level": level},
            "django.request": {"level": "ERROR"},
            "uvicorn.access": {"level": "WARNING"},
            "celery": {"level": "WARNING"},
        },
    }

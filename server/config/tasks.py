"""Celery tasks that belong to no single part of the domain."""

from __future__ import annotations

from celery import shared_task

from server.config import statistics


@shared_task(name="config.refresh_statistics")
def refresh_statistics() -> None:
    """Have SQLite look at its tables anew; other databases do that when they think it is time."""
    statistics.keep_up()

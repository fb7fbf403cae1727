"""Celery tasks of alarms: thin, and sweeps over database state that may run twice or late."""

from __future__ import annotations
